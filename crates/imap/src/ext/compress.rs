//! COMPRESS=DEFLATE (RFC 4978). The driver deflates; here it is only agreed.

use account::Pending;

use crate::command::{Command, Cx, Done, Failure, Outcome};
use crate::registry::{CommandRow, Extension, Shown, UidForm, never};
use crate::response::Code;
use crate::session::{Next, States};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "COMPRESS=DEFLATE",
    rfc: 4978,
    shown: Shown::AfterLogin,
    file: "ext/compress.rs",
    commands: &[COMPRESS],
    ..Extension::NONE
};

const COMPRESS: CommandRow = CommandRow {
    name: "COMPRESS",
    // Before login it would only give the unknown a decompressor to play with.
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, _| {
        reader.sp()?;
        let deflate = reader.atom()?.eq_ignore_ascii_case(b"DEFLATE");
        reader.end()?;
        Ok(Box::new(Compress { deflate }))
    },
};

struct Compress {
    deflate: bool,
}

impl Command for Compress {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            if !self.deflate {
                return Err(Failure::bad("The only mechanism is DEFLATE"));
            }
            if std::mem::replace(&mut cx.session.compressed, true) {
                return Err(Failure::no(Code::CompressionActive, "DEFLATE is active already"));
            }
            Ok(Done { code: None, text: "DEFLATE active".into(), next: Some(Next::Compress) })
        })
    }
}
