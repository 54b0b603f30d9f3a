//! Every limit of the protocol, with its unit and the reason for its size. `docs/limits.md` shows them to operators.

/// Octets of one command before login, literals not counted. RFC 7162 section 4 asks servers for at least 8,192;
/// nothing that is sent before login comes near.
pub const LINE_BYTES_BEFORE_LOGIN_MAX: usize = 8 * 1024;

/// Octets of one command after login, literals not counted: room for a UID set of some 10,000 scattered messages, which
/// is more than known clients send in one command.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Octets of one literal before login: names, passwords and SASL responses.
pub const LITERAL_BYTES_BEFORE_LOGIN_MAX: u64 = 4 * 1024;

/// Octets of one literal that is gathered in memory after login: mailbox names, search strings, header names. Messages
/// are not gathered, they stream.
pub const LITERAL_BYTES_MAX: u64 = 64 * 1024;

/// Octets of all literals of one command before login.
pub const LITERALS_BYTES_BEFORE_LOGIN_MAX: u64 = 8 * 1024;

/// Octets of all gathered literals of one command after login: with the line this bounds what one command holds.
pub const LITERALS_BYTES_MAX: u64 = 256 * 1024;

/// Literals of one command before login: LOGIN needs two, ID at most a few.
pub const LITERALS_BEFORE_LOGIN_MAX: usize = 8;

/// Gathered literals of one command after login: a search with that many strings is still one that a person could want.
pub const LITERALS_MAX: usize = 200;

/// Octets that are read and thrown away to get past a refused non-synchronising literal (RFC 7888 section 4), the rest
/// of its command included. Beyond it the connection is closed, which costs both sides less than reading on.
pub const SKIP_BYTES_MAX: u64 = 1024 * 1024;

/// Octets of a command's tag. It is repeated in the answer; clients use some ten.
pub const TAG_BYTES_MAX: usize = 255;

/// Search keys within each other (NOT, OR, parentheses), the innermost counted. Nothing written by a person comes near.
pub const NESTING_MAX: u8 = 50;

/// Ranges in one sequence set: no line of [`LINE_BYTES_MAX`] with real UIDs holds more, so only padding is refused.
pub const SET_RANGES_MAX: usize = 16 * 1024;

/// Octets of a client's SASL response line (RFC 4422): PLAIN in base64 with a long password.
pub const SASL_LINE_BYTES_MAX: usize = 8 * 1024;

/// Octets of a line while IDLE runs; only `DONE` makes sense (RFC 9051 6.3.13).
pub const IDLE_LINE_BYTES_MAX: usize = 256;

/// Messages in one APPEND (RFC 3502): they become one entry and appear together.
pub const APPEND_MESSAGES_MAX: usize = 1_000;

/// Data items in one FETCH. There are some 30 kinds; sections of different parts count one by one.
pub const FETCH_ITEMS_MAX: usize = 256;

/// Items in one STATUS; there are ten.
pub const STATUS_ITEMS_MAX: usize = 32;

/// Patterns in one LIST (RFC 5258): each is matched against each mailbox.
pub const LIST_PATTERNS_MAX: usize = 32;

/// Selection or return options in one LIST; there are ten.
pub const LIST_OPTIONS_MAX: usize = 32;

/// Names in one ENABLE (RFC 5161); unknown ones are allowed and ignored.
pub const ENABLE_NAMES_MAX: usize = 64;

/// Special uses in one CREATE (RFC 6154); there are nine.
pub const ROLES_MAX: usize = 16;

/// Fields in one ID (RFC 2971 3.3 says 30).
pub const ID_FIELDS_MAX: usize = 30;

/// Octets of a field's name in ID (RFC 2971 3.3 says 30).
pub const ID_NAME_BYTES_MAX: usize = 30;

/// Octets of a field's value in ID (RFC 2971 3.3 says 1,024).
pub const ID_VALUE_BYTES_MAX: usize = 1_024;

/// Failed commands in a row after which the connection is closed: a client that gets so many wrong is not one.
pub const BAD_COMMANDS_MAX: u32 = 20;

/// Keys in one SEARCH.
pub const SEARCH_KEYS_MAX: usize = 4_096;

/// RETURN options in one SEARCH; there are six.
pub const SEARCH_RETURNS_MAX: usize = 16;

/// Numbers in a section such as `1.2.3` (RFC 9051 6.4.5.1): deeper than the structure that is kept of any message.
pub const SECTION_LEVELS_MAX: usize = 128;

/// Names in one HEADER.FIELDS.
pub const HEADER_FIELDS_MAX: usize = 1_000;

/// Octets of a header that HEADER.FIELDS, and SEARCH BODY within a message, look through. `BODY[HEADER]` gives all of it.
pub const HEADER_BYTES_MAX: u64 = 1024 * 1024;
