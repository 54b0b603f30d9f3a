//! Untagged data about the selected mailbox: EXISTS, RECENT, EXPUNGE, VANISHED, FLAGS.

use account::{Flags, KEYWORDS_MAX, Keywords, SeqNum, UidSet};

use super::Code;
use super::status;
use crate::wire::Writer;

/// `* n EXISTS`
pub(crate) fn exists(output: &mut Vec<u8>, count: u32) {
    counted(output, u64::from(count), "EXISTS");
}

/// `* n RECENT` (RFC 3501 7.3.2)
pub(crate) fn recent(output: &mut Vec<u8>, count: usize) {
    counted(output, count as u64, "RECENT");
}

/// `* n EXPUNGE`
pub(crate) fn expunge(output: &mut Vec<u8>, number: SeqNum) {
    counted(output, u64::from(number.value()), "EXPUNGE");
}

fn counted(output: &mut Vec<u8>, number: u64, what: &str) {
    let mut writer = Writer::new(output, false);
    writer.raw(b"* ");
    writer.number(number);
    writer.raw(b" ");
    writer.raw(what.as_bytes());
    writer.raw(b"\r\n");
}

/// `* VANISHED uids` (RFC 7162 3.2.10)
pub(crate) fn vanished(output: &mut Vec<u8>, uids: &UidSet) {
    let mut writer = Writer::new(output, false);
    writer.raw(b"* VANISHED ");
    writer.uid_set(uids);
    writer.raw(b"\r\n");
}

/// `* FLAGS (…)` and `* OK [PERMANENTFLAGS (…)]` (RFC 9051 7.3.5, 7.1): every keyword in use, and `\*` while there is room
/// for more.
pub(crate) fn flags(output: &mut Vec<u8>, keywords: &Keywords, read_only: bool) {
    let all =
        (0..keywords.0.len()).fold(Flags(0b1_1111), |set, index| set.union(Flags::keyword(index as u8)));
    let mut writer = Writer::new(output, false);
    writer.raw(b"* FLAGS ");
    writer.flags(all, keywords, false);
    writer.raw(b"\r\n");
    let permanent = if read_only { Flags::NONE } else { all };
    let more = !read_only && keywords.0.len() < KEYWORDS_MAX;
    let code = Code::PermanentFlags { flags: permanent, keywords: keywords.clone(), more };
    status::untagged_ok(output, Some(&code), if read_only { "Read-only" } else { "Flags that last" });
}

/// `* VANISHED (EARLIER) uids`: not a change of now but news of the past (RFC 7162 3.2.10).
pub(crate) fn vanished_earlier(output: &mut Vec<u8>, uids: &UidSet) {
    let mut writer = Writer::new(output, false);
    writer.raw(b"* VANISHED (EARLIER) ");
    writer.uid_set(uids);
    writer.raw(b"\r\n");
}
