//! LIST and LSUB responses (RFC 9051 7.3.1, RFC 3501 7.2.3).

use account::{Account, MailboxName};

use crate::wire::Writer;

/// `* LIST (attributes) "/" name [("CHILDINFO" ("SUBSCRIBED"))]`
pub(crate) fn line(
    writer: &mut Writer<'_>,
    kind: &str,
    attributes: &[&str],
    name: &str,
    child_info: Option<&str>,
) {
    open(writer, kind, attributes);
    writer.mailbox_str(name);
    if let Some(selection) = child_info {
        writer.raw(b" (\"CHILDINFO\" (");
        writer.quoted(selection.as_bytes());
        writer.raw(b"))");
    }
    writer.raw(b"\r\n");
}

/// `* LIST (\Noselect) "/" ""`: the answer to an empty pattern, which asks for the delimiter.
pub(crate) fn root(writer: &mut Writer<'_>, kind: &str) {
    open(writer, kind, &["\\Noselect"]);
    writer.raw(b"\"\"\r\n");
}

fn open(writer: &mut Writer<'_>, kind: &str, attributes: &[&str]) {
    writer.raw(b"* ");
    writer.raw(kind.as_bytes());
    writer.raw(b" (");
    writer.raw(attributes.join(" ").as_bytes());
    writer.raw(b") ");
    writer.quoted(MailboxName::DELIMITER.to_string().as_bytes());
    writer.raw(b" ");
}

/// The LIST response of a SELECT (RFC 9051 6.3.2).
pub(crate) fn selected(writer: &mut Writer<'_>, account: &Account, name: &MailboxName) {
    let children = if account.directory().has_children(name) { "\\HasChildren" } else { "\\HasNoChildren" };
    let subscribed = account.directory().subscriptions().contains(name);
    let mut attributes = vec![children];
    attributes.extend(subscribed.then_some("\\Subscribed"));
    line(writer, "LIST", &attributes, name.as_str(), None);
}
