//! LSUB (RFC 3501 6.3.9): subscribed names that match, and with `%` the parents of those that do not.

use std::collections::BTreeMap;

use account::Pending;

use super::LIST;
use super::pattern::Pattern;
use super::tree::parents;
use crate::command::{Command, Cx, Done, Outcome};
use crate::registry::CommandRow;
use crate::response::list as response;

pub(crate) const LSUB: CommandRow = CommandRow {
    name: "LSUB",
    parse: |reader, syntax| {
        reader.sp()?;
        let utf8 = syntax.modes.utf8_names();
        let reference = reader.list_mailbox(utf8)?;
        reader.sp()?;
        let pattern = reader.list_mailbox(utf8)?;
        reader.end()?;
        Ok(Box::new(Lsub { root: pattern.is_empty(), pattern: Pattern::new(&reference, &pattern) }))
    },
    ..LIST
};

struct Lsub {
    root: bool,
    pattern: Pattern,
}

impl Command for Lsub {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            if self.root {
                response::root(&mut cx.writer(), "LSUB");
                return Done::ok("LSUB completed");
            }
            let now = cx.account()?.account();
            // Name → is it subscribed itself, or only the parent of one that does not match?
            let mut names: BTreeMap<&str, bool> = BTreeMap::new();
            for name in now.directory().subscriptions() {
                if self.pattern.matches(name.as_str()) {
                    names.insert(name.as_str(), true);
                } else if let Some(parent) =
                    parents(name.as_str()).find(|parent| self.pattern.matches(parent))
                {
                    names.entry(parent).or_insert(false);
                }
            }
            for (name, subscribed) in names {
                let attributes: &[&str] = if subscribed { &[] } else { &["\\Noselect"] };
                response::line(&mut cx.writer(), "LSUB", attributes, name, None);
                cx.relieve().await?;
            }
            Done::ok("LSUB completed")
        })
    }
}
