//! Password hashing: Argon2id as PHC strings, a bounded number at once, away from the threads that serve connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::limits::{HASH_MEMORY_KIB, HASH_PASSES, HASHES_WAITING_MAX};

/// What an unknown name's password is checked against: the same work as for a known one, and never a match, since
/// nobody can find a password for an output of zeros. Its parameters are those of [`HASH_MEMORY_KIB`] and [`HASH_PASSES`].
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Too many hashes are waiting already, or hashing failed for want of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// Hashes and verifies passwords.
pub struct Hasher {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Hasher {
    /// At most `at_once` hashes run at the same time.
    pub fn new(at_once: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(at_once)), waiting: AtomicUsize::new(0) }
    }

    /// A PHC string for a new password.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn hash(&self, password: Vec<u8>) -> Result<String, Busy> {
        self.run(move || {
            let hash: Result<PasswordHash, _> = argon2()?.hash_password(&password);
            hash.map(|hash| hash.to_string()).map_err(|_| Busy)
        })
        .await?
    }

    /// Does the password belong to the credential? Without a credential the answer is no, after the same work.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn verify(&self, credential: Option<String>, password: Vec<u8>) -> Result<bool, Busy> {
        let credential = credential.unwrap_or_else(|| NOBODY.to_owned());
        self.run(move || {
            let Ok(hash) = PasswordHash::new(&credential) else { return Ok(false) };
            Ok(argon2()?.verify_password(&password, &hash).is_ok())
        })
        .await?
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let place = Waiting::join(&self.waiting)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Busy)?;
        drop(place);
        // The permit moves into the work: when the client goes away the hash still runs, and still counts.
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        task.await.map_err(|_| Busy)
    }
}

/// A place in the queue, given back when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(count: &'a AtomicUsize) -> Result<Self, Busy> {
        let place = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) >= HASHES_WAITING_MAX { Err(Busy) } else { Ok(place) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn argon2() -> Result<Argon2<'static>, Busy> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, 1, None).map_err(|_| Busy)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let hasher = Hasher::new(2);
        let credential = hasher.hash("pässword".into()).await.unwrap();
        assert!(credential.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{credential}");
        assert_eq!(hasher.verify(Some(credential.clone()), "pässword".into()).await, Ok(true));
        assert_eq!(hasher.verify(Some(credential.clone()), "passwort".into()).await, Ok(false));
        assert_ne!(hasher.hash("pässword".into()).await.unwrap(), credential, "salted");
    }

    #[tokio::test]
    async fn nobody_is_never_logged_in_and_costs_the_same_parameters() {
        let hasher = Hasher::new(1);
        assert_eq!(hasher.verify(None, Vec::new()).await, Ok(false));
        let hash = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&hash).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (HASH_MEMORY_KIB, HASH_PASSES, 1));
    }

    #[tokio::test]
    async fn a_credential_that_is_no_hash_lets_nobody_in() {
        let hasher = Hasher::new(1);
        for credential in ["", "secret", "$argon2id$", "$1$salt$hash"] {
            assert_eq!(hasher.verify(Some(credential.into()), credential.into()).await, Ok(false));
        }
    }

    #[test]
    fn the_queue_is_bounded_and_its_places_come_back() {
        let count = AtomicUsize::new(0);
        let places: Vec<_> = (0..HASHES_WAITING_MAX).map(|_| Waiting::join(&count).unwrap()).collect();
        assert!(Waiting::join(&count).is_err());
        drop(places);
        assert_eq!(count.load(Ordering::Relaxed), 0);
    }
}
