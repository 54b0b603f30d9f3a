//! CAPABILITY (RFC 9051 6.1.1).

use account::Pending;

use super::{Command, Cx, Done, Outcome};
use crate::registry::{self, CommandRow, UidForm, never};
use crate::session::States;

pub(crate) const CAPABILITY: CommandRow = CommandRow {
    name: "CAPABILITY",
    states: States::ANY,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(Capability))
    },
};

struct Capability;

impl Command for Capability {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let session = &cx.session;
            let logged_in = session.state.login().is_some();
            let shown = registry::capabilities(session.transport, logged_in, session.host.settings());
            let mut writer = cx.writer();
            writer.raw(b"* CAPABILITY ");
            writer.raw(shown.join(" ").as_bytes());
            writer.raw(b"\r\n");
            Done::ok("CAPABILITY completed")
        })
    }
}
