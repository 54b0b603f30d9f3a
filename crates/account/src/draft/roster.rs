//! Deciding what happens to the server's roster of accounts, which is a journal like any other.

use super::Decision;
use crate::limits::{ROSTER_MAX, ROSTER_TEXT_BYTES_MAX};
use crate::{AccountId, Change, Refusal, Right};

impl Decision<'_> {
    pub(super) fn add_account(
        &mut self,
        account: AccountId,
        name: &str,
        credential: Option<&str>,
    ) -> Result<(), Refusal> {
        self.require(Right::Administer)?;
        let directory = self.account.directory();
        if account == AccountId::ROSTER {
            return Err(Refusal::Cannot("that number is the roster's own"));
        }
        // A number once given is never given again: what a removed account left behind must not become another's.
        let passed = account <= directory.account_last();
        if passed || directory.roster().contains_key(name) {
            return Err(Refusal::AlreadyExists);
        }
        if directory.roster().len() >= ROSTER_MAX {
            return Err(Refusal::Limit("too many accounts"));
        }
        if name.is_empty() {
            return Err(Refusal::Cannot("an account needs a name"));
        }
        check_text(name)?;
        self.changes.push(Change::AccountAdded { account, name: name.to_owned() });
        if let Some(credential) = credential {
            self.push_credential(account, credential)?;
        }
        Ok(())
    }

    pub(super) fn set_credential(&mut self, account: AccountId, credential: &str) -> Result<(), Refusal> {
        self.require(Right::Administer)?;
        let line = self.account.directory().roster_line(account).ok_or(Refusal::NonExistent)?;
        if line.credential.as_deref() != Some(credential) {
            self.push_credential(account, credential)?;
        }
        Ok(())
    }

    fn push_credential(&mut self, account: AccountId, credential: &str) -> Result<(), Refusal> {
        if credential.is_empty() {
            return Err(Refusal::Cannot("an empty credential proves nobody"));
        }
        check_text(credential)?;
        self.changes.push(Change::CredentialSet { account, credential: credential.to_owned() });
        Ok(())
    }

    pub(super) fn remove_account(&mut self, account: AccountId) -> Result<(), Refusal> {
        self.require(Right::Administer)?;
        if self.account.directory().roster_line(account).is_none() {
            return Err(Refusal::NonExistent);
        }
        self.changes.push(Change::AccountRemoved { account });
        Ok(())
    }
}

fn check_text(text: &str) -> Result<(), Refusal> {
    if text.len() > ROSTER_TEXT_BYTES_MAX {
        return Err(Refusal::Limit("the name or credential is too long"));
    }
    Ok(())
}
