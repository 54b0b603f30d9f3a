//! FETCH items that the mailbox's columns answer: FLAGS, INTERNALDATE, RFC822.SIZE, UID (RFC 9051 6.4.5).

use super::{FetchItem, Fetched, Needs};
use crate::command::Failure;
use crate::registry::FetchItemRow;
use crate::wire::Writer;

pub(crate) const ITEMS: &[FetchItemRow] = &[
    FetchItemRow { name: "FLAGS", parse: |_, _| Ok(Box::new(Flags)) },
    FetchItemRow { name: "INTERNALDATE", parse: |_, _| Ok(Box::new(InternalDate)) },
    FetchItemRow { name: "RFC822.SIZE", parse: |_, _| Ok(Box::new(Size)) },
    FetchItemRow { name: "UID", parse: |_, _| Ok(Box::new(Uid)) },
];

struct Flags;
struct InternalDate;
struct Size;
pub(super) struct Uid;

impl FetchItem for Flags {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(b"FLAGS ");
        writer.flags(message.row.flags, message.keywords, message.recent);
        Ok(())
    }
}

impl FetchItem for InternalDate {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(b"INTERNALDATE ");
        writer.date_time(message.row.internal_date);
        Ok(())
    }
}

impl FetchItem for Size {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(b"RFC822.SIZE ");
        writer.number(message.row.size);
        Ok(())
    }
}

impl FetchItem for Uid {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(b"UID ");
        writer.number(u64::from(message.row.uid.value()));
        Ok(())
    }
}
