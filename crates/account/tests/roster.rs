//! The roster: the server's list of accounts, a journal like any other.

mod support;

use account::limits::ROSTER_TEXT_BYTES_MAX;
use account::{AccountId, Draft, Refusal, Right, Rights};
use support::Journal;

fn add(number: u64, name: &str) -> Draft {
    Draft::AddAccount { account: AccountId(number), name: name.into(), credential: None }
}

fn set_credential(number: u64, credential: &str) -> Draft {
    Draft::SetCredential { account: AccountId(number), credential: credential.into() }
}

#[test]
fn names_and_numbers_are_given_once() {
    let mut roster = Journal::empty();
    roster.must(&add(1, "a@example.org"));
    assert_eq!(roster.refused(&add(2, "a@example.org")), Refusal::AlreadyExists);
    assert_eq!(roster.refused(&add(1, "b@example.org")), Refusal::AlreadyExists);
    roster.must(&Draft::RemoveAccount { account: AccountId(1) });
    assert!(roster.account.directory().roster().is_empty());
    // The name is free again, the number never: its journal may still be there.
    assert_eq!(roster.refused(&add(1, "a@example.org")), Refusal::AlreadyExists);
    roster.must(&add(2, "a@example.org"));
    assert_eq!(roster.account.directory().account_last(), AccountId(2));
}

#[test]
fn the_rosters_own_number_is_nobodys() {
    assert!(matches!(Journal::empty().refused(&add(0, "root")), Refusal::Cannot(_)));
}

#[test]
fn a_credential_is_replaced_and_an_unchanged_one_not_written() {
    let mut roster = Journal::empty();
    roster.must(&add(7, "a@example.org"));
    assert_eq!(roster.account.directory().roster()["a@example.org"].credential, None);
    roster.must(&set_credential(7, "one"));
    roster.nothing(&set_credential(7, "one"));
    roster.must(&set_credential(7, "two"));
    let line = roster.account.directory().roster_line(AccountId(7)).unwrap();
    assert_eq!(line.credential.as_deref(), Some("two"));
    assert_eq!(roster.refused(&set_credential(8, "x")), Refusal::NonExistent);
    assert!(matches!(roster.refused(&set_credential(7, "")), Refusal::Cannot(_)));
}

#[test]
fn texts_have_a_bound() {
    let mut roster = Journal::empty();
    let longest = "n".repeat(ROSTER_TEXT_BYTES_MAX);
    assert!(matches!(roster.refused(&add(1, &format!("{longest}n"))), Refusal::Limit(_)));
    roster.must(&add(1, &longest));
    assert!(matches!(roster.refused(&set_credential(1, &format!("{longest}n"))), Refusal::Limit(_)));
    assert!(matches!(roster.refused(&add(2, "")), Refusal::Cannot(_)));
}

#[test]
fn only_an_administrator_changes_the_roster() {
    let mut roster = Journal::empty();
    roster.must(&add(1, "a@example.org"));
    let remove = Draft::RemoveAccount { account: AccountId(1) };
    for draft in [add(2, "b"), set_credential(1, "x"), remove] {
        let rest = Rights::NONE.with(Right::Write).with(Right::CreateMailbox);
        assert_eq!(roster.decide(&draft, rest).err(), Some(Refusal::NoPermission));
        assert!(roster.decide(&draft, Rights::NONE.with(Right::Administer)).is_ok());
    }
}
