//! Response codes: what a status response tells a program, in brackets before the text for a person.

use account::{Flags, Keywords, MailboxId, Modseq, SeqNum, UidSet, UidValidity};

use crate::ext::objectid;
use crate::wire::Writer;

/// `resp-text-code` of RFC 9051 section 7.1, RFC 3501, 5530 and the extensions named at each: those that this server has a
/// reason to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code<'a> {
    AlreadyExists,
    /// RFC 4315: UIDVALIDITY and UIDs of what was appended.
    AppendUid(UidValidity, UidSet),
    AuthenticationFailed,
    AuthorizationFailed,
    /// The charsets that SEARCH knows; may be empty.
    BadCharset(&'a [&'a str]),
    Cannot,
    Capability(Vec<String>),
    /// RFC 7162: the mailbox that was selected no longer is.
    Closed,
    /// RFC 4978
    CompressionActive,
    /// RFC 4315: UIDVALIDITY of the destination, UIDs there and here, in the same order. `(validity, source, new)`
    CopyUid(UidValidity, UidSet, UidSet),
    /// RFC 5530: stored octets are damaged.
    Corruption,
    ExpungeIssued,
    HasChildren,
    /// RFC 7162
    HighestModseq(Modseq),
    /// RFC 9585: how far a command is: its tag, what is done and, if known, of how much.
    InProgress(Option<Progress<'a>>),
    Limit,
    /// RFC 8474
    MailboxId(MailboxId),
    /// RFC 7162: messages that failed UNCHANGEDSINCE; numbers, or UIDs for UID STORE.
    Modified(UidSet),
    NonExistent,
    OverQuota,
    /// The flags that last; `more`: and new keywords (`\*`).
    PermanentFlags {
        flags: Flags,
        keywords: Keywords,
        more: bool,
    },
    PrivacyRequired,
    ReadOnly,
    ReadWrite,
    /// RFC 7889, RFC 4469
    TooBig,
    TryCreate,
    UidNext(u32),
    /// RFC 9586
    UidRequired,
    UidValidity(UidValidity),
    Unavailable,
    /// RFC 3516
    UnknownCte,
    /// RFC 3501 only: the first message without `\Seen`.
    Unseen(SeqNum),
    /// RFC 6154
    UseAttr,
}

/// How far a command is (RFC 9585).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The command's tag.
    pub tag: &'a str,
    /// Steps done.
    pub done: u32,
    /// Steps in all, if known; more than `done`.
    pub goal: Option<u32>,
}

impl Code<'_> {
    /// Every code's name, for tables and checks.
    pub(crate) const NAMES: [&'static str; 33] = [
        "ALREADYEXISTS",
        "APPENDUID",
        "AUTHENTICATIONFAILED",
        "AUTHORIZATIONFAILED",
        "BADCHARSET",
        "CANNOT",
        "CAPABILITY",
        "CLOSED",
        "COMPRESSIONACTIVE",
        "COPYUID",
        "CORRUPTION",
        "EXPUNGEISSUED",
        "HASCHILDREN",
        "HIGHESTMODSEQ",
        "INPROGRESS",
        "LIMIT",
        "MAILBOXID",
        "MODIFIED",
        "NONEXISTENT",
        "OVERQUOTA",
        "PERMANENTFLAGS",
        "PRIVACYREQUIRED",
        "READ-ONLY",
        "READ-WRITE",
        "TOOBIG",
        "TRYCREATE",
        "UIDNEXT",
        "UIDREQUIRED",
        "UIDVALIDITY",
        "UNAVAILABLE",
        "UNKNOWN-CTE",
        "UNSEEN",
        "USEATTR",
    ];

    /// The code's name.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "ALREADYEXISTS",
            Self::AppendUid(..) => "APPENDUID",
            Self::AuthenticationFailed => "AUTHENTICATIONFAILED",
            Self::AuthorizationFailed => "AUTHORIZATIONFAILED",
            Self::BadCharset(_) => "BADCHARSET",
            Self::Cannot => "CANNOT",
            Self::Capability(_) => "CAPABILITY",
            Self::Closed => "CLOSED",
            Self::CompressionActive => "COMPRESSIONACTIVE",
            Self::CopyUid(..) => "COPYUID",
            Self::Corruption => "CORRUPTION",
            Self::ExpungeIssued => "EXPUNGEISSUED",
            Self::HasChildren => "HASCHILDREN",
            Self::HighestModseq(_) => "HIGHESTMODSEQ",
            Self::InProgress(_) => "INPROGRESS",
            Self::Limit => "LIMIT",
            Self::MailboxId(_) => "MAILBOXID",
            Self::Modified(_) => "MODIFIED",
            Self::NonExistent => "NONEXISTENT",
            Self::OverQuota => "OVERQUOTA",
            Self::PermanentFlags { .. } => "PERMANENTFLAGS",
            Self::PrivacyRequired => "PRIVACYREQUIRED",
            Self::ReadOnly => "READ-ONLY",
            Self::ReadWrite => "READ-WRITE",
            Self::TooBig => "TOOBIG",
            Self::TryCreate => "TRYCREATE",
            Self::UidNext(_) => "UIDNEXT",
            Self::UidRequired => "UIDREQUIRED",
            Self::UidValidity(_) => "UIDVALIDITY",
            Self::Unavailable => "UNAVAILABLE",
            Self::UnknownCte => "UNKNOWN-CTE",
            Self::Unseen(_) => "UNSEEN",
            Self::UseAttr => "USEATTR",
        }
    }

    /// Appends `NAME` or `NAME SP arguments`, without the brackets.
    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.raw(self.name().as_bytes());
        match self {
            Self::AppendUid(validity, uids) => {
                number(writer, u64::from(validity.value()));
                set(writer, uids);
            }
            Self::BadCharset(charsets) => bad_charset(writer, charsets),
            Self::Capability(names) => {
                for name in names {
                    writer.raw(b" ");
                    writer.raw(name.as_bytes());
                }
            }
            Self::CopyUid(validity, source, new) => {
                number(writer, u64::from(validity.value()));
                set(writer, source);
                set(writer, new);
            }
            Self::HighestModseq(modseq) => number(writer, modseq.0),
            Self::InProgress(Some(progress)) => progress.write(writer),
            Self::MailboxId(id) => {
                writer.raw(b" (");
                writer.raw(objectid::mailbox_id(*id).as_bytes());
                writer.raw(b")");
            }
            Self::Modified(messages) => set(writer, messages),
            Self::PermanentFlags { flags, keywords, more } => {
                writer.raw(b" ");
                writer.permanent_flags(*flags, keywords, *more);
            }
            Self::UidNext(uid) => number(writer, u64::from(*uid)),
            Self::UidValidity(validity) => number(writer, u64::from(validity.value())),
            Self::Unseen(message) => number(writer, u64::from(message.value())),
            _ => {}
        }
    }
}

impl Progress<'_> {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.raw(b" (");
        writer.quoted(self.tag.as_bytes());
        number(writer, u64::from(self.done));
        match self.goal {
            Some(goal) => number(writer, u64::from(goal)),
            None => writer.raw(b" NIL"),
        }
        writer.raw(b")");
    }
}

fn number(writer: &mut Writer<'_>, value: u64) {
    writer.raw(b" ");
    writer.number(value);
}

fn set(writer: &mut Writer<'_>, uids: &UidSet) {
    writer.raw(b" ");
    writer.uid_set(uids);
}

fn bad_charset(writer: &mut Writer<'_>, charsets: &[&str]) {
    for (place, charset) in charsets.iter().enumerate() {
        writer.raw(if place == 0 { b" (" } else { b" " });
        writer.astring(charset.as_bytes());
    }
    if !charsets.is_empty() {
        writer.raw(b")");
    }
}

#[cfg(test)]
mod tests;
