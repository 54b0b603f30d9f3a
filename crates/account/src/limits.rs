//! Every bound of an account, with its unit and its reason. Reaching one is a refusal ([`crate::Refusal::Limit`]) or a
//! coarser answer, never a failure.

/// Mailboxes of one account. The directory is always in memory and LIST walks all of it; at some 200 bytes each this is
/// 20 MB, far beyond any real account.
pub const MAILBOXES_MAX: usize = 100_000;

/// Messages of one mailbox. The columns of a mailbox this large take 400 MB; beyond it sequence numbers and STATUS
/// still work, but no client does.
pub const MAILBOX_MESSAGES_MAX: u32 = 10_000_000;

/// Messages one entry may append (COPY, MOVE, MULTIAPPEND, RENAME of INBOX). At the 10 to 15 bytes a message takes it
/// keeps an entry within [`ENTRY_BYTES_MAX`]; larger ones are refused there.
pub const ENTRY_MESSAGES_MAX: usize = 1_000_000;

/// Bytes of one encoded entry: what a store must take in one piece.
pub const ENTRY_BYTES_MAX: usize = 16 << 20;

/// Changes in one entry. RENAME of a name with all its children is the longest, one change for each mailbox.
pub const ENTRY_CHANGES_MAX: usize = 4 * MAILBOXES_MAX;

/// Subscribed names of one account; names need not exist (RFC 9051, 6.3.7), so nothing else bounds them.
pub const SUBSCRIPTIONS_MAX: usize = 100_000;

/// Bytes of one keyword's name. RFC 9051 sets no bound; IMAP clients use some 20.
pub const KEYWORD_BYTES_MAX: usize = 128;

/// Accounts in the roster: its checkpoint must fit one manifest, at some 150 bytes an account.
pub const ROSTER_MAX: usize = 100_000;

/// Bytes of a roster name or of a credential (a PHC string is about 100).
pub const ROSTER_TEXT_BYTES_MAX: usize = 1_000;

/// Messages in one chunk of columns: what one flag change copies while another session holds the old value.
pub const CHUNK_ROWS_MAX: usize = 4_096;

/// Runs in a mailbox's list of expunged UIDs, 16 bytes each. When it is full the older half goes and the floor rises;
/// below the floor VANISHED over-reports, which RFC 7162 (3.2.10.2) allows.
pub const TOMBSTONE_RUNS_MAX: usize = 4_096;
