//! The other side of the connection, as the session sees it.

use account::Pending;

/// The peer went away, or writing to it failed or timed out. Nothing more can be said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// What the session waits for; the driver chooses the time-out by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The next command (or the rest of its line). RFC 9051 5.4: at least 30 minutes once authenticated, less before.
    Command,
    /// The octets of a literal that were announced.
    Literal,
    /// `DONE` (RFC 9051 6.3.13).
    Idle,
}

/// How waiting for input ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// There is more in [`Peer::input`].
    More,
    /// The peer closed its side.
    Closed,
    /// The time-out for this [`Wait`] passed: autologout.
    TimedOut,
    /// The server is going down: say BYE and close.
    ShuttingDown,
}

/// Octets in, octets out. The driver bounds its buffers: `input` holds at most one read's worth beyond what is asked for.
pub trait Peer: Send {
    /// Octets received and not yet consumed.
    fn input(&self) -> &[u8];

    /// Forgets the first octets of the input.
    fn consume(&mut self, octets: usize);

    /// Waits until [`Peer::input`] grows, or for one of the other ends. Safe to drop and call again: no octet is lost.
    /// Does not write; call [`Peer::drain`] first when the peer is owed an answer.
    fn fill(&mut self, wait: Wait) -> Pending<'_, Fill>;

    /// Octets to send. The session appends and calls [`Peer::drain`] at the end of a step and whenever more than
    /// [`crate::response::OUTPUT_BYTES_MAX`] have gathered.
    fn output(&mut self) -> &mut Vec<u8>;

    /// Writes the output out, waiting while the peer does not read (back-pressure), bounded by the write time-out.
    fn drain(&mut self) -> Pending<'_, Result<(), Gone>>;
}
