//! The byte format of changes (`docs/journal.md`, section 3).

use crate::pack::{Packer, Unpacker, unzigzag, zigzag};
use crate::{
    AccountId, BlobId, Change, Counts, DecodeError, FlagOp, Flags, InternalDate, MailboxId, MailboxName,
    Millis, PlacedMessage, ROLES, Uid, UidValidity,
};

/// First byte of each change. Numbers are never given anew.
mod kind {
    pub(super) const MAILBOX_CREATED: u8 = 1;
    pub(super) const MAILBOX_RENAMED: u8 = 2;
    pub(super) const MAILBOX_DELETED: u8 = 3;
    pub(super) const ROLES_SET: u8 = 4;
    pub(super) const SUBSCRIBED: u8 = 5;
    pub(super) const UNSUBSCRIBED: u8 = 6;
    pub(super) const KEYWORD_ADDED: u8 = 7;
    pub(super) const APPENDED: u8 = 8;
    pub(super) const FLAGGED: u8 = 9;
    pub(super) const EXPUNGED: u8 = 10;
    pub(super) const REVALIDATED: u8 = 11;
    pub(super) const ACCOUNT_ADDED: u8 = 12;
    pub(super) const CREDENTIAL_SET: u8 = 13;
    pub(super) const ACCOUNT_REMOVED: u8 = 14;
}

impl Change {
    /// `time` is the entry's: dates close to it are short.
    pub(crate) fn pack(&self, time: Millis, out: &mut Packer) {
        match self {
            Self::MailboxCreated { mailbox, name, uid_validity, uid_next } => {
                pack_head(out, kind::MAILBOX_CREATED, *mailbox);
                out.text(name.as_str());
                out.varint(uid_validity.value().into());
                out.varint((*uid_next).into());
            }
            Self::MailboxRenamed { mailbox, name } => {
                pack_head(out, kind::MAILBOX_RENAMED, *mailbox);
                out.text(name.as_str());
            }
            Self::MailboxDeleted { mailbox } => pack_head(out, kind::MAILBOX_DELETED, *mailbox),
            Self::RolesSet { mailbox, roles } => {
                pack_head(out, kind::ROLES_SET, *mailbox);
                pack_texts(roles, out);
            }
            Self::Subscribed { name } => pack_text(out, kind::SUBSCRIBED, name.as_str()),
            Self::Unsubscribed { name } => pack_text(out, kind::UNSUBSCRIBED, name.as_str()),
            Self::KeywordAdded { mailbox, name } => {
                pack_head(out, kind::KEYWORD_ADDED, *mailbox);
                out.text(name);
            }
            Self::Appended { mailbox, messages, counts } => {
                pack_head(out, kind::APPENDED, *mailbox);
                pack_messages(messages, time, out);
                counts.pack(out);
            }
            Self::Flagged { mailbox, uids, op, flags, counts } => {
                pack_head(out, kind::FLAGGED, *mailbox);
                out.uid_set(uids);
                out.u8(op_number(*op));
                out.varint(flags.0);
                counts.pack(out);
            }
            Self::Expunged { mailbox, uids, counts } => {
                pack_head(out, kind::EXPUNGED, *mailbox);
                out.uid_set(uids);
                counts.pack(out);
            }
            Self::Revalidated { mailbox, uid_validity, uid_next } => {
                pack_head(out, kind::REVALIDATED, *mailbox);
                out.varint(uid_validity.value().into());
                out.varint((*uid_next).into());
            }
            Self::AccountAdded { account, name } => {
                out.u8(kind::ACCOUNT_ADDED);
                out.varint(account.0);
                out.text(name);
            }
            Self::CredentialSet { account, credential } => {
                out.u8(kind::CREDENTIAL_SET);
                out.varint(account.0);
                out.text(credential);
            }
            Self::AccountRemoved { account } => {
                out.u8(kind::ACCOUNT_REMOVED);
                out.varint(account.0);
            }
        }
    }

    pub(crate) fn unpack(time: Millis, bytes: &mut Unpacker<'_>) -> Result<Self, DecodeError> {
        let kind = bytes.u8()?;
        Ok(match kind {
            kind::SUBSCRIBED => Self::Subscribed { name: unpack_name(bytes)? },
            kind::UNSUBSCRIBED => Self::Unsubscribed { name: unpack_name(bytes)? },
            kind::ACCOUNT_ADDED => {
                Self::AccountAdded { account: AccountId(bytes.varint()?), name: bytes.text()?.to_owned() }
            }
            kind::CREDENTIAL_SET => Self::CredentialSet {
                account: AccountId(bytes.varint()?),
                credential: bytes.text()?.to_owned(),
            },
            kind::ACCOUNT_REMOVED => Self::AccountRemoved { account: AccountId(bytes.varint()?) },
            kind::MAILBOX_CREATED..=kind::REVALIDATED => {
                let mailbox = MailboxId(bytes.varint()?);
                Self::unpack_of_mailbox(kind, mailbox, time, bytes)?
            }
            _ => return Err(DecodeError::Unknown("kind of change", kind.into())),
        })
    }

    fn unpack_of_mailbox(
        kind: u8,
        mailbox: MailboxId,
        time: Millis,
        bytes: &mut Unpacker<'_>,
    ) -> Result<Self, DecodeError> {
        Ok(match kind {
            kind::MAILBOX_CREATED => Self::MailboxCreated {
                mailbox,
                name: unpack_name(bytes)?,
                uid_validity: unpack_uid_validity(bytes)?,
                uid_next: bytes.varint32()?,
            },
            kind::MAILBOX_RENAMED => Self::MailboxRenamed { mailbox, name: unpack_name(bytes)? },
            kind::MAILBOX_DELETED => Self::MailboxDeleted { mailbox },
            kind::ROLES_SET => Self::RolesSet { mailbox, roles: unpack_texts(bytes, ROLES.len())? },
            kind::KEYWORD_ADDED => Self::KeywordAdded { mailbox, name: bytes.text()?.to_owned() },
            kind::APPENDED => {
                let messages = unpack_messages(time, bytes)?;
                Self::Appended { mailbox, messages, counts: Counts::unpack(bytes)? }
            }
            kind::FLAGGED => Self::Flagged {
                mailbox,
                uids: bytes.uid_set()?,
                op: op_of_number(bytes.u8()?)?,
                flags: Flags(bytes.varint()?),
                counts: Counts::unpack(bytes)?,
            },
            kind::EXPUNGED => {
                Self::Expunged { mailbox, uids: bytes.uid_set()?, counts: Counts::unpack(bytes)? }
            }
            kind::REVALIDATED => Self::Revalidated {
                mailbox,
                uid_validity: unpack_uid_validity(bytes)?,
                uid_next: bytes.varint32()?,
            },
            _ => return Err(DecodeError::Unknown("kind of change", kind.into())),
        })
    }
}

fn pack_head(out: &mut Packer, kind: u8, mailbox: MailboxId) {
    out.u8(kind);
    out.varint(mailbox.0);
}

fn pack_text(out: &mut Packer, kind: u8, text: &str) {
    out.u8(kind);
    out.text(text);
}

pub(crate) fn pack_texts(texts: &[String], out: &mut Packer) {
    out.count(texts.len());
    for text in texts {
        out.text(text);
    }
}

pub(crate) fn unpack_texts(bytes: &mut Unpacker<'_>, count_max: usize) -> Result<Vec<String>, DecodeError> {
    let count = bytes.count(1)?;
    if count > count_max {
        return Err(DecodeError::Damaged("too many texts"));
    }
    (0..count).map(|_| bytes.text().map(str::to_owned)).collect()
}

pub(crate) fn unpack_name(bytes: &mut Unpacker<'_>) -> Result<MailboxName, DecodeError> {
    MailboxName::stored(bytes.text()?).map_err(|_| DecodeError::Damaged("mailbox name"))
}

pub(crate) fn unpack_uid_validity(bytes: &mut Unpacker<'_>) -> Result<UidValidity, DecodeError> {
    UidValidity::new(bytes.varint32()?).ok_or(DecodeError::Damaged("UIDVALIDITY is zero"))
}

const fn op_number(op: FlagOp) -> u8 {
    match op {
        FlagOp::Add => 0,
        FlagOp::Remove => 1,
        FlagOp::Replace => 2,
    }
}

fn op_of_number(number: u8) -> Result<FlagOp, DecodeError> {
    match number {
        0 => Ok(FlagOp::Add),
        1 => Ok(FlagOp::Remove),
        2 => Ok(FlagOp::Replace),
        _ => Err(DecodeError::Unknown("flag operation", number.into())),
    }
}

impl Counts {
    pub(crate) fn pack(&self, out: &mut Packer) {
        out.varint(self.messages.into());
        out.varint(self.unseen.into());
        out.varint(self.deleted.into());
        out.varint(self.size);
    }

    pub(crate) fn unpack(bytes: &mut Unpacker<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            messages: bytes.varint32()?,
            unseen: bytes.varint32()?,
            deleted: bytes.varint32()?,
            size: bytes.varint()?,
        })
    }
}

/// The columns of appended messages as numbers, each turned so that neighbours differ by little.
const COLUMNS: [fn(&PlacedMessage, Millis) -> u64; 7] = [
    |message, _| message.uid.value().into(),
    |message, _| message.blob.0,
    |message, _| message.size,
    |message, time| message.internal_date.seconds.wrapping_sub((time.0 / 1_000) as i64) as u64,
    |message, _| i64::from(message.internal_date.zone_minutes) as u64,
    |message, _| message.flags.0,
    |message, time| match message.save_date {
        None => 0,
        Some(date) => zigzag(date.0.wrapping_sub(time.0) as i64).wrapping_add(1),
    },
];

/// The columns that may stand as "all the same". UIDs and blobs never do, so that a message always takes two bytes or
/// more and an announced count can be held against the bytes there are.
const FIRST_FOLDABLE_COLUMN: usize = 2;

const EACH: u8 = 0;
const ALL_THE_SAME: u8 = 1;

fn pack_messages(messages: &[PlacedMessage], time: Millis, out: &mut Packer) {
    out.count(messages.len());
    for (index, column) in COLUMNS.iter().enumerate() {
        let values = messages.iter().map(|message| column(message, time));
        if index >= FIRST_FOLDABLE_COLUMN {
            let first = values.clone().next();
            if let Some(first) = first.filter(|&first| values.clone().all(|value| value == first)) {
                out.u8(ALL_THE_SAME);
                out.zigzag(first as i64);
                continue;
            }
            out.u8(EACH);
        }
        let mut before = 0u64;
        for value in values {
            out.zigzag(value.wrapping_sub(before) as i64);
            before = value;
        }
    }
}

fn unpack_messages(time: Millis, bytes: &mut Unpacker<'_>) -> Result<Vec<PlacedMessage>, DecodeError> {
    let count = bytes.count(2)?;
    if count > crate::limits::ENTRY_MESSAGES_MAX {
        return Err(DecodeError::Damaged("too many messages"));
    }
    let mut columns: [Vec<u64>; COLUMNS.len()] = Default::default();
    for (index, column) in columns.iter_mut().enumerate() {
        *column = unpack_column(count, index >= FIRST_FOLDABLE_COLUMN, bytes)?;
    }
    let [uids, blobs, sizes, dates, zones, flags, save_dates] = &columns;
    let mut messages = Vec::with_capacity(count);
    let mut before = 0;
    for at in 0..count {
        let uid = u32::try_from(uids[at]).ok().filter(|&uid| uid > before).and_then(Uid::new);
        let uid = uid.ok_or(DecodeError::Damaged("UIDs do not rise"))?;
        before = uid.value();
        let zone_minutes = i16::try_from(zones[at] as i64).map_err(|_| DecodeError::Damaged("zone"))?;
        messages.push(PlacedMessage {
            uid,
            blob: BlobId(blobs[at]),
            size: sizes[at],
            internal_date: InternalDate {
                seconds: (dates[at] as i64).wrapping_add((time.0 / 1_000) as i64),
                zone_minutes,
            },
            flags: Flags(flags[at]),
            save_date: save_dates[at]
                .checked_sub(1)
                .map(|turned| Millis(time.0.wrapping_add(unzigzag(turned) as u64))),
        });
    }
    Ok(messages)
}

fn unpack_column(count: usize, foldable: bool, bytes: &mut Unpacker<'_>) -> Result<Vec<u64>, DecodeError> {
    match if foldable { bytes.u8()? } else { EACH } {
        ALL_THE_SAME => Ok(vec![bytes.zigzag()? as u64; count]),
        EACH => {
            let mut before = 0u64;
            (0..count)
                .map(|_| {
                    before = before.wrapping_add(bytes.zigzag()? as u64);
                    Ok(before)
                })
                .collect()
        }
        form => Err(DecodeError::Unknown("form of a column", form.into())),
    }
}
