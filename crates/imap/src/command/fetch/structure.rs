//! FETCH items that the summary answers: ENVELOPE, BODY and BODYSTRUCTURE (RFC 9051 7.5.2). Strings were measured at
//! delivery, so that writing them is mostly copying.

use message::{Addresses, Envelope, Params, Part, Text};

use super::body;
use super::{FetchItem, Fetched, Needs};
use crate::command::Failure;
use crate::registry::FetchItemRow;
use crate::wire::Writer;

pub(crate) const ITEMS: &[FetchItemRow] = &[
    FetchItemRow { name: "ENVELOPE", parse: |_, _| Ok(Box::new(EnvelopeItem)) },
    FetchItemRow { name: "BODYSTRUCTURE", parse: |_, _| Ok(Box::new(Structure { extended: true })) },
    FetchItemRow {
        name: "BODY",
        parse: |reader, _| {
            if reader.peek() == Some(b'[') {
                body::parse(reader, "BODY", true)
            } else {
                Ok(Box::new(Structure { extended: false }))
            }
        },
    },
];

struct EnvelopeItem;

struct Structure {
    extended: bool,
}

impl FetchItem for EnvelopeItem {
    fn needs(&self) -> Needs {
        Needs::Summary
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(b"ENVELOPE ");
        envelope(writer, &message.summary()?.envelope());
        Ok(())
    }
}

impl FetchItem for Structure {
    fn needs(&self) -> Needs {
        Needs::Summary
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(if self.extended { b"BODYSTRUCTURE " } else { b"BODY " });
        part(writer, &message.summary()?.structure(), self.extended);
        Ok(())
    }
}

/// `"(" env-date SP env-subject SP env-from SP … SP env-message-id ")"`
fn envelope(writer: &mut Writer<'_>, envelope: &Envelope<'_>) {
    writer.raw(b"(");
    text(writer, envelope.date);
    writer.raw(b" ");
    text(writer, envelope.subject);
    for list in [envelope.from, envelope.sender, envelope.reply_to, envelope.to, envelope.cc, envelope.bcc] {
        writer.raw(b" ");
        addresses(writer, list);
    }
    writer.raw(b" ");
    text(writer, envelope.in_reply_to);
    writer.raw(b" ");
    text(writer, envelope.message_id);
    writer.raw(b")");
}

/// `"(" 1*address ")" / nil`; groups are addresses without a host (RFC 9051 7.5.2).
fn addresses(writer: &mut Writer<'_>, list: Addresses<'_>) {
    let mut any = false;
    for address in list.iter() {
        writer.raw(if any { b"(" } else { b"((" });
        any = true;
        text(writer, address.name);
        writer.raw(b" ");
        text(writer, address.route);
        writer.raw(b" ");
        text(writer, address.mailbox);
        writer.raw(b" ");
        text(writer, address.host);
        writer.raw(b")");
    }
    writer.raw(if any { b")" } else { b"NIL" });
}

/// `body`. The depth was bounded when the message was scanned.
fn part(writer: &mut Writer<'_>, this: &Part<'_>, extended: bool) {
    writer.raw(b"(");
    if this.is_multipart() {
        for child in this.children() {
            part(writer, &child, extended);
        }
        writer.raw(b" ");
        text(writer, this.subtype());
        if extended {
            writer.raw(b" ");
            params(writer, this.params());
        }
    } else {
        leaf(writer, this, extended);
        if extended {
            writer.raw(b" ");
            text(writer, this.md5());
        }
    }
    if extended {
        writer.raw(b" ");
        disposition(writer, this);
        writer.raw(b" ");
        languages(writer, this);
        writer.raw(b" ");
        text(writer, this.location());
    }
    writer.raw(b")");
}

/// `body-type-basic`, `body-type-text` or `body-type-msg`
fn leaf(writer: &mut Writer<'_>, this: &Part<'_>, extended: bool) {
    text(writer, this.media_type());
    writer.raw(b" ");
    text(writer, this.subtype());
    writer.raw(b" ");
    params(writer, this.params());
    writer.raw(b" ");
    text(writer, this.id());
    writer.raw(b" ");
    text(writer, this.description());
    writer.raw(b" ");
    text(writer, this.encoding());
    writer.raw(b" ");
    writer.number(this.octets());
    if let (Some(inner), Some(structure)) = (this.envelope(), this.nested()) {
        writer.raw(b" ");
        envelope(writer, &inner);
        writer.raw(b" ");
        part(writer, &structure, extended);
    }
    if this.is_text() || this.is_message() {
        writer.raw(b" ");
        writer.number(this.lines());
    }
}

/// `"(" string SP string *(SP string SP string) ")" / nil`
fn params(writer: &mut Writer<'_>, list: Params<'_>) {
    let mut any = false;
    for (name, value) in list.iter() {
        writer.raw(if any { b" " } else { b"(" });
        any = true;
        text(writer, name);
        writer.raw(b" ");
        text(writer, value);
    }
    writer.raw(if any { b")" } else { b"NIL" });
}

fn disposition(writer: &mut Writer<'_>, this: &Part<'_>) {
    let kind = this.disposition();
    if kind.is_nil() {
        return writer.raw(b"NIL");
    }
    writer.raw(b"(");
    text(writer, kind);
    writer.raw(b" ");
    params(writer, this.disposition_params());
    writer.raw(b")");
}

fn languages(writer: &mut Writer<'_>, this: &Part<'_>) {
    let mut any = false;
    for language in this.languages().iter() {
        writer.raw(if any { b" " } else { b"(" });
        any = true;
        text(writer, language);
    }
    writer.raw(if any { b")" } else { b"NIL" });
}

fn text(writer: &mut Writer<'_>, text: Text<'_>) {
    writer.text(text);
}
