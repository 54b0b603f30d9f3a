//! Special-use attributes (RFC 6154, RFC 8457): which there are and how they are spelt.

/// The attributes a mailbox can have here. Each is held by one mailbox of an account at most.
pub const ROLES: [&str; 8] =
    ["\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash"];

/// The one spelling of an attribute, which is case-insensitive.
pub(crate) fn canonical(role: &str) -> Option<&'static str> {
    ROLES.into_iter().find(|known| known.eq_ignore_ascii_case(role))
}
