//! Accounts come, wake and go.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod driver;

use std::sync::Arc;
use std::thread;

use account::{AccountId, Accounts, CommitError, Draft, Fault, MailboxName, OpenAccount, Refusal};
use driver::{Gated, House, create, poll, subscribe, wait};
use store::{AccountKey, FaultPlan, Faulty, Maintenance, Memory, Operation, Store};

fn names(open: &dyn OpenAccount) -> Vec<String> {
    open.account().directory().mailboxes().map(|facts| facts.name.to_string()).collect()
}

#[test]
fn a_new_account_has_its_first_mailboxes_with_roles_and_subscribed() {
    let (_house, ann) = House::with_ann(Arc::new(Memory::new()));
    let account = ann.account();
    let directory = account.directory();
    assert_eq!(names(&*ann.open), ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]);
    for facts in directory.mailboxes() {
        let role = (!facts.name.is_inbox()).then(|| format!("\\{}", facts.name));
        assert_eq!(facts.roles, role.into_iter().collect::<Vec<_>>());
        assert!(directory.subscriptions().contains(&facts.name));
    }
}

#[test]
fn a_name_is_taken_once_and_a_number_never_again() {
    let house = House::new(Arc::new(Memory::new()));
    let ann = house.create("ann@example.org");
    let taken = wait(house.keeper.create_account("ann@example.org".into(), None));
    assert_eq!(taken, Err(CommitError::Refused(Refusal::AlreadyExists)));
    wait(house.keeper.remove_account(ann)).unwrap();
    let anew = house.create("ann@example.org");
    assert!(anew > ann);
    assert_eq!(wait(house.keeper.open(ann)).err(), Some(Fault::Gone));
    assert_eq!(house.open(anew).uids(), [] as [u32; 0]);
}

#[test]
fn accounts_created_at_once_get_different_numbers() {
    let memory = Memory::new();
    let houses = [(), ()].map(|()| House::with(Arc::new(memory.clone()), driver::one_of_many()));
    let mut accounts: Vec<AccountId> = thread::scope(|scope| {
        let creating: Vec<_> = (0..8)
            .map(|n| {
                let house = &houses[n % 2];
                scope.spawn(move || house.create(&format!("{n}@example.org")))
            })
            .collect();
        creating.into_iter().map(|created| created.join().unwrap()).collect()
    });
    accounts.sort_unstable();
    accounts.dedup();
    assert_eq!(accounts.len(), 8);
    wait(houses[0].keeper.catch_up(AccountId::ROSTER)).unwrap();
    let roster = wait(houses[0].keeper.roster()).unwrap().account();
    for account in accounts {
        assert!(roster.directory().roster_line(account).is_some());
    }
}

#[test]
fn an_account_that_the_roster_does_not_know_cannot_be_opened() {
    let memory = Memory::new();
    let house = House::new(Arc::new(memory.clone()));
    assert_eq!(wait(house.keeper.open(AccountId(7))).err(), Some(Fault::Gone));
    assert_eq!(wait(memory.head(AccountKey(7))), Ok(0), "and nothing was written for it");
}

#[test]
fn a_crash_between_roster_and_first_mailboxes_is_healed_when_the_account_is_opened() {
    let memory = Memory::new();
    let faulty =
        Faulty::new(Arc::new(memory.clone()), FaultPlan::nth(Operation::Append, 2, store::Fault::Poison));
    let ann = House::new(Arc::new(faulty)).create("ann@example.org");
    assert_eq!(wait(memory.head(AccountKey(ann.0))), Ok(0));
    let desk = House::new(Arc::new(memory)).open(ann);
    assert_eq!(names(&*desk.open).len(), 6);
}

#[test]
fn removing_an_account_ends_its_sessions_writing_and_its_journal() {
    let memory = Memory::new();
    let (house, ann) = House::with_ann(Arc::new(memory.clone()));
    ann.append("one").unwrap();
    let mut changed = ann.open.changed(ann.account().head());
    assert!(poll(&mut changed).is_pending());
    wait(house.keeper.remove_account(ann.id)).unwrap();
    assert!(poll(&mut changed).is_ready(), "who waits finds out");
    assert_eq!(ann.commit(subscribe("A")), Err(CommitError::Fault(Fault::Gone)));
    assert_eq!(ann.uids(), [1], "what is shown can still be shown");
    assert_eq!(wait(memory.accounts()).unwrap(), [AccountKey(AccountId::ROSTER.0)]);
}

#[test]
fn opened_at_once_an_account_wakes_once() {
    let memory = Memory::new();
    let ann = House::new(Arc::new(memory.clone())).create("ann@example.org");
    let gated = Gated::new(Arc::new(memory));
    let house = House::new(Arc::new(gated.clone()));
    drop(wait(house.keeper.roster()).unwrap());
    let before = gated.reads.checkpoints();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(house.open(ann)));
        }
    });
    assert_eq!(gated.reads.checkpoints() - before, 1);
}

#[test]
fn who_goes_away_while_waking_an_account_does_not_keep_others_out() {
    let memory = Memory::new();
    let ann = House::new(Arc::new(memory.clone())).create("ann@example.org");
    let gated = Gated::new(Arc::new(memory));
    let house = House::new(Arc::new(gated.clone()));
    gated.stall_reads();
    let mut first = house.keeper.open(ann);
    assert!(poll(&mut first).is_pending());
    let mut second = house.keeper.open(ann);
    assert!(poll(&mut second).is_pending());
    drop(first);
    gated.resume_reads();
    assert!(wait(second).is_ok());
}

#[test]
fn the_roster_wakes_from_its_own_checkpoint() {
    let memory = Memory::new();
    let settings = keeper::Settings { tail_entries_max: 2, ..driver::calm() };
    let house = House::with(Arc::new(memory.clone()), settings);
    let accounts: Vec<_> = (0..5).map(|n| house.create(&format!("{n}@example.org"))).collect();
    house.housekeep();
    assert!(!wait(memory.checkpoints(AccountKey(AccountId::ROSTER.0))).unwrap().is_empty());
    let anew = House::new(Arc::new(memory));
    for account in accounts {
        anew.open(account);
    }
    assert_eq!(wait(anew.keeper.roster()).unwrap().account().directory().account_last(), AccountId(5));
}

#[test]
fn deleting_a_mailbox_is_seen_by_whoever_asks_for_its_columns() {
    let (_house, ann) = House::with_ann(Arc::new(Memory::new()));
    let made = ann.commit(create("New")).unwrap().mailbox.unwrap();
    assert!(ann.columns(made).is_empty());
    ann.commit(Draft::Delete { name: MailboxName::new("New").unwrap() }).unwrap();
    assert!(wait(ann.open.mailbox(made)).unwrap().is_none());
}
