//! ENABLE (RFC 9051 6.3.1, RFC 5161).

use account::Pending;

use super::{Command, Cx, Done, Outcome, Syntax};
use crate::limits;
use crate::registry::{self, CommandRow, UidForm, never};
use crate::response::{Code, status};
use crate::session::{Mode, State, States};
use crate::wire::{Bad, Reader};

pub(crate) const ENABLE: CommandRow = CommandRow {
    name: "ENABLE",
    // RFC 5161 3.1 asks for it before SELECT; RFC 9051 6.3.1 and clients that come late are served as well.
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse,
};

struct Enable(Vec<(&'static str, Mode)>);

/// `enable = "ENABLE" 1*(SP capability)`; what is unknown or cannot be enabled is passed over in silence.
fn parse(reader: &mut Reader<'_>, _: &Syntax) -> Result<Box<dyn Command>, Bad> {
    let (mut modes, mut names) = (Vec::new(), 0);
    while names == 0 || !reader.is_empty() {
        reader.sp()?;
        let name = reader.atom()?;
        names += 1;
        if names > limits::ENABLE_NAMES_MAX {
            return Err(reader.bad("Too many names"));
        }
        modes.extend(registry::mode(name));
    }
    Ok(Box::new(Enable(modes)))
}

impl Command for Enable {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let mut enabled: Vec<&str> = Vec::new();
            for (name, mode) in self.0 {
                if cx.session.modes.has(mode) || enabled.contains(&name) {
                    continue;
                }
                if matches!(mode, Mode::CondStore | Mode::QResync)
                    && !cx.session.modes.has(Mode::CondStore)
                    && let State::Selected(_, selected) = &cx.session.state
                {
                    // RFC 7162 3.1.2.1 and 3.1: who enables late is told where the mailbox stands.
                    let code = Code::HighestModseq(selected.view.modseq());
                    status::untagged_ok(cx.peer.output(), Some(&code), "Highest");
                }
                cx.session.modes.enable(mode);
                enabled.push(name);
            }
            let mut writer = cx.writer();
            writer.raw(b"* ENABLED");
            for name in enabled {
                writer.raw(b" ");
                writer.raw(name.as_bytes());
            }
            writer.raw(b"\r\n");
            Done::ok("ENABLE completed")
        })
    }
}
