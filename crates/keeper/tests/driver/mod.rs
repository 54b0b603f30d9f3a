//! Drives a keeper from plain threads: a clock that is set by hand, messages in few words, and a store that can be held up.

#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod gated;
mod promises;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use account::{
    Account, AccountId, Accounts, BlobId, CommitError, Draft, Entry, FlagNames, FlagOp, Flags, InternalDate,
    Mailbox, MailboxId, MailboxName, Millis, NewMessage, OpenAccount, Receipt, SystemFlag, UidSet,
};
use keeper::{Keeper, Settings};
use store::{AccountKey, Maintenance};

pub use gated::Gated;
pub use promises::{Promises, live, settings};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls a future once.
pub fn poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Poll<T> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Counts its wakes.
#[derive(Default)]
pub struct Wakes(AtomicU64);

impl Wakes {
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A keeper whose clock stands still until it is moved.
pub struct House {
    pub keeper: Arc<Keeper>,
    now: Arc<AtomicU64>,
}

/// Settings under which nothing happens by itself.
pub fn calm() -> Settings {
    Settings::default()
}

/// Settings of a node among several over one store.
pub fn one_of_many() -> Settings {
    Settings { sole_writer: false, ..calm() }
}

impl House {
    pub fn new(store: Arc<dyn Maintenance>) -> Self {
        Self::with(store, calm())
    }

    pub fn with(store: Arc<dyn Maintenance>, settings: Settings) -> Self {
        let now = Arc::new(AtomicU64::new(1_800_000_000_000));
        let clock = Arc::clone(&now);
        let keeper = Keeper::new(store, Arc::new(move || Millis(clock.load(Ordering::SeqCst))), settings);
        Self { keeper: Arc::new(keeper), now }
    }

    pub fn pass(&self, time: Millis) {
        self.now.fetch_add(time.0, Ordering::SeqCst);
    }

    /// A keeper over `store` with one account, which is open.
    pub fn with_ann(store: Arc<dyn Maintenance>) -> (Self, Desk) {
        let house = Self::new(store);
        let ann = house.create("ann@example.org");
        let desk = house.open(ann);
        (house, desk)
    }

    pub fn create(&self, name: &str) -> AccountId {
        wait(self.keeper.create_account(name.into(), None)).unwrap()
    }

    pub fn open(&self, account: AccountId) -> Desk {
        Desk { id: account, open: wait(self.keeper.open(account)).unwrap() }
    }

    pub fn housekeep(&self) {
        wait(self.keeper.housekeeping());
    }

    /// Time passes until whoever is not held sleeps.
    pub fn night(&self) {
        self.pass(calm().sleep_after);
        self.housekeep();
    }
}

/// An open account, with the usual commands in few words.
#[derive(Clone)]
pub struct Desk {
    pub id: AccountId,
    pub open: Arc<dyn OpenAccount>,
}

pub type Committed = Result<Receipt, CommitError>;

impl Desk {
    pub fn account(&self) -> Arc<Account> {
        self.open.account()
    }

    pub fn mailbox_id(&self, name: &str) -> MailboxId {
        self.account().directory().mailbox(&MailboxName::new(name).unwrap()).unwrap().id
    }

    pub fn inbox(&self) -> MailboxId {
        self.mailbox_id("INBOX")
    }

    pub fn columns(&self, mailbox: MailboxId) -> Arc<Mailbox> {
        wait(self.open.mailbox(mailbox)).unwrap().unwrap()
    }

    /// UIDs in INBOX.
    pub fn uids(&self) -> Vec<u32> {
        self.columns(self.inbox()).rows().map(|row| row.uid.value()).collect()
    }

    pub fn commit(&self, draft: Draft) -> Committed {
        wait(self.open.commit(draft))
    }

    pub fn upload(&self, octets: &[u8]) -> Result<BlobId, CommitError> {
        let mut upload = self.open.upload();
        wait(upload.write(octets))?;
        wait(upload.finish())
    }

    /// Uploads a small message and appends it to a mailbox.
    pub fn append_to(&self, mailbox: MailboxId, subject: &str) -> Committed {
        let blob = self.upload(message(subject).as_bytes())?;
        self.commit(append(mailbox, &[blob]))
    }

    pub fn append(&self, subject: &str) -> Committed {
        self.append_to(self.inbox(), subject)
    }

    pub fn flag(&self, uids: &[u32], flag: SystemFlag) -> Committed {
        self.commit(store(self.inbox(), uids, FlagOp::Add, flag))
    }

    pub fn expunge(&self, uids: &[u32]) -> Committed {
        self.commit(Draft::Expunge { mailbox: self.inbox(), uids: set(uids), only_deleted: false })
    }
}

pub fn message(subject: &str) -> String {
    format!("From: ann@example.org\r\nSubject: {subject}\r\n\r\nText of {subject}.\r\n")
}

pub fn set(uids: &[u32]) -> UidSet {
    UidSet::from_ranges(uids.iter().map(|&uid| (uid, uid)))
}

pub fn append(mailbox: MailboxId, blobs: &[BlobId]) -> Draft {
    let message = |&blob: &BlobId| NewMessage {
        blob,
        size: 100,
        internal_date: InternalDate { seconds: 1_800_000_000, zone_minutes: 60 },
        flags: FlagNames::default(),
        uid: None,
    };
    Draft::Append { mailbox, messages: blobs.iter().map(message).collect() }
}

pub fn store(mailbox: MailboxId, uids: &[u32], op: FlagOp, flag: SystemFlag) -> Draft {
    let flags = FlagNames { system: Flags::system(flag), keywords: Vec::new() };
    Draft::Store { mailbox, uids: set(uids), op, flags, unchanged_since: None }
}

pub fn create(name: &str) -> Draft {
    let mailbox = account::NewMailbox {
        name: MailboxName::new(name).unwrap(),
        roles: Vec::new(),
        subscribe: false,
        uid_validity: None,
    };
    Draft::Create { mailboxes: vec![mailbox] }
}

pub fn subscribe(name: &str) -> Draft {
    Draft::Subscribe { name: MailboxName::new(name).unwrap() }
}

/// All there is to say about an account, whichever way it was come by: names, facts, subscriptions, every row, what vanished.
pub fn portrait(house: &House, account: AccountId) -> Vec<String> {
    let desk = house.open(account);
    let state = desk.account();
    let mut lines = vec![format!("head {:?} chain {}", state.head(), state.chain())];
    lines.push(format!("subscribed {:?}", state.directory().subscriptions()));
    lines.push(format!("roster {:?}", state.directory().roster()));
    for facts in state.directory().mailboxes() {
        lines.push(format!("{facts:?}"));
        let columns = desk.columns(facts.id);
        lines.extend(columns.rows().map(|row| format!("{row:?}")));
        lines.push(format!("vanished {:?}", columns.vanished_since(account::Modseq(1))));
    }
    lines
}

/// The account folded by the plain law from everything that was ever appended, for journals that no checkpoint has cut.
pub fn fold_all(store: &dyn Maintenance, account: AccountId) -> Account {
    let entries = wait(store.read(AccountKey(account.0), 0, usize::MAX)).unwrap();
    let mut folded = Account::default();
    for stored in entries {
        let (entry, chain) = Entry::decode(&stored.bytes, folded.chain()).unwrap();
        folded.apply(&entry, chain);
    }
    folded
}
