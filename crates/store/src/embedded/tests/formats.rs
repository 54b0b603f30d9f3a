use proptest::prelude::*;

use crate::embedded::packing::{Directory, pack};
use crate::embedded::record::{
    BATCH_HEADER_BYTES, BatchHeader, Kind, Place, RECORD_HEADER_BYTES, RecordHeader, SEGMENT_HEADER_BYTES,
    SegmentHeader, aligned,
};
use crate::embedded::scan::{Expected, Found, scan};
use crate::{BlobParts, Section};

const SALT: u64 = 0x1234_5678_9abc_def0;

/// Sections of all lengths around a block, compressible and not.
fn section() -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(any::<u8>(), 0..2000);
    let text = (any::<u8>(), 0..200_000_usize).prop_map(|(byte, bytes)| vec![byte; bytes]);
    let mixed = (noise.clone(), 0..140_usize).prop_map(|(noise, times)| noise.repeat(times));
    prop_oneof![noise, text, mixed]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_range_of_any_section_unpacks_to_what_was_put(
        summary in section(), text in section(), body in section(), start in 0..400_000_u64, bytes in 0..200_000_u64,
    ) {
        let payload = pack(SALT, BlobParts { summary: &summary, text: &text, body: &body });
        let directory = Directory::decode(SALT, &payload).unwrap();
        for (section, put) in [(Section::Summary, &summary), (Section::Text, &text), (Section::Body, &body)] {
            let entry = &directory.sections[section as usize];
            for range in [start..start.saturating_add(bytes), 0..u64::MAX] {
                let from = (range.start as usize).min(put.len());
                let to = usize::try_from(range.end).unwrap_or(usize::MAX).clamp(from, put.len());
                let Some(span) = entry.span(&range) else {
                    prop_assert!(from == to);
                    continue;
                };
                let at = (directory.section_offset(section) + span.stored_offset) as usize;
                let unpacked = entry.unpack(SALT, &span, &payload[at..at + span.stored_bytes]).unwrap();
                prop_assert_eq!(&unpacked[span.inside], &put[from..to]);
            }
        }
        let put = summary.len() + text.len() + body.len();
        prop_assert!(payload.len() <= put + 88 + 8 * (put / 65_536 + 3), "what does not compress does not grow");
    }

    #[test]
    fn any_bytes_are_refused_or_read_without_failing(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Directory::decode(SALT, &bytes).is_none());
        prop_assert!(RecordHeader::decode(SALT, &bytes).is_none());
        prop_assert!(BatchHeader::decode(SALT, Place(1 << 32), &bytes).is_none());
        prop_assert!(SegmentHeader::decode(&bytes).is_none());
        let end = scan(&bytes, expected(0), &mut |_| {});
        prop_assert_eq!(end.batch, 0);
    }

    /// A directory whose checksum is right but whose numbers are anything.
    #[test]
    fn lying_directory_is_refused_or_read_without_failing(
        mut bytes in prop::collection::vec(any::<u8>(), 88..300), lengths in any::<[u64; 3]>(), counts in any::<[u8; 3]>(),
        range in any::<(u64, u64)>(),
    ) {
        let length = bytes.len() as u32;
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        for index in 0..3 {
            let at = 40 + index * 16;
            // Half of them agree with each other.
            let section = if lengths[0].is_multiple_of(2) { u64::from(counts[index]) * 65_536 } else { lengths[index] };
            bytes[at..at + 8].copy_from_slice(&section.to_le_bytes());
            bytes[at + 8..at + 12].copy_from_slice(&u32::from(counts[index]).to_le_bytes());
        }
        let sum = crate::embedded::record::checksum(SALT, &bytes[4..]);
        bytes[..4].copy_from_slice(&sum.to_le_bytes());
        if let Some(directory) = Directory::decode(SALT, &bytes) {
            for entry in &directory.sections {
                if let Some(span) = entry.span(&(range.0..range.1)) {
                    prop_assert!(entry.unpack(SALT, &span, &bytes).is_none(), "no checksum can be right");
                }
            }
        }
    }

    /// A log of a few batches with some bytes changed: every record that is found is one that was written, where it was written; nothing that is
    /// reported as whole is changed; and damage before a whole batch is never silent.
    #[test]
    fn damaged_log_gives_only_what_was_written(
        sizes in prop::collection::vec(prop::collection::vec(0..300_usize, 1..4), 1..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 0..4),
    ) {
        let (mut log, written, last_batch_at) = log_of(&sizes);
        let mut changed = Vec::new();
        for (index, change) in &changes {
            let at = index.index(log.len());
            log[at] ^= change;
            changed.push(at);
        }
        let mut found = Vec::new();
        let mut reported = false;
        let end = scan(&log, expected(0), &mut |event| match event {
            Found::Record { header, place, payload } => found.push((header, place, payload.to_vec())),
            Found::Broken { .. } | Found::Damage { .. } => reported = true,
            Found::BatchEnd { .. } => {}
        });
        prop_assert!(found.iter().all(|record| written.contains(record)));
        prop_assert!(end.offset <= log.len() as u64);
        let whole = |at: usize| log_of(&sizes).0[at] == log[at];
        let harmed = changed.iter().any(|at| *at >= SEGMENT_HEADER_BYTES && *at < last_batch_at && !whole(*at));
        let last_is_whole = (last_batch_at..log.len()).all(whole);
        prop_assert!(!(harmed && last_is_whole) || reported, "damage before a whole batch must be reported");
        prop_assert!(!changed.iter().all(|at| whole(*at)) || found.len() == written.len());
    }
}

fn expected(known_until: u64) -> Expected {
    Expected { salt: SALT, number: 1, from: 0, batch: 0, known_until }
}

type Written = (RecordHeader, Place, Vec<u8>);

/// A segment with one batch for each list of payload sizes; also its records, and where the last batch begins.
fn log_of(sizes: &[Vec<usize>]) -> (Vec<u8>, Vec<Written>, usize) {
    let mut log = SegmentHeader { salt: SALT, number: 1, first_batch: 1 }.encode().to_vec();
    let mut written = Vec::new();
    let mut last_batch_at = 0;
    for (sequence, payloads) in (1..).zip(sizes) {
        last_batch_at = log.len();
        let place = Place::new(1, log.len() as u64);
        let bytes: usize = payloads.iter().map(|payload| RECORD_HEADER_BYTES + aligned(*payload)).sum();
        let header = BatchHeader { sequence, bytes: bytes as u32, records: payloads.len() as u32 };
        log.extend_from_slice(&header.encode(SALT, place));
        assert_eq!(log.len(), last_batch_at + BATCH_HEADER_BYTES);
        for payload_bytes in payloads {
            let payload = vec![*payload_bytes as u8 | 1; *payload_bytes];
            let header = RecordHeader::new(SALT, Kind::Entry, sequence, *payload_bytes as u64, 0, &payload);
            written.push((header, Place::new(1, log.len() as u64), payload.clone()));
            log.extend_from_slice(&header.encode(SALT));
            log.extend_from_slice(&payload);
            log.resize(aligned(log.len()), 0);
        }
    }
    (log, written, last_batch_at)
}

#[test]
fn record_of_a_store_inside_a_message_is_not_taken_for_one_of_another() {
    let header = RecordHeader::new(SALT, Kind::Entry, 1, 1, 0, b"forged");
    assert!(RecordHeader::decode(SALT, &header.encode(SALT)).is_some());
    assert!(RecordHeader::decode(SALT + 1, &header.encode(SALT)).is_none());
}

#[test]
fn acknowledged_end_is_damage_when_it_is_known_and_torn_when_it_is_not() {
    let (mut log, _, last_batch_at) = log_of(&[vec![10], vec![200]]);
    let end = log.len() as u64;
    log[last_batch_at + BATCH_HEADER_BYTES + RECORD_HEADER_BYTES + 5] ^= 1;
    let mut reported = Vec::new();
    let torn = scan(&log, expected(0), &mut |found| {
        if let Found::Damage { offset } = found {
            reported.push(offset);
        }
    });
    assert!(reported.is_empty() && torn.torn && torn.offset == last_batch_at as u64 && torn.batch == 1);
    let known = scan(&log, expected(end), &mut |found| {
        if let Found::Damage { offset } = found {
            reported.push(offset);
        }
    });
    assert_eq!(reported, [last_batch_at as u64]);
    assert!(!known.torn && known.offset == end);
}
