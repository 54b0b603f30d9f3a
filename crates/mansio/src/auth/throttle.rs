//! Delays for those who guess: by address and by name, in bounded memory, with no timer of its own.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::Mutex;

use crate::limits::THROTTLE_ENTRIES_MAX;

/// Milliseconds that one attempt from an address uses up, and how many are free before waiting begins.
const ADDRESS: Rate = Rate { each_millis: 2_000, free: 20 };

/// The same for one name, whoever asks: 10,000 addresses together get one guess in five seconds.
const NAME: Rate = Rate { each_millis: 5_000, free: 20 };

/// The longest wait, in milliseconds. Whoever would have to wait longer is told to come back later.
const WAIT_MILLIS_MAX: u64 = 10_000;

/// How fast attempts may come: a token bucket told as a point in time (GCRA).
#[derive(Debug, Clone, Copy)]
struct Rate {
    each_millis: u64,
    free: u64,
}

/// What to do with an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Check the password after so many milliseconds (mostly 0).
    Wait(u64),
    /// Do not check it: too many attempts.
    Refuse,
}

/// Counts attempts. Cheap enough to ask before each password check.
pub struct Throttle {
    by_address: Mutex<Buckets<IpAddr>>,
    by_name: Mutex<Buckets<u64>>,
    names: RandomState,
}

impl Throttle {
    /// Nobody has tried anything yet.
    pub fn new() -> Self {
        Self {
            by_address: Mutex::new(Buckets::new(ADDRESS)),
            by_name: Mutex::new(Buckets::new(NAME)),
            names: RandomState::new(),
        }
    }

    /// Charges an attempt, at a time in milliseconds from any fixed start.
    pub fn attempt(&self, from: IpAddr, name: &str, now: u64) -> Verdict {
        let by_address = locked(&self.by_address).charge(network(from), now);
        let by_name = locked(&self.by_name).charge(self.name_key(name), now);
        match (by_address, by_name) {
            (Verdict::Wait(one), Verdict::Wait(other)) => Verdict::Wait(one.max(other)),
            _ => Verdict::Refuse,
        }
    }

    /// Takes the charge back: the password was right.
    pub fn succeeded(&self, from: IpAddr, name: &str) {
        locked(&self.by_address).refund(&network(from));
        locked(&self.by_name).refund(&self.name_key(name));
    }

    /// Names come from strangers and may be long; a keyed hash of one is 8 octets, and collisions cannot be aimed at.
    fn name_key(&self, name: &str) -> u64 {
        self.names.hash_one(name.to_lowercase())
    }
}

/// The address that counts as one stranger: IPv6 by its /64, which is what one customer gets.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address => address,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// For each key the time at which its bucket is full again; a key whose time has passed needs no entry.
struct Buckets<K> {
    rate: Rate,
    full_at: HashMap<K, u64>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(rate: Rate) -> Self {
        Self { rate, full_at: HashMap::new() }
    }

    fn charge(&mut self, key: K, now: u64) -> Verdict {
        if self.full_at.len() >= THROTTLE_ENTRIES_MAX && !self.full_at.contains_key(&key) {
            self.make_room(now);
        }
        let before = self.full_at.get(&key).copied().unwrap_or(0).max(now);
        let wait = before.saturating_sub(now).saturating_sub((self.rate.free - 1) * self.rate.each_millis);
        if wait > WAIT_MILLIS_MAX {
            // Not charged, or a flood would shut the owner out for as long as it likes after it ended.
            return Verdict::Refuse;
        }
        self.full_at.insert(key, before + self.rate.each_millis);
        Verdict::Wait(wait)
    }

    fn refund(&mut self, key: &K) {
        if let Some(at) = self.full_at.get_mut(key) {
            *at = at.saturating_sub(self.rate.each_millis);
        }
    }

    /// Drops the keys that are full again; if that is not enough, the half that is nearest to it.
    fn make_room(&mut self, now: u64) {
        self.full_at.retain(|_, at| *at > now);
        if self.full_at.len() < THROTTLE_ENTRIES_MAX {
            return;
        }
        let mut times: Vec<u64> = self.full_at.values().copied().collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        self.full_at.retain(|_, at| *at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_attempts_are_free_and_then_waiting_begins() {
        let throttle = Throttle::new();
        for attempt in 0..ADDRESS.free {
            assert_eq!(throttle.attempt(ip("192.0.2.1"), &format!("n{attempt}"), 0), Verdict::Wait(0));
        }
        assert_eq!(throttle.attempt(ip("192.0.2.1"), "m", 0), Verdict::Wait(ADDRESS.each_millis));
        assert_eq!(throttle.attempt(ip("192.0.2.2"), "m", 0), Verdict::Wait(0), "others are not touched");
    }

    #[test]
    fn guesses_from_one_address_come_at_the_rate_and_no_faster() {
        let throttle = Throttle::new();
        let checked = (0..10_000)
            .filter(|n| throttle.attempt(ip("192.0.2.1"), &format!("n{n}"), 0) != Verdict::Refuse)
            .count() as u64;
        assert!(checked <= ADDRESS.free + 1 + WAIT_MILLIS_MAX / ADDRESS.each_millis, "{checked}");
    }

    #[test]
    fn many_addresses_share_the_rate_of_the_name_they_attack() {
        let throttle = Throttle::new();
        let checked = (0..10_000u32)
            .filter(|n| throttle.attempt(IpAddr::V4((*n).into()), "ann@example.org", 0) != Verdict::Refuse)
            .count() as u64;
        assert!(checked <= NAME.free + 1 + WAIT_MILLIS_MAX / NAME.each_millis, "{checked}");
        let after_the_attack = throttle.attempt(ip("198.51.100.1"), "Ann@example.org", 20_000);
        assert!(matches!(after_the_attack, Verdict::Wait(_)), "the owner gets in again");
    }

    #[test]
    fn a_right_password_costs_nothing() {
        let throttle = Throttle::new();
        for _ in 0..1_000 {
            assert_eq!(throttle.attempt(ip("2001:db8::1"), "ann", 5), Verdict::Wait(0));
            throttle.succeeded(ip("2001:db8::1"), "ann");
        }
    }

    #[test]
    fn a_customer_of_ipv6_is_one_stranger() {
        assert_eq!(network(ip("2001:db8:1:2:3:4:5:6")), network(ip("2001:db8:1:2::9")));
        assert_ne!(network(ip("2001:db8:1:2::1")), network(ip("2001:db8:1:3::1")));
        assert_eq!(network(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
    }

    #[test]
    fn memory_is_bounded_and_the_worst_offender_stays() {
        let mut buckets = Buckets::new(ADDRESS);
        for _ in 0..30 {
            buckets.charge(u64::MAX, 0);
        }
        let worst = buckets.full_at[&u64::MAX];
        for key in 0..3 * THROTTLE_ENTRIES_MAX as u64 {
            buckets.charge(key, 0);
            assert!(buckets.full_at.len() <= THROTTLE_ENTRIES_MAX);
        }
        assert_eq!(buckets.full_at[&u64::MAX], worst);
    }
}
