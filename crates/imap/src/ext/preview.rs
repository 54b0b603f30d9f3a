//! PREVIEW (RFC 8970): the first words of a message, made at delivery, so that LAZY and eager are the same.

use crate::command::fetch::{FetchItem, Fetched, Needs};
use crate::command::{Failure, Syntax};
use crate::registry::{Extension, FetchItemRow, Shown};
use crate::wire::{Bad, Reader, Writer};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "PREVIEW",
    rfc: 8970,
    shown: Shown::AfterLogin,
    file: "ext/preview.rs",
    fetch_items: &[FetchItemRow { name: "PREVIEW", parse }],
    ..Extension::NONE
};

struct Preview;

/// `"PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]`, where LAZY is the only modifier. Other parentheses may be the
/// modifiers of FETCH: `FETCH 1:* PREVIEW (CHANGEDSINCE 5)`.
fn parse(reader: &mut Reader<'_>, _: &Syntax) -> Result<Box<dyn FetchItem>, Bad> {
    let mut ahead = reader.clone();
    if ahead.eat(b" (") && ahead.eat_word("LAZY") && ahead.eat(b")") {
        *reader = ahead;
    }
    Ok(Box::new(Preview))
}

impl FetchItem for Preview {
    fn needs(&self) -> Needs {
        Needs::Summary
    }

    fn write(&self, message: &Fetched<'_>, writer: &mut Writer<'_>) -> Result<(), Failure> {
        writer.raw(b"PREVIEW ");
        writer.string(message.summary()?.preview().as_bytes());
        Ok(())
    }
}
