//! The verbs of RFC 9051 and RFC 3501, one file each, and what every command is.

pub(crate) mod append;
pub(crate) mod capability;
pub(crate) mod close;
pub(crate) mod copy;
pub(crate) mod create;
mod cx;
pub(crate) mod delete;
pub(crate) mod enable;
pub(crate) mod expunge;
pub(crate) mod fetch;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod modifiers;
pub(crate) mod noop;
pub(crate) mod rename;
pub(crate) mod search;
pub(crate) mod select;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod subscribe;

use std::borrow::Cow;

use account::{CommitError, Fault, Pending, Refusal};

pub(crate) use cx::Cx;

use crate::peer::Gone;
use crate::registry::{Extension, Shown};
use crate::response::Code;
use crate::session::{Mode, Modes, Next};

/// RFC 3501: the verbs, keys and items that both revisions share, and those that RFC 9051 dropped.
pub(crate) const IMAP4REV1: Extension = Extension {
    capability: "IMAP4rev1",
    rfc: 3501,
    shown: Shown::Always,
    file: "command/mod.rs",
    commands: &[
        capability::CAPABILITY,
        noop::NOOP,
        logout::LOGOUT,
        login::LOGIN,
        select::SELECT,
        select::EXAMINE,
        create::CREATE,
        delete::DELETE,
        rename::RENAME,
        subscribe::SUBSCRIBE,
        subscribe::UNSUBSCRIBE,
        list::LIST,
        list::LSUB,
        status::STATUS,
        noop::CHECK,
        close::CLOSE,
        search::SEARCH,
        fetch::FETCH,
        store::STORE,
        copy::COPY,
    ],
    status_items: status::ITEMS,
    ..Extension::NONE
};

/// FETCH items and SEARCH keys come in several lists, one a file; a constant table wants them as extensions of their own.
pub(crate) const FETCH_ROWS: Extension = Extension {
    rfc: 9051,
    shown: Shown::Never,
    file: "command/fetch/row.rs",
    fetch_items: fetch::ROW_ITEMS,
    ..Extension::NONE
};
pub(crate) const FETCH_STRUCTURE: Extension = Extension {
    rfc: 9051,
    shown: Shown::Never,
    file: "command/fetch/structure.rs",
    fetch_items: fetch::STRUCTURE_ITEMS,
    ..Extension::NONE
};
pub(crate) const FETCH_BODY: Extension = Extension {
    rfc: 9051,
    shown: Shown::Never,
    file: "command/fetch/body.rs",
    fetch_items: fetch::BODY_ITEMS,
    ..Extension::NONE
};
pub(crate) const SEARCH_KEYS: Extension = Extension {
    rfc: 9051,
    shown: Shown::Never,
    file: "command/search/keys.rs",
    search_keys: search::KEYS,
    ..Extension::NONE
};
pub(crate) const SEARCH_TEXT: Extension = Extension {
    rfc: 9051,
    shown: Shown::Never,
    file: "command/search/text.rs",
    search_keys: search::TEXT_KEYS,
    ..Extension::NONE
};
pub(crate) const SEARCH_HEADER: Extension = Extension {
    rfc: 9051,
    shown: Shown::Never,
    file: "command/search/header.rs",
    search_keys: search::HEADER_KEYS,
    ..Extension::NONE
};

/// RFC 9051: what it added to the base protocol.
pub(crate) const IMAP4REV2: Extension = Extension {
    capability: "IMAP4rev2",
    rfc: 9051,
    shown: Shown::Always,
    file: "command/mod.rs",
    mode: Some(Mode::Rev2),
    ..Extension::NONE
};

/// What a parser may know of the session: never its mailbox.
pub(crate) struct Syntax {
    pub modes: Modes,
    /// `UID` stood before the verb.
    pub by_uid: bool,
}

/// A parsed command. Its bodies are straight-line `async` code that waits only for account's port and the peer.
pub(crate) trait Command: Send {
    /// Carries it out. Writes only the data it was asked for; what others changed is told by `session::sync`.
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome>;
}

/// How a command ended.
pub(crate) type Outcome = Result<Done, Failure>;

/// Success: the tagged OK, and what the connection does then.
pub(crate) struct Done {
    pub code: Option<Code<'static>>,
    pub text: Cow<'static, str>,
    /// Leaves the conversation after the answer was sent.
    pub next: Option<Next>,
}

impl Done {
    /// `OK text`
    pub(crate) fn ok(text: impl Into<Cow<'static, str>>) -> Outcome {
        Ok(Self { code: None, text: text.into(), next: None })
    }

    /// `OK [code] text`
    pub(crate) fn with(code: Code<'static>, text: impl Into<Cow<'static, str>>) -> Outcome {
        Ok(Self { code: Some(code), text: text.into(), next: None })
    }
}

/// Three kinds of failure, three answers.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The client's mistake in form: tagged BAD.
    Bad(Option<Code<'static>>, Cow<'static, str>),
    /// A refusal with a reason: tagged NO.
    No(Option<Code<'static>>, Cow<'static, str>),
    /// Our own fault: tagged `NO [CORRUPTION]` or `NO [UNAVAILABLE]` with an incident id; the connection lives.
    Fault(Fault),
    /// Nobody there to answer.
    Gone,
    /// An answer was impossible in mid-message (a literal was begun and its octets are damaged): close.
    Broken(&'static str),
}

impl Failure {
    pub(crate) fn bad(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Bad(None, text.into())
    }

    pub(crate) fn no(code: Code<'static>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::No(Some(code), text.into())
    }
}

impl From<Gone> for Failure {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::AlreadyExists => Self::no(Code::AlreadyExists, "Mailbox already exists"),
            Refusal::NonExistent => Self::no(Code::NonExistent, "No such mailbox"),
            Refusal::Cannot(why) => Self::no(Code::Cannot, why),
            Refusal::BadName(_) => Self::no(Code::Cannot, "That cannot be a mailbox name"),
            Refusal::Limit(what) => Self::no(Code::Limit, what),
            // With shared mailboxes (RFC 4314) this becomes NOPERM; an owner is never refused.
            Refusal::NoPermission => Self::No(None, "You may not do that".into()),
            Refusal::ExpungeIssued => Self::no(Code::ExpungeIssued, "The message is gone"),
            Refusal::UidTaken => Self::no(Code::Cannot, "That UID has been passed"),
            Refusal::UseAttr(why) => Self::no(Code::UseAttr, why),
        }
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(refusal) => refusal.into(),
            CommitError::Full => Self::no(Code::OverQuota, "No space left"),
            CommitError::Fault(fault) => fault.into(),
        }
    }
}
