//! STARTTLS and LOGINDISABLED (RFC 9051 6.2.1, 6.2.3).

use account::Pending;

use crate::command::{Command, Cx, Done, Failure, Outcome};
use crate::registry::{CommandRow, Extension, Shown, UidForm, never};
use crate::session::{Next, States};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "STARTTLS",
    rfc: 9051,
    shown: Shown::StartTls,
    file: "ext/starttls.rs",
    commands: &[STARTTLS],
    ..Extension::NONE
};

/// Shown instead of AUTH=PLAIN where passwords may not travel.
pub(crate) const LOGINDISABLED: Extension = Extension {
    capability: "LOGINDISABLED",
    rfc: 9051,
    shown: Shown::LoginDisabled,
    file: "ext/starttls.rs",
    ..Extension::NONE
};

const STARTTLS: CommandRow = CommandRow {
    name: "STARTTLS",
    states: States::NOT_AUTHENTICATED,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(StartTls))
    },
};

struct StartTls;

impl Command for StartTls {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            if !cx.session.transport.starttls || cx.session.transport.secure {
                return Err(Failure::bad("STARTTLS is not possible here"));
            }
            if cx.session.compressed {
                return Err(Failure::bad("STARTTLS is not possible under compression"));
            }
            Ok(Done { code: None, text: "Begin TLS negotiation now".into(), next: Some(Next::StartTls) })
        })
    }
}
