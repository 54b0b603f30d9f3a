//! Random conversations of several sessions on the same mailboxes, held against a naive model.
//!
//! The model is what the mailboxes hold if every command did what it says. Each session's view is built from nothing but
//! the server's responses, as a client builds it, and may be stale: sessions go on to STORE, MOVE and EXPUNGE by numbers
//! that others have long emptied. After a NOOP a session must see exactly the model.
//!
//! `IMAP_SEED=n` plays one conversation; a failure prints its seed and the commands that led to it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![allow(clippy::print_stderr, reason = "a failure shows how it came about")]

mod client;
#[allow(dead_code, reason = "this binary needs a part of it")]
mod harness;
#[path = "sessions/response.rs"]
mod response;
#[path = "sessions/world.rs"]
mod world;

use world::World;

/// Without a seed of one's own: these, so that a failure is the same everywhere.
const SEEDS: std::ops::Range<u64> = 1..25;
const STEPS: usize = 250;

#[test]
fn stale_sessions_act_on_what_they_see_and_converge() {
    let chosen = std::env::var("IMAP_SEED").ok().map(|seed| seed.parse().unwrap());
    for seed in chosen.map_or(SEEDS, |seed: u64| seed..seed + 1) {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.settle();
    }
}
