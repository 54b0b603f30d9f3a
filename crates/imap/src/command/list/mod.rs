//! LIST (RFC 9051 6.3.9) with its selection and return options (RFC 5258, 5819, 6154), LSUB (RFC 3501 6.3.9) and
//! NAMESPACE (RFC 9051 6.3.10): all answered from the directory.

mod lsub;
mod pattern;
mod tree;

use account::{MailboxName, Pending};

use super::status::StatusItems;
use super::{Command, Cx, Done, Outcome, Syntax};
use crate::limits;
use crate::registry::{self, CommandRow, ListOptionRow, UidForm, never};
use crate::response::list as response;
use crate::session::States;
use crate::wire::{Bad, Reader};

pub(crate) use lsub::LSUB;
use pattern::Pattern;
use tree::Tree;

pub(crate) const LIST: CommandRow = CommandRow {
    name: "LIST",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse,
};

pub(crate) const NAMESPACE: CommandRow = CommandRow {
    name: "NAMESPACE",
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(Namespace))
    },
    ..LIST
};

/// What an option of LIST does.
#[derive(Clone)]
pub(crate) enum ListOption {
    /// Only subscribed names, existing or not.
    SelectSubscribed,
    /// Only mailboxes with a special use.
    SelectSpecialUse,
    /// Also parents of what is selected.
    RecursiveMatch,
    /// `\Subscribed` is shown.
    ReturnSubscribed,
    /// A STATUS response behind each.
    ReturnStatus(StatusItems),
    /// Accepted, and shown anyway: CHILDREN, SPECIAL-USE; REMOTE (there are no remote mailboxes).
    Always,
}

pub(crate) const SELECT_SUBSCRIBED: ListOptionRow =
    ListOptionRow { name: "SUBSCRIBED", selects: true, parse: |_, _| Ok(ListOption::SelectSubscribed) };
pub(crate) const SELECT_REMOTE: ListOptionRow =
    ListOptionRow { name: "REMOTE", selects: true, parse: |_, _| Ok(ListOption::Always) };
pub(crate) const SELECT_RECURSIVE: ListOptionRow =
    ListOptionRow { name: "RECURSIVEMATCH", selects: true, parse: |_, _| Ok(ListOption::RecursiveMatch) };
pub(crate) const SELECT_SPECIAL_USE: ListOptionRow =
    ListOptionRow { name: "SPECIAL-USE", selects: true, parse: |_, _| Ok(ListOption::SelectSpecialUse) };
pub(crate) const RETURN_SUBSCRIBED: ListOptionRow =
    ListOptionRow { name: "SUBSCRIBED", selects: false, parse: |_, _| Ok(ListOption::ReturnSubscribed) };
pub(crate) const RETURN_CHILDREN: ListOptionRow =
    ListOptionRow { name: "CHILDREN", selects: false, parse: |_, _| Ok(ListOption::Always) };
pub(crate) const RETURN_SPECIAL_USE: ListOptionRow =
    ListOptionRow { name: "SPECIAL-USE", selects: false, parse: |_, _| Ok(ListOption::Always) };
pub(crate) const RETURN_STATUS: ListOptionRow = ListOptionRow {
    name: "STATUS",
    selects: false,
    parse: |reader, _| {
        reader.sp()?;
        Ok(ListOption::ReturnStatus(StatusItems::parse(reader)?))
    },
};

/// What one LIST asks for.
#[derive(Default)]
struct Wanted {
    patterns: Vec<Pattern>,
    subscribed: bool,
    special_use: bool,
    recursive: bool,
    show_subscribed: bool,
    status: Option<StatusItems>,
}

struct List {
    wanted: Wanted,
    /// `LIST "" ""`: only the delimiter is asked for.
    root: bool,
}

/// `list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]`
fn parse(reader: &mut Reader<'_>, syntax: &Syntax) -> Result<Box<dyn Command>, Bad> {
    let mut wanted = Wanted::default();
    reader.sp()?;
    if reader.eat(b"(") {
        options(reader, syntax, true, &mut wanted)?;
        if wanted.recursive && !(wanted.subscribed || wanted.special_use) {
            // RFC 5258 3.1
            return Err(reader.bad("RECURSIVEMATCH needs another selection option"));
        }
        reader.sp()?;
    }
    let utf8 = syntax.modes.utf8_names();
    let reference = reader.list_mailbox(utf8)?;
    reader.sp()?;
    let mut root = false;
    if reader.eat(b"(") {
        loop {
            let pattern = reader.list_mailbox(utf8)?;
            if wanted.patterns.len() >= limits::LIST_PATTERNS_MAX {
                return Err(reader.bad("Too many patterns"));
            }
            wanted.patterns.push(Pattern::new(&reference, &pattern));
            if reader.eat(b")") {
                break;
            }
            reader.sp()?;
        }
    } else {
        let pattern = reader.list_mailbox(utf8)?;
        root = pattern.is_empty();
        wanted.patterns.push(Pattern::new(&reference, &pattern));
    }
    if !reader.is_empty() {
        reader.sp()?;
        if !reader.eat_word("RETURN") {
            return Err(reader.bad("Expected RETURN"));
        }
        reader.sp()?;
        reader.expect(b"(")?;
        options(reader, syntax, false, &mut wanted)?;
    }
    reader.end()?;
    Ok(Box::new(List { wanted, root }))
}

/// Options up to the closing parenthesis; none at all is fine.
fn options(reader: &mut Reader<'_>, syntax: &Syntax, selects: bool, wanted: &mut Wanted) -> Result<(), Bad> {
    let mut count = 0;
    while !reader.eat(b")") {
        if count > 0 {
            reader.sp()?;
        }
        count += 1;
        if count > limits::LIST_OPTIONS_MAX {
            return Err(reader.bad("Too many options"));
        }
        let name = reader.atom()?;
        let row = registry::list_option(name, selects).ok_or_else(|| reader.bad("Unknown LIST option"))?;
        match (row.parse)(reader, syntax)? {
            // RFC 5258 3.1: SUBSCRIBED as selection implies it as return option.
            ListOption::SelectSubscribed => (wanted.subscribed, wanted.show_subscribed) = (true, true),
            ListOption::SelectSpecialUse => wanted.special_use = true,
            ListOption::RecursiveMatch => wanted.recursive = true,
            ListOption::ReturnSubscribed => wanted.show_subscribed = true,
            ListOption::ReturnStatus(items) => wanted.status = Some(items),
            ListOption::Always => {}
        }
    }
    Ok(())
}

impl Command for List {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            if self.root {
                response::root(&mut cx.writer(), "LIST");
                return Done::ok("LIST completed");
            }
            if let Some(items) = &self.wanted.status {
                for mode in items.enables() {
                    cx.enable_condstore(mode)?;
                }
            }
            let account = cx.account()?;
            let host = cx.host().clone();
            let now = account.account();
            let tree = Tree::of(now.directory());
            for node in tree.select(&self.wanted) {
                response::line(
                    &mut cx.writer(),
                    "LIST",
                    &node.attributes(&self.wanted),
                    node.name,
                    node.child_info,
                );
                if let (Some(items), Some(facts)) = (&self.wanted.status, node.facts) {
                    items.write(facts, &*account, host.settings(), &mut cx.writer());
                }
                cx.relieve().await?;
            }
            Done::ok("LIST completed")
        })
    }
}

struct Namespace;

impl Command for Namespace {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let mut writer = cx.writer();
            writer.raw(b"* NAMESPACE ((\"\" ");
            writer.quoted(MailboxName::DELIMITER.to_string().as_bytes());
            writer.raw(b")) NIL NIL\r\n");
            Done::ok("NAMESPACE completed")
        })
    }
}
