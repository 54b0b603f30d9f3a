//! Reading everything and believing nothing: every segment, every blob's hash, every file of a large body, every journal's chain.

use std::io;
use std::sync::Arc;

use super::engine::Engine;
use super::index::Segment;
use super::packing::{BLOCK_BYTES, Directory};
use super::read::Stop;
use super::record::{Kind, RecordHeader};
use super::recover::{damage_of, gaps, read_whole};
use super::scan::{Expected, Found, scan};
use super::segments::{large_path, segment_path};
use crate::disk::DiskFile;
use crate::{AccountKey, BlobId, CheckReport, Damaged, Section, StoreError};

impl Engine {
    pub(super) fn check(&self) -> Result<CheckReport, Stop> {
        self.readable()?;
        let mut report = CheckReport::default();
        let segments = self.catalog.segments();
        for (number, segment) in segments.iter().filter(|(_, segment)| !segment.removed && segment.bytes > 0)
        {
            self.check_segment(*number, *segment, &mut report)?;
        }
        report.damaged.extend(gaps(&segments));
        for account in self.catalog.accounts() {
            self.check_journal(account, &mut report)?;
        }
        report.damaged.sort_unstable();
        report.damaged.dedup();
        Ok(report)
    }

    fn check_segment(
        &self,
        number: u32,
        segment: Segment,
        report: &mut CheckReport,
    ) -> Result<(), StoreError> {
        let path = segment_path(number);
        let failed = |error: io::Error| StoreError::io(&path, &error);
        let file = match self.disk.open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Unless it was reclaimed meanwhile, it should be here.
                if self.catalog.segment(number).is_some_and(|segment| !segment.removed) {
                    report.damaged.push(Damaged::Log { segment: number, offset: 0 });
                }
                return Ok(());
            }
            opened => opened.map_err(failed)?,
        };
        let content = read_whole(&*file, segment.bytes).map_err(failed)?;
        report.bytes += content.len() as u64;
        let expected = Expected { salt: self.salt, number, from: 0, batch: 0, known_until: segment.bytes };
        let end = scan(&content, expected, &mut |found| match found {
            Found::Record { header, payload, .. } => self.check_record(&header, payload, report),
            Found::Broken { header, .. } => {
                report.damaged.extend(damage_of(header.kind, header.account, header.number));
            }
            Found::Damage { offset } => report.damaged.push(Damaged::Log { segment: number, offset }),
            Found::BatchEnd { .. } => {}
        });
        if end.offset < segment.bytes {
            report.damaged.push(Damaged::Log { segment: number, offset: end.offset });
        }
        Ok(())
    }

    fn check_record(&self, header: &RecordHeader, payload: &[u8], report: &mut CheckReport) {
        match header.kind {
            Kind::Entry => report.entries += 1,
            Kind::Checkpoint => report.checkpoints += 1,
            Kind::Drop | Kind::Removed => {}
            Kind::Blob | Kind::LargeBlob => {
                report.blobs += 1;
                if self.check_blob(header, payload, report).is_none() {
                    report.damaged.push(Damaged::Blob(BlobId(header.number)));
                }
            }
        }
    }

    /// `None` if the blob is not whole.
    fn check_blob(&self, header: &RecordHeader, payload: &[u8], report: &mut CheckReport) -> Option<()> {
        let directory = Directory::decode(self.salt, payload)?;
        let is_large = header.kind == Kind::LargeBlob;
        for section in [Section::Summary, Section::Text, Section::Body] {
            if is_large && section == Section::Body {
                return self.check_large(header, &directory, report);
            }
            let entry = &directory.sections[section as usize];
            let Some(span) = entry.span(&(0..entry.bytes)) else { continue };
            let start = usize::try_from(directory.section_offset(section)).ok()?;
            let stored = payload.get(start..start.checked_add(span.stored_bytes)?)?;
            let bytes = entry.unpack(self.salt, &span, stored)?;
            if section == Section::Body && *blake3::hash(&bytes).as_bytes() != directory.body_hash {
                return None;
            }
        }
        Some(())
    }

    /// Reads a large body block by block. A dead one may have lost its file to reclaiming before its record; that is no damage.
    fn check_large(
        &self,
        header: &RecordHeader,
        directory: &Directory,
        report: &mut CheckReport,
    ) -> Option<()> {
        let file: Arc<dyn DiskFile> = self.disk.open(&large_path(header.extra)).ok()?;
        let entry = &directory.sections[Section::Body as usize];
        let mut hasher = blake3::Hasher::new();
        let mut offset = 0;
        let mut stored = vec![0; BLOCK_BYTES];
        for (index, block) in entry.blocks.iter().enumerate() {
            let stored = stored.get_mut(..block.stored_bytes as usize)?;
            if file.read_at(stored, offset).ok()? != stored.len() {
                return None;
            }
            let start = (index * BLOCK_BYTES) as u64;
            let span = entry.span(&(start..start + entry.block_bytes(index) as u64))?;
            hasher.update(&entry.unpack(self.salt, &span, stored)?);
            offset += u64::from(block.stored_bytes);
            report.bytes += u64::from(block.stored_bytes);
        }
        (*hasher.finalize().as_bytes() == directory.body_hash).then_some(())
    }

    /// Follows a journal's chain without reading the entries, which [`Engine::check_segment`] has read.
    fn check_journal(&self, account: AccountKey, report: &mut CheckReport) -> Result<(), StoreError> {
        /// Entries looked up at a time, by their bytes.
        const PIECE_BYTES: usize = 16 << 20;
        let heads = self.catalog.heads(account);
        let mut before = heads.floor();
        loop {
            let (entries, all) = self.catalog.entries(account, before, PIECE_BYTES)?;
            for (no, at) in entries {
                // The entry after the floor may follow one that is forgotten.
                let follows = at.previous == before || (before == heads.floor() && at.previous <= before);
                if !follows {
                    report.damaged.push(Damaged::Entry { account, no });
                }
                before = no;
            }
            if all {
                break;
            }
        }
        if before < heads.head {
            report.damaged.push(Damaged::Entry { account, no: heads.head });
        }
        for at in heads.checkpoints.into_iter().filter(|at| *at > 0) {
            if self.catalog.checkpoint(account, at)?.is_none() {
                report.damaged.push(Damaged::Checkpoint { account, at });
            }
        }
        Ok(())
    }
}
