//! FETCH and UIDFETCH: the frame around data items, and the unsolicited news about flags.

use account::{Keywords, Modseq, Row, SeqNum};

use crate::session::{Mode, Modes};
use crate::wire::Writer;

/// A change of a message's flags that the session is told.
pub(crate) struct News<'a> {
    pub number: SeqNum,
    pub row: &'a Row,
    pub keywords: &'a Keywords,
    pub recent: bool,
    /// FLAGS are told; otherwise only that MODSEQ rose (RFC 7162 3.1.3, a silent STORE).
    pub flags: bool,
}

/// Opens `* n FETCH (`, or `* uid UIDFETCH (` under UIDONLY (RFC 9586 3.2).
pub(crate) fn open(writer: &mut Writer<'_>, modes: Modes, number: SeqNum, row: &Row) {
    writer.raw(b"* ");
    if modes.has(Mode::UidOnly) {
        writer.number(u64::from(row.uid.value()));
        writer.raw(b" UIDFETCH (");
    } else {
        writer.number(u64::from(number.value()));
        writer.raw(b" FETCH (");
    }
}

/// Closes what [`open`] opened.
pub(crate) fn close(writer: &mut Writer<'_>) {
    writer.raw(b")\r\n");
}

/// `MODSEQ (n)` (RFC 7162 7)
pub(crate) fn modseq(writer: &mut Writer<'_>, modseq: Modseq) {
    writer.raw(b"MODSEQ (");
    writer.number(modseq.0);
    writer.raw(b")");
}

/// Unsolicited `FETCH (UID … FLAGS (…) MODSEQ (…))`. UID is always there: RFC 7162 3.2.4 wants it, no client minds it.
pub(crate) fn news(writer: &mut Writer<'_>, modes: Modes, news: &News<'_>) {
    open(writer, modes, news.number, news.row);
    if !modes.has(Mode::UidOnly) {
        writer.raw(b"UID ");
        writer.number(u64::from(news.row.uid.value()));
        writer.raw(b" ");
    }
    if news.flags {
        writer.raw(b"FLAGS ");
        writer.flags(news.row.flags, news.keywords, news.recent);
    }
    if modes.has(Mode::CondStore) {
        if news.flags {
            writer.raw(b" ");
        }
        modseq(writer, news.row.modseq);
    }
    close(writer);
}
