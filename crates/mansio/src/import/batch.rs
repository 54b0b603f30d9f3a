//! Messages that are committed together, and the commit that is under way while the next ones are read.

use std::sync::Arc;

use account::{CommitError, Draft, MailboxId, NewMessage, OpenAccount, Refusal, Uid};
use tokio::task::JoinHandle;

use crate::data::commit_failure;
use crate::failure::Failure;
use crate::limits::{IMPORT_BATCH_BYTES_MAX, IMPORT_BATCH_MESSAGES_MAX};

/// Commits tried when deliveries to the same mailbox get in between.
const ATTEMPTS_MAX: usize = 5;

/// Gathers messages for one mailbox. One commit is in flight at most: the disk syncs while the next messages are read.
pub struct Batches {
    account: Arc<dyn OpenAccount>,
    mailbox: MailboxId,
    gathered: Vec<NewMessage>,
    gathered_bytes: u64,
    flight: Option<JoinHandle<Result<u64, Failure>>>,
    committed: u64,
}

impl Batches {
    /// Nothing is gathered yet.
    pub fn new(account: Arc<dyn OpenAccount>, mailbox: MailboxId) -> Self {
        Self { account, mailbox, gathered: Vec::new(), gathered_bytes: 0, flight: None, committed: 0 }
    }

    /// Takes a message; when enough have gathered they are sent off.
    ///
    /// # Errors
    /// When the batch before cannot be committed.
    pub async fn push(&mut self, message: NewMessage) -> Result<(), Failure> {
        self.gathered_bytes += message.size;
        self.gathered.push(message);
        if self.gathered.len() >= IMPORT_BATCH_MESSAGES_MAX || self.gathered_bytes >= IMPORT_BATCH_BYTES_MAX {
            self.send_off().await?;
        }
        Ok(())
    }

    /// Commits everything gathered, and waits for it. Returns how many messages were committed in all.
    ///
    /// # Errors
    /// When it cannot be committed.
    pub async fn settle(&mut self) -> Result<u64, Failure> {
        self.send_off().await?;
        self.land().await?;
        Ok(self.committed)
    }

    /// Messages taken, committed or not.
    pub fn taken(&self) -> u64 {
        self.committed + self.gathered.len() as u64
    }

    async fn send_off(&mut self) -> Result<(), Failure> {
        self.land().await?;
        let messages = std::mem::take(&mut self.gathered);
        self.gathered_bytes = 0;
        if !messages.is_empty() {
            let (account, mailbox) = (Arc::clone(&self.account), self.mailbox);
            self.flight =
                Some(tokio::spawn(async move { commit(account.as_ref(), mailbox, messages).await }));
        }
        Ok(())
    }

    async fn land(&mut self) -> Result<(), Failure> {
        if let Some(flight) = self.flight.take() {
            self.committed += flight.await.map_err(Failure::new)??;
        }
        Ok(())
    }
}

async fn commit(
    account: &dyn OpenAccount,
    mailbox: MailboxId,
    mut messages: Vec<NewMessage>,
) -> Result<u64, Failure> {
    for _ in 0..ATTEMPTS_MAX {
        free_passed_uids(account, mailbox, &mut messages);
        match account.commit(Draft::Append { mailbox, messages: messages.clone() }).await {
            Ok(_) => return Ok(messages.len() as u64),
            // A delivery was quicker and took one of them.
            Err(CommitError::Refused(Refusal::UidTaken)) => {}
            Err(error) => return Err(commit_failure(&error)),
        }
    }
    Err(Failure::new("other programs write to the mailbox all the time"))
}

/// UIDs must rise from UIDNEXT on; a message whose UID is behind gets the next one.
fn free_passed_uids(account: &dyn OpenAccount, mailbox: MailboxId, messages: &mut [NewMessage]) {
    let account = account.account();
    let mut next = account.directory().mailbox_by_id(mailbox).map_or(1, |facts| facts.uid_next);
    for message in messages {
        message.uid = message.uid.filter(|uid| uid.value() >= next);
        next = message.uid.map_or(next, Uid::value).saturating_add(1);
    }
}
