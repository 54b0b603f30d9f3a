//! LOGOUT (RFC 9051 6.1.3).

use account::Pending;

use super::{Command, Cx, Done, Outcome};
use crate::registry::{CommandRow, UidForm, never};
use crate::response::status;
use crate::session::{Next, States};

pub(crate) const LOGOUT: CommandRow = CommandRow {
    name: "LOGOUT",
    states: States::ANY,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(Logout))
    },
};

struct Logout;

impl Command for Logout {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            status::bye(cx.peer.output(), None, "Until next time");
            Ok(Done { code: None, text: "LOGOUT completed".into(), next: Some(Next::Close) })
        })
    }
}
