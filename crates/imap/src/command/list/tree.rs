//! The names LIST can show: mailboxes, names that exist only as parents, and subscribed names without a mailbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use account::{Directory, MailboxFacts};

use super::Wanted;
use crate::response::list::Extended;

/// What is known of one name.
#[derive(Debug, Clone, Copy, Default)]
struct Known<'a> {
    facts: Option<&'a MailboxFacts>,
    /// Something exists below it.
    children: bool,
    subscribed: bool,
    /// A name below it is subscribed.
    subscribed_below: bool,
    /// A mailbox below it has a special use.
    special_use_below: bool,
}

/// Every name of the directory, ordered.
pub(super) struct Tree<'a> {
    names: BTreeMap<&'a str, Known<'a>>,
}

/// A name to be listed.
pub(super) struct Node<'a> {
    pub name: &'a str,
    pub facts: Option<&'a MailboxFacts>,
    children: bool,
    subscribed: bool,
    /// `CHILDINFO` (RFC 5258 3.5): names below it match the selection.
    pub child_info: Option<Extended<'static>>,
}

impl<'a> Tree<'a> {
    pub(super) fn of(directory: &'a Arc<Directory>) -> Self {
        let mut names: BTreeMap<&'a str, Known<'a>> = BTreeMap::new();
        for facts in directory.mailboxes() {
            let name = facts.name.as_str();
            names.entry(name).or_default().facts = Some(facts);
            for parent in parents(name) {
                let known = names.entry(parent).or_default();
                known.children = true;
                known.special_use_below |= !facts.roles.is_empty();
            }
        }
        for name in directory.subscriptions() {
            names.entry(name.as_str()).or_default().subscribed = true;
            for parent in parents(name.as_str()) {
                names.entry(parent).or_default().subscribed_below = true;
            }
        }
        Self { names }
    }

    /// The names that match a pattern and the selection, in order.
    pub(super) fn select<'b>(&'b self, wanted: &'b Wanted) -> impl Iterator<Item = Node<'a>> + 'b {
        self.names.iter().filter_map(move |(&name, known)| {
            let selected = match (wanted.subscribed, wanted.special_use) {
                // Without selection: what exists, and parents of what exists.
                (false, false) => known.facts.is_some() || known.children,
                (subscribed, special_use) => {
                    (!subscribed || known.subscribed)
                        && (!special_use || known.facts.is_some_and(|facts| !facts.roles.is_empty()))
                }
            };
            let below = wanted.recursive
                && (wanted.subscribed && known.subscribed_below
                    || wanted.special_use && known.special_use_below);
            if !(selected || below) || !wanted.patterns.iter().any(|pattern| pattern.matches(name)) {
                return None;
            }
            let selection = if wanted.subscribed { "SUBSCRIBED" } else { "SPECIAL-USE" };
            let child_info = below.then_some(Extended::ChildInfo(selection));
            Some(Node {
                name,
                facts: known.facts,
                children: known.children,
                subscribed: known.subscribed,
                child_info,
            })
        })
    }
}

impl Node<'_> {
    /// The attributes to show.
    pub(super) fn attributes(&self, wanted: &Wanted) -> Vec<&str> {
        let mut attributes = Vec::new();
        if self.facts.is_none() {
            // \NonExistent implies \Noselect (RFC 9051 7.3.1); clients of RFC 3501 know only the latter.
            attributes.extend(["\\NonExistent", "\\Noselect"]);
        }
        attributes.push(if self.children { "\\HasChildren" } else { "\\HasNoChildren" });
        if wanted.show_subscribed && self.subscribed {
            attributes.push("\\Subscribed");
        }
        attributes.extend(self.facts.into_iter().flat_map(|facts| facts.roles.iter().map(String::as_str)));
        attributes
    }
}

/// `a/b/c` → `a/b`, `a`.
pub(super) fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.rfind('/').map(|at| &name[..at]), |parent| {
        parent.rfind('/').map(|at| &parent[..at])
    })
}
