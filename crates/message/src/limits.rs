//! Every limit of the parsed view, with its unit and its reason.
//!
//! A limit never touches the message: its octets are stored and returned as they came. It only bounds what is *said about*
//! the message, so that no mail, however hostile, costs more than linear time and a few megabytes.

/// Nesting of multiparts and messages. A part that would go deeper is one opaque leaf. Real mail stays below 20.
pub const DEPTH_MAX: usize = 100;

/// Parts listed for one message. What follows the last one belongs to it; a multipart that is left empty by this limit still
/// gets the one empty part that the grammar of BODYSTRUCTURE demands.
pub const PARTS_MAX: usize = 10_000;

/// Octets of one header (of the message, a part, or a nested message) that are looked at. Dovecot and Gmail draw the line
/// near here too; a header of this size holds some 5,000 addresses.
pub const HEADER_BYTES_MAX: usize = 256 * 1024;

/// Octets of all headers of a message that are looked at together. Bounds the memory of a scan: without it, 10,000 parts
/// with a large header each would be kept.
pub const HEADERS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Header fields of one header that are looked at.
pub const FIELDS_MAX: usize = 10_000;

/// Addresses listed in the envelopes of one message, group markers included. An address costs four strings in the answer.
pub const ADDRESSES_MAX: usize = 20_000;

/// Parameters listed for one Content-Type or Content-Disposition, after continuations are joined (RFC 2231 section 3).
pub const PARAMS_MAX: usize = 100;

/// Parameters of one field that are looked at before continuations are joined.
pub const PARAM_SEGMENTS_MAX: usize = 1_000;

/// Language tags listed for one Content-Language (RFC 3282).
pub const LANGUAGES_MAX: usize = 100;

/// Octets of a boundary. RFC 2046 section 5.1.1 allows 70; a part with a longer one than this is text.
pub const BOUNDARY_OCTETS_MAX: usize = 1_000;

/// Octets of a delimiter line with dashes, boundary, transport padding and line end. A longer line is content.
pub const DELIMITER_OCTETS_MAX: usize = BOUNDARY_OCTETS_MAX + 100;

/// Characters of the preview. RFC 8970 section 3.1 allows 256 and recommends no more than 200.
pub const PREVIEW_CHARS_MAX: usize = 200;

/// Characters of one text part that are looked at for a preview: past the style sheets at the head of HTML, but not for ever.
pub const PREVIEW_LOOK_CHARS_MAX: usize = 64 * 1024;

/// Octets of folded body text that ride along for SEARCH. Nine of ten mails fit; the rest are searched in their octets.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Octets of a subject that are looked at for its base subject and sort keys.
pub const SORT_KEY_BYTES_MAX: usize = 4 * 1024;

/// Message ids kept of one References field, the newest ones: a thread is found by the last, and long ones are mailing loops.
pub const REFERENCES_MAX: usize = 100;

/// Octets of one message id kept for threading.
pub const MESSAGE_ID_OCTETS_MAX: usize = 1_000;

/// Combining marks in a row that are put in canonical order; more than this is decoration (UAX #15 section 13 chose 30).
pub const COMBINING_MARKS_MAX: usize = 30;

/// White space in a row that a quoted-printable decoder holds back to see whether a line ends after it.
pub const QUOTED_PRINTABLE_PADDING_MAX: usize = 1_000;
