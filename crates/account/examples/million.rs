//! Figures for one mailbox of 1,000,000 messages: `cargo run --release -p account --example million`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use account::{
    Account, Announce, BlobId, Change, Counts, Draft, Entry, FlagNames, FlagOp, Flags, InternalDate, Mailbox,
    MailboxId, MailboxName, Millis, Modseq, NewMailbox, PlacedMessage, Rights, SystemFlag, Uid, UidSet,
    UidValidity, View,
};
use bytes::Bytes;

const MESSAGES: u32 = 1_000_000;
/// Messages per entry while the mailbox fills: delivered alone, or in the batches of an import.
const BATCH: u32 = 4;
const MAILBOX: MailboxId = MailboxId(1);

fn report(what: &str, value: impl std::fmt::Display) {
    println!("{what:<58} {value:>14}");
}

/// Runs it some times and reports the fastest, which other work on the machine disturbs least.
fn timed<T>(what: &str, mut run: impl FnMut() -> T) -> T {
    let mut best = Duration::MAX;
    let mut last = None;
    for _ in 0..9 {
        let start = Instant::now();
        last = Some(black_box(run()));
        best = best.min(start.elapsed());
    }
    report(what, format!("{:.3} ms", best.as_secs_f64() * 1e3));
    last.expect("it ran")
}

/// A message as years of mail give them: rising dates, mixed sizes and zones, mostly seen.
fn message(at: u32) -> PlacedMessage {
    let noise = u64::from(at).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    PlacedMessage {
        uid: Uid::new(at + 1).expect("not zero"),
        blob: BlobId(1_000 + u64::from(at) * 3 + noise % 3),
        size: 1_500 + noise % 60_000,
        internal_date: InternalDate {
            seconds: 1_500_000_000 + i64::from(at) * 200 + (noise % 100) as i64,
            zone_minutes: if noise % 9 == 0 { -300 } else { 60 },
        },
        flags: Flags(if noise % 20 == 0 { 0 } else { (1 << 3) | (noise % 3) }),
        save_date: Some(Millis(1_500_000_000_000 + u64::from(at) * 200_000 + noise % 100_000)),
    }
}

fn fill() -> (Account, Vec<Entry>) {
    let mut account = Account::default();
    let created = Change::MailboxCreated {
        mailbox: MAILBOX,
        name: MailboxName::inbox(),
        uid_validity: UidValidity::new(1).expect("not zero"),
        uid_next: 1,
    };
    let mut entries = vec![Entry { no: Modseq(1), time: Millis(0), changes: vec![created] }];
    let mut counts = Counts::default();
    for start in (0..MESSAGES).step_by(BATCH as usize) {
        let messages: Vec<PlacedMessage> = (start..start + BATCH).map(message).collect();
        for message in &messages {
            counts.messages += 1;
            counts.size += message.size;
            counts.unseen += u32::from(!message.flags.has(SystemFlag::Seen));
        }
        let no = Modseq(entries.len() as u64 + 1);
        let changes = vec![Change::Appended { mailbox: MAILBOX, messages, counts }];
        entries.push(Entry { no, time: Millis(1_500_000_000_000 + no.0), changes });
    }
    for entry in &entries {
        account.apply(entry, 0);
    }
    (account, entries)
}

fn store(account: &Account, uids: UidSet, op: FlagOp, flag: SystemFlag) -> Entry {
    let flags = FlagNames { system: Flags::system(flag), keywords: vec![] };
    let draft = Draft::Store { mailbox: MAILBOX, uids, op, flags, unchanged_since: None };
    let no = Modseq(account.head().0 + 1);
    let decided = draft.decide(account, Rights::OWNER, no, Millis(0)).expect("the owner may");
    decided.0.expect("something changes")
}

fn main() {
    let (mut account, entries) = fill();
    let columns = Arc::clone(account.loaded(MAILBOX).expect("created here"));
    report(
        "resident bytes per message",
        format!("{:.1}", columns.resident_bytes() as f64 / f64::from(MESSAGES)),
    );
    let journal: usize = entries.iter().map(|entry| entry.encode(0).len()).sum();
    report("journal bytes per message, 4 a command", format!("{:.1}", journal as f64 / f64::from(MESSAGES)));
    timed("fold of 250,000 entries, no checkpoint", || {
        let mut account = Account::default();
        entries.iter().for_each(|entry| account.apply(entry, 0));
        account
    });
    checkpoints(&mut account);
    questions(&account, &columns);
    changes(&account);
    names(&account);
}

fn checkpoints(account: &mut Account) {
    let parts: Vec<_> = account.unsaved_parts().collect();
    let bytes: Vec<Bytes> = timed("checkpoint, everything", || {
        parts.iter().map(|(_, part)| Bytes::from(part.encode())).collect()
    });
    for (at, ((_, part), bytes)) in parts.iter().zip(&bytes).enumerate() {
        part.set_saved(BlobId(at as u64 + 1), bytes);
    }
    let manifest = account.manifest().expect("all is saved");
    let total: usize = bytes.iter().map(Bytes::len).sum();
    report("checkpoint bytes per message", format!("{:.1}", total as f64 / f64::from(MESSAGES)));
    report("manifest bytes", manifest.len());
    timed("cold open, bytes already read", || {
        let mut opened = Account::from_manifest(&manifest).expect("just written");
        let saved = opened.saved(MAILBOX).expect("it has parts");
        let columns = Mailbox::from_parts(saved, &bytes).expect("just written");
        assert!(opened.install(MAILBOX, Arc::new(columns)));
        opened
    });
    account.checkpointed(&manifest).expect("just written");
    let mut changed = account.clone();
    changed.apply(&store(account, UidSet::from_range(500_000, 500_000), FlagOp::Add, SystemFlag::Flagged), 0);
    let rewritten: usize = changed.unsaved_parts().map(|(_, part)| part.encode().len()).sum();
    report("checkpoint bytes after one flag change", rewritten);
}

fn questions(account: &Account, columns: &Arc<Mailbox>) {
    timed("SEARCH UNSEEN over all rows", || {
        columns.rows().filter(|row| !row.flags.has(SystemFlag::Seen)).count()
    });
    timed("CHANGEDSINCE over all, everything newer", || columns.changed_since(Modseq(0)));
    let head = account.head();
    timed("CHANGEDSINCE over all, nothing newer", || columns.changed_since(head));
    let view = View::new(Arc::clone(columns));
    timed("1,000 sequence numbers to UIDs and back", || {
        (1..=1_000)
            .filter_map(|step| account::SeqNum::new(step * 997))
            .filter_map(|number| view.uid(number))
            .filter_map(|uid| view.number(uid))
            .count()
    });
    timed("UID SEARCH ALL as ranges", || view.uids());
}

fn changes(account: &Account) {
    let one = store(account, UidSet::from_range(500_000, 500_000), FlagOp::Add, SystemFlag::Flagged);
    timed("one flag change while another session holds a view", || {
        // The account as published is held too, so every chunk is shared.
        let mut newer = account.clone();
        newer.apply(&one, 0);
        newer
    });
    let mut newer = account.clone();
    newer.apply(&one, 0);
    let old = Arc::clone(account.loaded(MAILBOX).expect("loaded"));
    let new = Arc::clone(newer.loaded(MAILBOX).expect("loaded"));
    timed("difference after one flag change", || {
        View::new(Arc::clone(&old)).advance(Arc::clone(&new), Announce::Expunges)
    });
    let all = UidSet::from_range(1, u32::MAX);
    let entry = timed("STORE 1:* decided", || store(account, all.clone(), FlagOp::Add, SystemFlag::Flagged));
    report("STORE 1:* entry bytes", entry.encode(0).len());
    let stored = timed("STORE 1:* folded, all chunks shared", || {
        let mut newer = account.clone();
        newer.apply(&entry, 0);
        newer
    });
    let new = Arc::clone(stored.loaded(MAILBOX).expect("loaded"));
    timed("difference after STORE 1:*", || {
        View::new(Arc::clone(&old)).advance(Arc::clone(&new), Announce::Expunges)
    });
    let half: UidSet = (1..MESSAGES).step_by(2).filter_map(Uid::new).collect();
    let draft = Draft::Expunge { mailbox: MAILBOX, uids: half, only_deleted: false };
    let no = Modseq(account.head().0 + 1);
    let decided = timed("EXPUNGE of every other message decided", || {
        draft.decide(account, Rights::OWNER, no, Millis(0)).expect("the owner may").0
    });
    let entry = decided.expect("messages go");
    report("EXPUNGE of every other message, entry bytes", entry.encode(0).len());
    let expunged = timed("EXPUNGE of every other message folded", || {
        let mut newer = account.clone();
        newer.apply(&entry, 0);
        newer
    });
    let new = Arc::clone(expunged.loaded(MAILBOX).expect("loaded"));
    timed("difference after it, 500,000 numbers told", || {
        View::new(Arc::clone(&old)).advance(Arc::clone(&new), Announce::Expunges)
    });
    let mut held = View::new(Arc::clone(&old));
    held.advance(new, Announce::HoldExpunges);
    timed("1,000 numbers to UIDs with 500,000 ghosts", || {
        (1..=1_000)
            .filter_map(|step| account::SeqNum::new(step * 997))
            .filter_map(|number| held.uid(number))
            .count()
    });
}

fn names(account: &Account) {
    let mailboxes = (0..100).map(|number| NewMailbox {
        name: MailboxName::new(&format!("Projects/{number}")).expect("a name"),
        roles: vec![],
        subscribe: true,
        uid_validity: None,
    });
    let draft = Draft::Create { mailboxes: mailboxes.collect() };
    let no = Modseq(account.head().0 + 1);
    timed("CREATE of 100 mailboxes, decided and folded", || {
        let entry = draft.decide(account, Rights::OWNER, no, Millis(0)).expect("the owner may").0;
        let mut newer = account.clone();
        newer.apply(&entry.expect("they are new"), 0);
        newer
    });
}
