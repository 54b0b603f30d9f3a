//! Where a command ends does not depend on how its octets arrive, and what is gathered stays within its limits.
#![no_main]

use imap::wire::{Framed, Framer, FramerLimits};
use libfuzzer_sys::fuzz_target;

/// Small, so that short inputs reach them.
const LIMITS: FramerLimits =
    FramerLimits { line_bytes_max: 200, literal_bytes_max: 40, literals_bytes_max: 80, literals_max: 3 };
/// What a line and its literals can come to, announcements included.
const COMMAND_BYTES_MAX: usize = 400;

fuzz_target!(|bytes: &[u8]| {
    let Some((size, input)) = bytes.split_first() else { return };
    let whole = frames(input, input.len());
    let pieces = frames(input, usize::from(*size));
    assert_eq!(whole, pieces);
});

/// What a connection's octets come to, arriving in pieces of a size.
fn frames(input: &[u8], size: usize) -> Vec<(Framed, Vec<u8>)> {
    let streams = |command: &[u8]| command.windows(6).any(|word| word == b"APPEND");
    let mut framer = Framer::new();
    let mut frames = Vec::new();
    let mut arrived = 0;
    let mut at = 0;
    loop {
        let (consumed, framed) = framer.advance(&input[at..arrived], &LIMITS, &streams);
        at += consumed;
        assert!(at <= arrived);
        let command = match &framed {
            Framed::Incomplete => {
                if arrived == input.len() {
                    return frames;
                }
                arrived = (arrived + size.max(1)).min(input.len());
                continue;
            }
            Framed::Command | Framed::Streamed(_) => framer.take(),
            Framed::Continue | Framed::Broken(_) => Vec::new(),
        };
        assert!(command.len() <= COMMAND_BYTES_MAX);
        let fatal = matches!(&framed, Framed::Broken(error) if error.fatal);
        if let Framed::Streamed(mark) = framed {
            // Half of the literals are read, half are refused unread.
            let octets = mark.octets.min(u64::from(u16::MAX)) as usize;
            if octets % 2 == 0 && mark.octets == octets as u64 {
                at = (at + octets).min(input.len());
                arrived = arrived.max(at);
                framer.resume();
            } else {
                framer.abandon(Some(mark));
            }
        }
        frames.push((framed, command));
        if fatal {
            return frames;
        }
    }
}
