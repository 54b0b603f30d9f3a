//! Typed responses and response codes; knows the modes, uses the writer.

pub(crate) mod code;
pub(crate) mod fetch;
pub(crate) mod list;
pub(crate) mod mailbox;
pub(crate) mod status;

pub(crate) use code::Code;

/// Output that may gather before the peer must take it: enough for one large write, little enough for 100,000 sessions.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024;
