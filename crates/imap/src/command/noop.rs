//! NOOP (RFC 9051 6.1.2) and CHECK (RFC 3501 6.4.1): nothing but a chance to be told what changed.

use account::Pending;

use super::{Command, Cx, Done, Outcome};
use crate::registry::{CommandRow, UidForm, never};
use crate::session::States;

pub(crate) const NOOP: CommandRow = CommandRow {
    name: "NOOP",
    states: States::ANY,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(Nothing("NOOP completed")))
    },
};

/// Everything acknowledged is durable already, so there is nothing to check.
pub(crate) const CHECK: CommandRow = CommandRow {
    name: "CHECK",
    states: States::SELECTED,
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(Nothing("CHECK completed")))
    },
    ..NOOP
};

struct Nothing(&'static str);

impl Command for Nothing {
    fn run<'a>(self: Box<Self>, _cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move { Done::ok(self.0) })
    }
}
