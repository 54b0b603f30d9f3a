//! Random histories: several connections on shared mailboxes, doing what clients may do, from a seed.
//!
//! Every answer is held against what a server may answer. Most steps are one command at a time, and then a model
//! knows the only right state; now and then all connections send a command at once, and then the model is read anew
//! from the server, which must still keep UIDs, bodies and numbers as promised. The idea is imaptest's.
//!
//! `MANSIO_TEST_SEED=n` runs one history with that seed; every failure names the seed and the step.

#![allow(clippy::unwrap_used, reason = "in a test, an error that nobody expects ends it")]

mod harness;

#[path = "history/commands.rs"]
mod commands;
#[path = "history/model.rs"]
mod model;
#[path = "history/random.rs"]
mod random;
#[path = "history/session.rs"]
mod session;

use harness::Server;
use harness::wire::Wire;
use model::{MAILBOXES, Model};
use random::Random;
use session::{Mode, Session};

/// Without a seed of one's own: these, so that a failure in CI is the same everywhere.
const SEEDS: std::ops::Range<u64> = 1..7;
const STEPS: usize = 400;
const MODES: [Mode; 6] = [Mode::Qresync, Mode::Old, Mode::Qresync, Mode::Rev2, Mode::Qresync, Mode::Old];
/// One step in so many is a burst of all connections at once.
const BURST_EVERY: u64 = 12;

#[test]
fn random_histories_stay_legal_and_converge() {
    let chosen = std::env::var("MANSIO_TEST_SEED").ok().map(|seed| seed.parse().expect("a number"));
    for seed in chosen.map_or(SEEDS, |seed: u64| seed..seed + 1) {
        println!("seed {seed}");
        let server = Server::start();
        History::new(&server, seed).run();
    }
}

struct History<'a> {
    server: &'a Server,
    random: Random,
    model: Model,
    sessions: Vec<Session>,
    observer: Wire,
}

impl History<'_> {
    fn new(server: &Server, seed: u64) -> History<'_> {
        let mut observer = Wire::logged_in(server);
        for mailbox in MAILBOXES.iter().filter(|mailbox| **mailbox != "INBOX") {
            observer.ok(&format!("CREATE {mailbox}"));
        }
        let sessions = MODES.iter().map(|mode| Session::connect(server, *mode)).collect();
        let mut model = Model::default();
        model.observe(&mut observer);
        History { server, random: Random::new(seed), model, sessions, observer }
    }

    fn run(mut self) {
        for step in 0..STEPS {
            println!("step {step}");
            let index = self.random.below(MODES.len() as u64) as usize;
            if self.random.one_in(BURST_EVERY) {
                self.burst();
            } else if self.random.one_in(25) {
                self.come_back(index);
            } else {
                commands::step(&mut self.sessions[index], &mut self.model, &mut self.random);
            }
        }
        self.converge();
    }

    /// All connections send a command before any of them reads an answer.
    fn burst(&mut self) {
        let mut sent = Vec::new();
        for session in &mut self.sessions {
            sent.push(commands::send_any(session, &mut self.model, &mut self.random));
        }
        for (session, sent) in self.sessions.iter_mut().zip(sent) {
            commands::finish_any(session, sent, &mut self.model);
        }
        self.model.observe(&mut self.observer);
        self.converge();
    }

    /// After NOOP all sessions see what the model knows, and so does a connection that was not there before.
    fn converge(&mut self) {
        for session in &mut self.sessions {
            session.refresh();
            self.model.assert_seen_by(session);
        }
        let before = self.model.clone();
        self.model.observe(&mut self.observer);
        self.model.assert_equals(&before);
    }

    /// A session ends and comes back, with what it remembers if it speaks QRESYNC.
    fn come_back(&mut self, index: usize) {
        let old = &mut self.sessions[index];
        let remembered = old.leave();
        let mut session = Session::connect(self.server, old.mode);
        if let Some(remembered) = remembered {
            // The others go on while it is away.
            for _ in 0..3 {
                let other = (index + 1 + self.random.below(MODES.len() as u64 - 1) as usize) % MODES.len();
                commands::step(&mut self.sessions[other], &mut self.model, &mut self.random);
            }
            session.select_remembered(remembered);
            self.model.assert_seen_by(&session);
        }
        self.sessions[index] = session;
    }
}
