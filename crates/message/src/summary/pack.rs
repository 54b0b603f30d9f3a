//! Packing a summary.

use super::codec::{number_len, put_block, put_number};
use super::part::{FLAG_MESSAGE, FLAG_MULTIPART, FLAG_TEXT};
use super::{FIXED_OCTETS, FLAG_REPLY, FLAG_SENT, SORT_KEYS, VERSION};
use crate::date::SentDate;

/// What a summary says about the whole message.
#[derive(Default)]
pub(crate) struct Head {
    pub size: u64,
    pub sent: Option<SentDate>,
    pub is_reply: bool,
    /// Folded.
    pub base_subject: String,
    pub preview: String,
    /// Folded, in the order of [`AddressField`](super::AddressField).
    pub sort_keys: [String; SORT_KEYS],
    pub thread_id: Vec<u8>,
    pub references: Vec<Vec<u8>>,
}

/// One part, in pre-order.
#[derive(Default)]
pub(crate) struct PartFields {
    /// The index of the part it is in; its own for the root.
    pub parent: usize,
    pub is_multipart: bool,
    pub is_message: bool,
    pub is_text: bool,
    pub header_start: u64,
    pub header_octets: u64,
    pub body_octets: u64,
    pub lines: u64,
    /// Where the packed strings lie, type to envelope, among all.
    pub strings: std::ops::Range<usize>,
}

/// Packs a summary. `strings` holds what [`PartFields::strings`] points at.
pub(crate) fn pack(head: &Head, parts: &[PartFields], strings: &[u8]) -> Vec<u8> {
    let below = below_lengths(parts);
    let mut out =
        Vec::with_capacity(FIXED_OCTETS + strings.len() + parts.len() * 24 + head.preview.len() + 512);
    put_fixed(&mut out, head);
    put_strings(&mut out, head);
    // A summary is far below 4 GiB: headers are looked at up to a few MiB in all.
    let root_at = u32::try_from(out.len()).unwrap_or(u32::MAX);
    out[FIXED_OCTETS - 4..FIXED_OCTETS].copy_from_slice(&root_at.to_le_bytes());
    for (part, below) in parts.iter().zip(below) {
        put_number(&mut out, own_len(part));
        put_number(&mut out, below);
        out.push(flags(part));
        for number in numbers(part) {
            put_number(&mut out, number);
        }
        out.extend_from_slice(&strings[part.strings.clone()]);
    }
    out
}

fn put_fixed(out: &mut Vec<u8>, head: &Head) {
    let sent = head.sent.unwrap_or(SentDate { unix_seconds: 0, year: 0, month: 0, day: 0 });
    let mut flags = 0;
    if head.sent.is_some() {
        flags |= FLAG_SENT;
    }
    if head.is_reply {
        flags |= FLAG_REPLY;
    }
    out.extend_from_slice(&[VERSION, flags]);
    out.extend_from_slice(&head.size.to_le_bytes());
    out.extend_from_slice(&sent.unix_seconds.to_le_bytes());
    out.extend_from_slice(&sent.year.to_le_bytes());
    out.extend_from_slice(&[sent.month, sent.day]);
    // The place of the root, filled in when it is known.
    out.extend_from_slice(&[0; 4]);
}

fn put_strings(out: &mut Vec<u8>, head: &Head) {
    put_block(out, head.base_subject.as_bytes());
    put_block(out, head.preview.as_bytes());
    for key in &head.sort_keys {
        put_block(out, key.as_bytes());
    }
    put_block(out, &head.thread_id);
    let mut references = Vec::new();
    for id in &head.references {
        put_block(&mut references, id);
    }
    put_block(out, &references);
}

/// Octets below each part, from the last to the first: a part's are known when all after it are.
fn below_lengths(parts: &[PartFields]) -> Vec<u64> {
    let mut below = vec![0u64; parts.len()];
    for (index, part) in parts.iter().enumerate().rev() {
        let own = own_len(part);
        let whole = (number_len(own) + number_len(below[index])) as u64 + own + below[index];
        if part.parent < index {
            below[part.parent] += whole;
        }
    }
    below
}

fn own_len(part: &PartFields) -> u64 {
    let numbers: usize = numbers(part).into_iter().map(number_len).sum();
    (1 + numbers + part.strings.len()) as u64
}

fn numbers(part: &PartFields) -> [u64; 4] {
    [part.header_start, part.header_octets, part.body_octets, part.lines]
}

fn flags(part: &PartFields) -> u8 {
    let mut flags = 0;
    for (set, flag) in
        [(part.is_multipart, FLAG_MULTIPART), (part.is_message, FLAG_MESSAGE), (part.is_text, FLAG_TEXT)]
    {
        if set {
            flags |= flag;
        }
    }
    flags
}
