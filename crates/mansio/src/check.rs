//! `mansio check`: reads every checksum; with `--deep` also wakes every account and compares what it says with what is there.
//! What is damaged is named as a person knows it: account, mailbox, UID.

use std::collections::HashMap;
use std::sync::Arc;

use account::{AccountId, Accounts, Counts, Mailbox, MailboxFacts, OpenAccount, Row, SystemFlag};
use store::{Damaged, Maintenance};

use crate::control::{Event, Events};
use crate::data::fault;
use crate::failure::Failure;

/// Messages whose summaries are read at once.
const RUN: usize = 256;

/// Runs the check.
///
/// # Errors
/// When the store or its list of accounts cannot be read at all.
pub async fn run(
    store: &dyn Maintenance,
    accounts: &dyn Accounts,
    deep: bool,
    events: &Events,
) -> Result<(), Failure> {
    let report = store.check().await.map_err(Failure::new)?;
    let text = format!(
        "{} entries, {} checkpoints and {} blobs read, {} octets in all.",
        report.entries, report.checkpoints, report.blobs, report.bytes
    );
    events.line(text).await;
    let roster = accounts.open(AccountId::ROSTER).await.map_err(|error| fault(&error))?.account();
    let names: HashMap<AccountId, &str> =
        roster.directory().roster().values().map(|line| (line.account, line.name.as_str())).collect();
    let damage = Damage { accounts, names: &names, events };
    damage.tell(&report.damaged).await;
    if deep {
        damage.compare().await;
    }
    Ok(())
}

/// Finds out whose the damage is.
struct Damage<'a> {
    accounts: &'a dyn Accounts,
    names: &'a HashMap<AccountId, &'a str>,
    events: &'a Events,
}

impl Damage<'_> {
    async fn tell(&self, damaged: &[Damaged]) {
        let mut blobs: HashMap<u64, bool> = HashMap::new();
        for damaged in damaged {
            match damaged {
                Damaged::Blob(id) => {
                    blobs.insert(id.0, false);
                }
                Damaged::Entry { account, no } => {
                    let name = self.name(AccountId(account.0));
                    self.events.skipped(format!("{name}: entry {no} of its journal is damaged")).await;
                }
                Damaged::Checkpoint { account, at } => {
                    let name = self.name(AccountId(account.0));
                    self.events.skipped(format!("{name}: the checkpoint at entry {at} is damaged")).await;
                }
                Damaged::Log { .. } => self.events.skipped(format!("damaged: {damaged}")).await,
            }
        }
        if !blobs.is_empty() {
            self.tell_messages(&mut blobs).await;
        }
        for (blob, _) in blobs.iter().filter(|(_, told)| !**told) {
            self.events
                .skipped(format!("blob {blob:016x} is damaged; no message of an account is in it"))
                .await;
        }
    }

    /// Names the messages whose blobs are damaged, marking those blobs as told.
    async fn tell_messages(&self, blobs: &mut HashMap<u64, bool>) {
        for (&id, name) in self.names {
            let Ok(account) = self.accounts.open(id).await else { continue };
            for facts in account.account().directory().mailboxes() {
                let Ok(Some(columns)) = account.mailbox(facts.id).await else { continue };
                for row in columns.rows() {
                    if let Some(told) = blobs.get_mut(&row.blob.0) {
                        *told = true;
                        let uid = row.uid.value();
                        self.events.skipped(format!("{name}: {}, UID {uid} is damaged", facts.name)).await;
                    }
                }
            }
        }
    }

    async fn compare(&self) {
        let total = Some(self.names.len() as u64);
        let mut messages = 0;
        for (done, (&id, name)) in self.names.iter().enumerate() {
            self.events.tell(Event::Progress { what: (*name).to_owned(), done: done as u64, total }).await;
            match self.accounts.open(id).await {
                Ok(account) => messages += self.compare_account(name, account.as_ref()).await,
                Err(error) => {
                    self.events.skipped(format!("{name}: cannot be opened: {}", fault(&error))).await
                }
            }
        }
        self.events.line(format!("{} accounts with {messages} messages compared.", self.names.len())).await;
    }

    async fn compare_account(&self, name: &str, account: &dyn OpenAccount) -> u64 {
        let mut messages = 0;
        let state = account.account();
        for facts in state.directory().mailboxes() {
            let columns = match account.mailbox(facts.id).await {
                Ok(columns) => columns.unwrap_or_default(),
                Err(error) => {
                    self.events
                        .skipped(format!("{name}: {}: cannot be read: {}", facts.name, fault(&error)))
                        .await;
                    continue;
                }
            };
            messages += u64::from(columns.len());
            // Somebody may have written since the state was taken; then the numbers say nothing.
            let same = account.account().head() == state.head();
            if let Some(text) = contradiction(facts, &columns).filter(|_| same) {
                self.events.skipped(format!("{name}: {}: {text}", facts.name)).await;
            }
            self.read_summaries(name, account, facts, &columns).await;
        }
        messages
    }

    /// Every message must have what was derived from it.
    async fn read_summaries(
        &self,
        name: &str,
        account: &dyn OpenAccount,
        facts: &MailboxFacts,
        columns: &Mailbox,
    ) {
        let rows: Vec<Row> = columns.rows().collect();
        for run in rows.chunks(RUN) {
            let blobs: Vec<_> = run.iter().map(|row| row.blob).collect();
            if account.summaries(&blobs).await.is_ok() {
                continue;
            }
            for row in run {
                if let Err(error) = account.summaries(&[row.blob]).await {
                    let uid = row.uid.value();
                    self.events
                        .skipped(format!("{name}: {}, UID {uid}: {}", facts.name, fault(&error)))
                        .await;
                }
            }
        }
    }

    fn name(&self, account: AccountId) -> String {
        match self.names.get(&account) {
            Some(name) => (*name).to_owned(),
            None if account == AccountId::ROSTER => "the list of accounts".to_owned(),
            None => format!("account {}", account.0),
        }
    }
}

/// What the directory says of a mailbox and its columns do not.
fn contradiction(facts: &MailboxFacts, columns: &Arc<Mailbox>) -> Option<String> {
    let mut counts = Counts::default();
    for row in columns.rows() {
        counts.messages += 1;
        counts.unseen += u32::from(!row.flags.has(SystemFlag::Seen));
        counts.deleted += u32::from(row.flags.has(SystemFlag::Deleted));
        counts.size += row.size;
    }
    if counts != facts.counts {
        return Some(format!("its directory says {:?}, its columns {counts:?}", facts.counts));
    }
    if facts.uid_next != columns.uid_next() {
        return Some(format!(
            "its directory says UIDNEXT {}, its columns {}",
            facts.uid_next,
            columns.uid_next()
        ));
    }
    None
}
