//! ID (RFC 2971).

use account::Pending;

use crate::command::{Command, Cx, Done, Outcome, Syntax};
use crate::limits;
use crate::registry::{CommandRow, Extension, Shown, UidForm, never};
use crate::session::States;
use crate::wire::{Bad, Reader};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "ID",
    rfc: 2971,
    shown: Shown::Always,
    file: "ext/id.rs",
    commands: &[ID],
    ..Extension::NONE
};

const ID: CommandRow =
    CommandRow { name: "ID", states: States::ANY, uid: UidForm::No, numbers: false, streams: never, parse };

struct Id(Vec<(String, String)>);

/// `id = "ID" SP ("(" [string SP nstring *(SP string SP nstring)] ")" / nil)`
fn parse(reader: &mut Reader<'_>, _: &Syntax) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let mut fields = Vec::new();
    if reader.eat(b"(") {
        while !reader.eat(b")") {
            if !fields.is_empty() {
                reader.sp()?;
            }
            if fields.len() >= limits::ID_FIELDS_MAX {
                return Err(reader.bad("More than 30 fields"));
            }
            let name = text(&reader.string()?, limits::ID_NAME_BYTES_MAX);
            reader.sp()?;
            let value =
                reader.nstring()?.map(|value| text(&value, limits::ID_VALUE_BYTES_MAX)).unwrap_or_default();
            fields.push((name, value));
        }
    } else if !reader.eat_word("NIL") {
        return Err(reader.bad("Expected NIL or a list"));
    }
    reader.end()?;
    Ok(Box::new(Id(fields)))
}

/// A field cut to its limit (RFC 2971 3.3), fit for a log line.
fn text(octets: &[u8], bytes_max: usize) -> String {
    let octets = &octets[..octets.len().min(bytes_max)];
    String::from_utf8_lossy(octets).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl Command for Id {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let host = cx.host().clone();
            host.identified(&self.0);
            let settings = host.settings();
            let mut writer = cx.writer();
            writer.raw(b"* ID (\"name\" ");
            writer.quoted(settings.server_name.as_bytes());
            writer.raw(b" \"version\" ");
            writer.quoted(settings.server_version.as_bytes());
            writer.raw(b")\r\n");
            Done::ok("ID completed")
        })
    }
}
