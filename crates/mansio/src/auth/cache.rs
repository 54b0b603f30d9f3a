//! Passwords that verified a moment ago, so that a client's fifth connection does not cost a fifth Argon2.

use std::collections::HashMap;
use std::sync::Mutex;

use account::AccountId;

use crate::limits::LOGIN_CACHE_ENTRIES_MAX;

/// One keyed hash per account, of its credential and the password that matched it. The key is random, lives only in this
/// process, and is never written. A changed credential gives another hash, so a new password ends the old one at once.
pub struct LoginCache {
    key: [u8; blake3::KEY_LEN],
    verified: Mutex<HashMap<AccountId, blake3::Hash>>,
}

impl LoginCache {
    /// Empty, with a random key.
    pub fn new(key: [u8; blake3::KEY_LEN]) -> Self {
        Self { key, verified: Mutex::default() }
    }

    /// Did this password verify against this credential before?
    pub fn knows(&self, account: AccountId, credential: &str, password: &[u8]) -> bool {
        let hash = self.hash(credential, password);
        let verified = self.verified.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Comparing `blake3::Hash` takes constant time.
        verified.get(&account).is_some_and(|known| *known == hash)
    }

    /// Remembers that it did.
    pub fn remember(&self, account: AccountId, credential: &str, password: &[u8]) {
        let hash = self.hash(credential, password);
        let mut verified = self.verified.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if verified.len() >= LOGIN_CACHE_ENTRIES_MAX && !verified.contains_key(&account) {
            // Starting over costs each account one hash; keeping order among them would cost more for good.
            verified.clear();
        }
        verified.insert(account, hash);
    }

    fn hash(&self, credential: &str, password: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        // A PHC string holds no NUL, so the two parts cannot run into each other.
        hasher.update(credential.as_bytes()).update(b"\0").update(password);
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_verified_is_known() {
        let cache = LoginCache::new([7; 32]);
        let (ann, bob) = (AccountId(1), AccountId(2));
        cache.remember(ann, "$phc", b"one");
        assert!(cache.knows(ann, "$phc", b"one"));
        assert!(!cache.knows(ann, "$phc", b"two"));
        assert!(!cache.knows(bob, "$phc", b"one"));
    }

    #[test]
    fn a_changed_credential_ends_the_old_password() {
        let cache = LoginCache::new([7; 32]);
        cache.remember(AccountId(1), "$old", b"one");
        assert!(!cache.knows(AccountId(1), "$new", b"one"));
    }

    #[test]
    fn it_never_grows_beyond_its_limit() {
        let cache = LoginCache::new([7; 32]);
        for account in 0..=LOGIN_CACHE_ENTRIES_MAX as u64 {
            cache.remember(AccountId(account), "$phc", b"one");
        }
        assert!(cache.verified.lock().unwrap().len() <= LOGIN_CACHE_ENTRIES_MAX);
        assert!(cache.knows(AccountId(LOGIN_CACHE_ENTRIES_MAX as u64), "$phc", b"one"));
    }
}
