//! LIST and LSUB responses (RFC 9051 7.3.1, RFC 3501 7.2.3).

use account::{Account, MailboxName};

use crate::wire::Writer;

/// The extended data item of a LIST response (RFC 9051 6.3.9.6).
#[derive(Clone, Copy)]
pub(crate) enum Extended<'a> {
    /// Names below match the selection option of that name.
    ChildInfo(&'static str),
    /// The name that the client, or an earlier time, used for the mailbox.
    OldName(&'a str),
}

/// `* LIST (attributes) "/" name [("CHILDINFO" ("SUBSCRIBED"))]`
pub(crate) fn line(
    writer: &mut Writer<'_>,
    kind: &str,
    attributes: &[&str],
    name: &str,
    extended: Option<Extended<'_>>,
) {
    open(writer, kind, attributes);
    writer.mailbox_str(name);
    match extended {
        Some(Extended::ChildInfo(selection)) => {
            writer.raw(b" (\"CHILDINFO\" (");
            writer.quoted(selection.as_bytes());
            writer.raw(b"))");
        }
        Some(Extended::OldName(old)) => {
            writer.raw(b" (\"OLDNAME\" (");
            writer.mailbox_str(old);
            writer.raw(b"))");
        }
        None => {}
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

/// The LIST response of a SELECT (RFC 9051 6.3.2), and of whatever else tells a mailbox's canonical name.
pub(crate) fn mailbox(writer: &mut Writer<'_>, account: &Account, name: &MailboxName, old: Option<&str>) {
    let children = if account.directory().has_children(name) { "\\HasChildren" } else { "\\HasNoChildren" };
    let subscribed = account.directory().subscriptions().contains(name);
    let mut attributes = vec![children];
    attributes.extend(subscribed.then_some("\\Subscribed"));
    line(writer, "LIST", &attributes, name.as_str(), old.map(Extended::OldName));
}
