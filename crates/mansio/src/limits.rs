//! The server's own limits: defaults that the operator can change (`limits` in the configuration) and bounds that
//! nobody can. What the protocol limits is in `imap::limits`.

/// Connections at once, all together. 20,000 idle ones fit some 500 MB; a descriptor each.
pub const CONNECTIONS_MAX: u64 = 20_000;

/// Connections at once from one address (one /64 of IPv6), loopback excepted: web mail and local proxies come from there.
/// A client keeps 5 to 10; an office behind one address has a dozen people.
pub const CONNECTIONS_PER_ADDRESS_MAX: u64 = 120;

/// Connections at once that have not logged in: strangers never take the places of customers.
pub const CONNECTIONS_BEFORE_LOGIN_MAX: u64 = 1_000;

/// Password checks at once. Each takes one core for some 30 ms and [`HASH_MEMORY_KIB`] of memory.
pub const HASHES_AT_ONCE_MAX: u64 = 2;

/// Password checks that may wait for their turn; beyond it the answer is "try later", not memory.
pub const HASHES_WAITING_MAX: usize = 200;

/// Argon2id memory in KiB: the OWASP recommendation (19 MiB, 2 passes, 1 lane), which keeps a login near 30 ms on one core.
pub const HASH_MEMORY_KIB: u32 = 19 * 1024;

/// Argon2id passes over that memory.
pub const HASH_PASSES: u32 = 2;

/// Longest password in octets; nobody types more, and hashing it stays cheap.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// Longest account name in octets: `local@domain` of RFC 5321 4.5.3.1 (64 + 1 + 255).
pub const ACCOUNT_NAME_BYTES_MAX: usize = 320;

/// Seconds a connection may take to log in, from its first octet. RFC 9051 5.4 protects only those logged in.
pub const LOGIN_SECONDS_MAX: u64 = 60;

/// Seconds without a command after login. RFC 9051 5.4 demands 30 minutes; clients that renew IDLE every 29 need a margin.
pub const IDLE_SECONDS_MAX: u64 = 31 * 60;

/// Least value of the setting behind [`IDLE_SECONDS_MAX`] (RFC 9051 5.4).
pub const IDLE_SECONDS_MIN: u64 = 30 * 60;

/// Seconds without one octet of a literal that was announced.
pub const LITERAL_SECONDS_MAX: u64 = 5 * 60;

/// Seconds in which the peer must take at least one octet of what it is owed.
pub const WRITE_SECONDS_MAX: u64 = 5 * 60;

/// Seconds for a TLS handshake, whole.
pub const HANDSHAKE_SECONDS_MAX: u64 = 15;

/// Seconds that sessions get to hear BYE and commits to finish when the server goes down.
pub const SHUTDOWN_SECONDS_MAX: u64 = 10;

/// Largest message in octets (APPENDLIMIT, RFC 7889).
pub const MESSAGE_BYTES_MAX: u64 = 100 * 1024 * 1024;

/// Octets of message columns kept in memory for all accounts together.
pub const MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Octets taken from the socket by one read.
pub const READ_BYTES_MAX: usize = 16 * 1024;

/// Deflated octets taken in without one inflated octet coming out before the peer is dropped: empty blocks for ever.
pub const DEFLATE_BARREN_BYTES_MAX: u64 = 64 * 1024;

/// Octets read and thrown away after BYE so that the peer gets to see it (a close with unread input is a reset).
pub const LINGER_BYTES_MAX: usize = 256 * 1024;

/// Milliseconds for that.
pub const LINGER_MILLIS_MAX: u64 = 1_000;

/// Addresses and names under watch for failed logins, each. At 50 octets the table stays near 3 MB.
pub const THROTTLE_ENTRIES_MAX: usize = 65_536;

/// Verified passwords remembered as keyed hashes.
pub const LOGIN_CACHE_ENTRIES_MAX: usize = 50_000;

/// Octets of one request on the control socket.
pub const CONTROL_LINE_BYTES_MAX: u64 = 64 * 1024;

/// Messages that an import commits together: one sync for all of them, and what a crash makes the next run read again.
pub const IMPORT_BATCH_MESSAGES_MAX: usize = 400;

/// Octets of messages that an import commits together.
pub const IMPORT_BATCH_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Octets read from a file or a body at a time.
pub const COPY_BYTES_MAX: usize = 64 * 1024;

/// Octets of an HTTP request to the metrics port.
pub const METRICS_REQUEST_BYTES_MAX: usize = 4 * 1024;
