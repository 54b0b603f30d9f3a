//! A journal in memory, and short ways to say what is in it.
#![allow(dead_code, reason = "each test program uses its part")]

use std::sync::Arc;

use account::{
    Account, BlobId, Draft, Entry, FlagNames, Flags, InternalDate, Mailbox, MailboxFacts, MailboxId,
    MailboxName, Millis, Modseq, NewMailbox, NewMessage, Receipt, Refusal, Rights, SystemFlag, Uid, UidSet,
};

/// An account with INBOX, and every entry written to it.
pub struct Journal {
    pub account: Account,
    pub entries: Vec<Vec<u8>>,
    pub now: Millis,
}

impl Journal {
    pub fn new() -> Self {
        let mut journal = Self::empty();
        journal.must(&Draft::Create { mailboxes: vec![new_mailbox("INBOX")] });
        journal
    }

    pub fn empty() -> Self {
        Self { account: Account::default(), entries: Vec::new(), now: Millis(1_700_000_000_000) }
    }

    pub fn decide(&self, draft: &Draft, rights: Rights) -> Result<(Option<Entry>, Receipt), Refusal> {
        draft.decide(&self.account, rights, Modseq(self.account.head().0 + 1), self.now)
    }

    /// Decides as the owner and writes.
    fn commit(&mut self, draft: &Draft) -> Result<Receipt, Refusal> {
        let (entry, receipt) = self.decide(draft, Rights::OWNER)?;
        if let Some(entry) = entry {
            let bytes = entry.encode(self.account.chain());
            let (read, chain) =
                Entry::decode(&bytes, self.account.chain()).expect("what was written can be read");
            assert_eq!(read, entry);
            self.account.apply(&entry, chain);
            self.entries.push(bytes);
        }
        Ok(receipt)
    }

    /// Something must have been written.
    pub fn must(&mut self, draft: &Draft) -> Receipt {
        let before = self.account.head();
        let receipt = self.commit(draft).unwrap_or_else(|refusal| panic!("{draft:?}: {refusal}"));
        assert_eq!(receipt.modseq, Some(self.account.head()), "{draft:?}");
        assert!(self.account.head() > before);
        receipt
    }

    /// Nothing must have been written, without a refusal.
    pub fn nothing(&mut self, draft: &Draft) -> Receipt {
        let before = self.account.head();
        let receipt = self.commit(draft).unwrap_or_else(|refusal| panic!("{draft:?}: {refusal}"));
        assert_eq!((receipt.modseq, self.account.head()), (None, before), "{draft:?}");
        receipt
    }

    pub fn refused(&self, draft: &Draft) -> Refusal {
        self.decide(draft, Rights::OWNER).expect_err("should be refused")
    }

    pub fn facts(&self, at: &str) -> Arc<MailboxFacts> {
        Arc::clone(self.account.directory().mailbox(&name(at)).expect("the mailbox exists"))
    }

    pub fn id(&self, at: &str) -> MailboxId {
        self.facts(at).id
    }

    pub fn columns(&self, at: &str) -> Arc<Mailbox> {
        Arc::clone(self.account.loaded(self.id(at)).expect("the mailbox is loaded"))
    }

    /// So many messages, in one entry.
    pub fn append(&mut self, at: &str, count: u64) -> Receipt {
        let mailbox = self.id(at);
        self.must(&Draft::Append { mailbox, messages: (1..=count).map(message).collect() })
    }

    pub fn store(&mut self, at: &str, uids: UidSet, op: account::FlagOp, flags: FlagNames) -> Receipt {
        let mailbox = self.id(at);
        self.must(&Draft::Store { mailbox, uids, op, flags, unchanged_since: None })
    }

    pub fn expunge(&mut self, at: &str, uids: UidSet) -> Receipt {
        let mailbox = self.id(at);
        self.must(&Draft::Expunge { mailbox, uids, only_deleted: false })
    }
}

pub fn name(text: &str) -> MailboxName {
    MailboxName::new(text).expect("a name")
}

pub fn new_mailbox(text: &str) -> NewMailbox {
    NewMailbox { name: name(text), roles: vec![], subscribe: false, uid_validity: None }
}

pub fn message(number: u64) -> NewMessage {
    NewMessage {
        blob: BlobId(number.max(1)),
        size: 1_000 + number,
        internal_date: InternalDate { seconds: 1_650_000_000 + number as i64 * 60, zone_minutes: 60 },
        flags: FlagNames::default(),
        uid: None,
    }
}

pub fn seen() -> FlagNames {
    FlagNames { system: Flags::system(SystemFlag::Seen), keywords: vec![] }
}

pub fn deleted(number: u64) -> NewMessage {
    let flags = FlagNames { system: Flags::system(SystemFlag::Deleted), keywords: vec![] };
    NewMessage { flags, ..message(number) }
}

pub fn with_keyword(number: u64, keyword: &str) -> NewMessage {
    let flags = FlagNames { system: Flags::NONE, keywords: vec![keyword.into()] };
    NewMessage { flags, ..message(number) }
}

pub fn set(ranges: &[(u32, u32)]) -> UidSet {
    UidSet::from_ranges(ranges.iter().copied())
}

pub fn plain(set: &UidSet) -> Vec<u32> {
    set.iter().map(Uid::value).collect()
}
