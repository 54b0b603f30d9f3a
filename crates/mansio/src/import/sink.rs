//! The receiving end of an import: one mailbox, filled in batches, skipping what is there already.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::{self, Read};
use std::ops::AddAssign;
use std::sync::Arc;
use std::time::{Duration, Instant};

use account::{
    BlobId, CommitError, Draft, FlagNames, InternalDate, KEYWORDS_MAX, Mailbox, MailboxFacts, MailboxName,
    NewMailbox, NewMessage, OpenAccount, Uid, UidValidity,
};

use super::batch::Batches;
use super::crlf::ToCrlf;
use super::keywords::is_keyword;
use crate::control::{Event, Events};
use crate::data::{commit_failure, fault};
use crate::failure::Failure;
use crate::limits::COPY_BYTES_MAX;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// Where the messages come from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin {
    /// UIDVALIDITY there, if UIDs are known.
    pub uid_validity: Option<UidValidity>,
    /// UIDNEXT there: no UID below it may be given to another message here.
    pub uid_next: u32,
    /// How many messages there are, if that is known.
    pub total: Option<u64>,
}

/// One message on its way in.
pub struct Incoming<'a> {
    /// Its UID where it comes from.
    pub uid: Option<Uid>,
    /// Flags and keywords.
    pub flags: FlagNames,
    /// When it was received.
    pub date: InternalDate,
    /// What a person would call it, e.g. its file.
    pub label: &'a str,
    /// Its octets; lone LFs become CRLF.
    pub body: &'a mut dyn Read,
    /// Octets that `body` gives if it is whole, where that is known.
    pub stated_bytes: Option<u64>,
}

/// What became of messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Brought in.
    pub new: u64,
    /// Were here.
    pub present: u64,
    /// Were here and removed since.
    pub removed: u64,
    /// Could not be read.
    pub broken: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.present += other.present;
        self.removed += other.removed;
        self.broken += other.broken;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} messages brought in", self.new)?;
        if self.present > 0 {
            write!(f, ", {} were here already", self.present)?;
        }
        if self.removed > 0 {
            write!(f, ", {} left out that were removed here (--removed-too brings them back)", self.removed)?;
        }
        if self.broken > 0 {
            write!(f, ", {} could not be read", self.broken)?;
        }
        f.write_str(".")
    }
}

/// A mailbox being filled.
pub struct Sink {
    account: Arc<dyn OpenAccount>,
    events: Events,
    facts: Arc<MailboxFacts>,
    /// The mailbox as it was before.
    before: Arc<Mailbox>,
    /// Its messages by date and size that no incoming one was found equal to yet.
    unmatched: HashMap<(i64, u64), Vec<BlobId>>,
    /// UIDs are taken over.
    keeps_uids: bool,
    removed_too: bool,
    keywords: BTreeSet<String>,
    batches: Batches,
    counts: Counts,
    origin: Origin,
    told: Instant,
}

/// What reading a message gave.
enum Taken {
    New(BlobId, u64),
    Present,
}

/// Why a message was not taken.
enum Trouble {
    /// It cannot be read; the import goes on without it.
    Source(io::Error),
    /// The account cannot take it; the import ends.
    Account(Failure),
}

impl Sink {
    /// Begins with the mailbox of that name. If it is new, or never held a message, it takes over the UIDVALIDITY of where the
    /// messages come from, and then their UIDs.
    ///
    /// # Errors
    /// When it cannot be created or opened.
    pub async fn open(
        account: Arc<dyn OpenAccount>,
        name: &MailboxName,
        origin: Origin,
        removed_too: bool,
        events: Events,
    ) -> Result<Self, Failure> {
        let facts = prepare(account.as_ref(), name, origin.uid_validity).await?;
        let keeps_uids = origin.uid_validity == Some(facts.uid_validity);
        if origin.uid_validity.is_some() && !keeps_uids {
            let text =
                format!("{name} held mail before, so messages get new UIDs and clients load them again.");
            events.line(text).await;
        }
        let before = account.mailbox(facts.id).await.map_err(|error| fault(&error))?.unwrap_or_default();
        let mut unmatched: HashMap<_, Vec<_>> = HashMap::new();
        for row in before.rows() {
            unmatched.entry((row.internal_date.seconds, row.size)).or_default().push(row.blob);
        }
        let batches = Batches::new(Arc::clone(&account), facts.id);
        let keywords = facts.keywords.0.iter().map(|name| name.to_ascii_lowercase()).collect();
        Ok(Self {
            account,
            events,
            facts,
            before,
            unmatched,
            keeps_uids,
            removed_too,
            keywords,
            batches,
            counts: Counts::default(),
            origin,
            told: Instant::now(),
        })
    }

    /// Takes a message, or finds that it is here.
    ///
    /// # Errors
    /// When the account can take no more. A message that cannot be read is told and left out.
    pub async fn message(&mut self, incoming: Incoming<'_>) -> Result<(), Failure> {
        self.tell_progress().await;
        let passed = self.keeps_uids && incoming.uid.is_some_and(|uid| uid.value() < self.before.uid_next());
        if passed && let Some(row) = incoming.uid.and_then(|uid| self.before.row(uid)) {
            // The same UID under the same UIDVALIDITY with the same date is the same message. (Not so if mail was delivered
            // here and there after an earlier import; then the date differs, and the content decides below.)
            if row.internal_date.seconds == incoming.date.seconds {
                self.forget(row.internal_date.seconds, row.size, row.blob);
                self.counts.present += 1;
                return Ok(());
            }
        } else if passed && !self.removed_too {
            self.counts.removed += 1;
            return Ok(());
        }
        let (label, uid, date) =
            (incoming.label, incoming.uid.filter(|_| self.keeps_uids && !passed), incoming.date);
        let flags = self.known_flags(&incoming.flags, label).await;
        match self.read(incoming).await {
            Ok(Taken::New(blob, size)) => {
                if uid.is_none() {
                    self.raise_uid_next().await?;
                }
                self.batches.push(NewMessage { blob, size, internal_date: date, flags, uid }).await?;
            }
            Ok(Taken::Present) => self.counts.present += 1,
            Err(Trouble::Source(error)) => self.broken(label, &error).await,
            Err(Trouble::Account(failure)) => return Err(failure),
        }
        Ok(())
    }

    /// A message that could not even be begun.
    pub async fn broken(&mut self, label: &str, error: &io::Error) {
        self.counts.broken += 1;
        self.events.skipped(format!("{label}: {error}")).await;
    }

    /// Ends with the mailbox.
    ///
    /// # Errors
    /// When the last batch cannot be committed.
    pub async fn close(mut self) -> Result<Counts, Failure> {
        self.raise_uid_next().await?;
        self.counts.new = self.batches.settle().await?;
        Ok(self.counts)
    }

    /// Commits what came with UIDs, then lifts UIDNEXT to where it stands at the origin, so that no UID that was used there
    /// is given to another message here. Not before: then a run that was cut short could not go on.
    async fn raise_uid_next(&mut self) -> Result<(), Failure> {
        let uid_next = std::mem::take(&mut self.origin.uid_next);
        if !self.keeps_uids || uid_next == 0 {
            return Ok(());
        }
        self.batches.settle().await?;
        let MailboxFacts { id, uid_validity, .. } = *self.facts;
        let draft = Draft::Revalidate { mailbox: id, uid_validity, uid_next };
        self.account.commit(draft).await.map(drop).map_err(|error| commit_failure(&error))
    }

    /// Uploads a message, unless it turns out to be here.
    async fn read(&mut self, incoming: Incoming<'_>) -> Result<Taken, Trouble> {
        let account = |error: CommitError| Trouble::Account(commit_failure(&error));
        let mut upload = self.account.upload();
        let (mut piece, mut octets) = (vec![0; COPY_BYTES_MAX], Vec::with_capacity(COPY_BYTES_MAX + 1024));
        let (mut convert, mut hasher) = (ToCrlf::default(), blake3::Hasher::new());
        let (mut raw_bytes, mut size) = (0u64, 0u64);
        loop {
            let got = match incoming.body.read(&mut piece) {
                Ok(0) => break,
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Trouble::Source(error)),
            };
            octets.clear();
            convert.convert(&piece[..got], &mut octets);
            raw_bytes += got as u64;
            size += octets.len() as u64;
            hasher.update(&octets);
            upload.write(&octets).await.map_err(account)?;
        }
        if size == 0 {
            return Err(Trouble::Source(io::Error::new(io::ErrorKind::InvalidData, "is empty")));
        }
        if self.matches(incoming.date.seconds, size, hasher.finalize()).await {
            return Ok(Taken::Present);
        }
        if let Some(stated) = incoming.stated_bytes.filter(|&stated| stated != raw_bytes) {
            let label = incoming.label;
            let text =
                format!("{label}: has {raw_bytes} octets and should have {stated}; brought in as it is");
            self.events.skipped(text).await;
        }
        upload.finish().await.map(|blob| Taken::New(blob, size)).map_err(account)
    }

    /// Is a message of that date, size and content here, and not the counterpart of another incoming one? Two equal ones there
    /// are two here.
    async fn matches(&mut self, seconds: i64, size: u64, content: blake3::Hash) -> bool {
        let candidates = self.unmatched.get(&(seconds, size)).cloned().unwrap_or_default();
        for blob in candidates {
            if hash_of(self.account.as_ref(), blob, size).await == Some(content) {
                self.forget(seconds, size, blob);
                return true;
            }
        }
        false
    }

    fn forget(&mut self, seconds: i64, size: u64, blob: BlobId) {
        if let Some(blobs) = self.unmatched.get_mut(&(seconds, size))
            && let Some(at) = blobs.iter().position(|&other| other == blob)
        {
            blobs.swap_remove(at);
        }
    }

    /// The flags without keywords that cannot be kept; those are told.
    async fn known_flags(&mut self, flags: &FlagNames, label: &str) -> FlagNames {
        let mut known = FlagNames { system: flags.system, keywords: Vec::new() };
        for keyword in &flags.keywords {
            let folded = keyword.to_ascii_lowercase();
            let fits = self.keywords.contains(&folded)
                || is_keyword(keyword) && self.keywords.len() < KEYWORDS_MAX && self.keywords.insert(folded);
            if fits {
                known.keywords.push(keyword.clone());
            } else {
                let text = format!(
                    "{label}: without its keyword {keyword:?}, which {} cannot keep",
                    self.facts.name
                );
                self.events.skipped(text).await;
            }
        }
        known
    }

    async fn tell_progress(&mut self) {
        if self.told.elapsed() < TELL_EVERY {
            return;
        }
        self.told = Instant::now();
        let Counts { present, removed, broken, .. } = self.counts;
        let done = self.batches.taken() + present + removed + broken;
        let what = self.facts.name.to_string();
        self.events.tell(Event::Progress { what, done, total: self.origin.total }).await;
    }
}

/// The mailbox, created or given its UIDVALIDITY if that is still possible.
async fn prepare(
    account: &dyn OpenAccount,
    name: &MailboxName,
    uid_validity: Option<UidValidity>,
) -> Result<Arc<MailboxFacts>, Failure> {
    let facts = |account: &dyn OpenAccount| account.account().directory().mailbox(name).cloned();
    let draft = match facts(account) {
        None => Some(Draft::Create {
            mailboxes: vec![NewMailbox {
                name: name.clone(),
                roles: Vec::new(),
                subscribe: false,
                uid_validity,
            }],
        }),
        Some(facts) if facts.uid_next == 1 => uid_validity.map(|uid_validity| Draft::Revalidate {
            mailbox: facts.id,
            uid_validity,
            uid_next: 1,
        }),
        Some(_) => None,
    };
    if let Some(draft) = draft {
        account.commit(draft).await.map_err(|error| commit_failure(&error))?;
    }
    facts(account).ok_or_else(|| Failure::new(format!("{name} was removed while it was being filled")))
}

/// Hash of a message that is here; `None` when it cannot be read, and then it equals nothing.
async fn hash_of(account: &dyn OpenAccount, blob: BlobId, size: u64) -> Option<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let mut at = 0;
    while at < size {
        let octets = account.body(blob, at..size.min(at + COPY_BYTES_MAX as u64)).await.ok()?;
        if octets.is_empty() {
            return None;
        }
        hasher.update(&octets);
        at += octets.len() as u64;
    }
    Some(hasher.finalize())
}
