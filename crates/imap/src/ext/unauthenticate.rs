//! UNAUTHENTICATE (RFC 8437): back to the state before login, TLS and compression kept.

use account::Pending;

use crate::command::{Command, Cx, Done, Outcome};
use crate::registry::{CommandRow, Extension, Shown, UidForm, never};
use crate::session::{Modes, State, States};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "UNAUTHENTICATE",
    rfc: 8437,
    shown: Shown::AfterLogin,
    file: "ext/unauthenticate.rs",
    commands: &[UNAUTHENTICATE],
    ..Extension::NONE
};

const UNAUTHENTICATE: CommandRow = CommandRow {
    name: "UNAUTHENTICATE",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(Unauthenticate))
    },
};

struct Unauthenticate;

impl Command for Unauthenticate {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            // RFC 8437 3: the mailbox is closed without expunging, all that ENABLE switched on is off again.
            cx.session.state = State::NotAuthenticated;
            cx.session.modes = Modes::default();
            Done::ok("Begin again")
        })
    }
}
