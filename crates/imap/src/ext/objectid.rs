//! OBJECTID (RFC 8474): identities that outlive RENAME and MOVE. MAILBOXID is the mailbox's number in its journal, EMAILID
//! the blob's. Conversations are not computed, so THREADID is NIL (RFC 8474 5.2 allows it).

use account::{BlobId, MailboxId};

use crate::command::Failure;
use crate::command::fetch::{FetchItem, Fetched, Needs};
use crate::command::search::{self, SearchKey};
use crate::registry::{Extension, FetchItemRow, SearchKeyRow, Shown, StatusItemRow};
use crate::wire::{Bad, Writer};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "OBJECTID",
    rfc: 8474,
    shown: Shown::AfterLogin,
    file: "ext/objectid.rs",
    fetch_items: &[
        FetchItemRow { name: "EMAILID", parse: |_, _| Ok(Box::new(EmailId)) },
        FetchItemRow { name: "THREADID", parse: |_, _| Ok(Box::new(ThreadId)) },
    ],
    search_keys: &[
        SearchKeyRow { name: "EMAILID", parse: |keys| Ok(Box::new(SearchEmailId(id(keys)?))) },
        SearchKeyRow {
            name: "THREADID",
            parse: |keys| {
                id(keys)?;
                Ok(Box::new(SearchThreadId))
            },
        },
    ],
    status_items: &[StatusItemRow {
        name: "MAILBOXID",
        enables: None,
        write: |of, writer| {
            writer.raw(b"(");
            writer.raw(mailbox_id(of.facts.id).as_bytes());
            writer.raw(b")");
        },
    }],
    ..Extension::NONE
};

/// Text beside `[MAILBOXID (…)]`.
pub(crate) const TEXT: &str = "Lasting identity";

/// `objectid` of a mailbox: unique in its account.
pub(crate) fn mailbox_id(id: MailboxId) -> String {
    format!("M{:x}", id.0)
}

fn email_id(blob: BlobId) -> String {
    format!("E{:x}", blob.0)
}

/// `SP objectid`
fn id(keys: &mut search::KeyReader<'_, '_>) -> Result<Vec<u8>, Bad> {
    keys.reader().sp()?;
    Ok(keys.reader().astring()?.to_vec())
}

struct EmailId;
struct ThreadId;

impl FetchItem for EmailId {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(b"EMAILID (");
        writer.raw(email_id(message.row.blob).as_bytes());
        writer.raw(b")");
        Ok(())
    }
}

impl FetchItem for ThreadId {
    fn needs(&self) -> Needs {
        Needs::Row
    }

    fn write(&self, _: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(b"THREADID NIL");
        Ok(())
    }
}

struct SearchEmailId(Vec<u8>);
struct SearchThreadId;

impl SearchKey for SearchEmailId {
    fn needs(&self) -> search::Needs {
        search::Needs::Row
    }

    fn matches(&self, candidate: &search::Candidate<'_>) -> Option<bool> {
        Some(email_id(candidate.row.blob).as_bytes() == self.0)
    }
}

impl SearchKey for SearchThreadId {
    fn needs(&self) -> search::Needs {
        search::Needs::Row
    }

    fn matches(&self, _: &search::Candidate<'_>) -> Option<bool> {
        Some(false)
    }
}
