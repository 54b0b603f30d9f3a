//! Every file under `tests/transcripts/` is one conversation, read as the RFCs write theirs.
//!
//! ```text
//! # covers: FETCH, [READ-WRITE]       rows and response codes this file shows (checked by `cargo xtask tidy`)
//! # transport: tls                    tls (default) | plain (STARTTLS, no login) | open (plain, login allowed)
//! # limit: 1000                       largest message, in octets
//! # start: login                      greeting | login (default) | select INBOX
//! # mail: INBOX plain.eml (\Seen)     puts tests/messages/plain.eml there before the talk
//! C: a1 NOOP                          the client sends this line and CRLF
//! C- text                             … without CRLF; \r \n \t \0 \\ \xHH are escapes
//! S: a1 OK {*}                        the server must say exactly this line next; {*} is any text,
//!                                     {name=} takes what stands there, {name} is what was taken
//! S* * LIST …                         a run of S* lines may come in any order
//! S! close                            the server closes | starttls | compress
//! C! hangup                           the client hangs up | timeout | shutdown | wait 20000 (milliseconds) |
//!                                     tick 5000 (milliseconds that pass with each look at the clock) |
//!                                     fail full | fail damage | fail refuse (the store's next append, the next message read)
//! 2C: …  2S: …                        the second connection, opened on first use and brought to the same start
//! ```

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod harness;
mod talk;

#[test]
fn transcripts() {
    let mut failures = Vec::new();
    for file in talk::files() {
        if let Err(why) = talk::run(&file) {
            failures.push(format!("{}:{why}", file.display()));
        }
    }
    assert!(failures.is_empty(), "\n{}\n{} transcripts failed", failures.join("\n"), failures.len());
}
