//! The eight sockets and the constant list of what is plugged into them.
//!
//! An extension is one file that exports one constant [`Extension`]: its capability, its RFC and its rows. A row is a
//! name plus functions; its parsed form is private to its file. There is no macro and no run-time registration. This
//! table is behind CAPABILITY, ENABLE, the README's table, `rfc/index.tsv` and the test that each row has a transcript.

use account::MailboxFacts;

use crate::command::fetch::FetchItem;
use crate::command::list::ListOption;
use crate::command::modifiers::Modifiers;
use crate::command::search::{KeyReader, SearchKey, SearchReturnRow};
use crate::command::{self, Command, Syntax};
use crate::ext;
use crate::host::Transport;
use crate::response::Code;
use crate::session::{Mode, States};
use crate::wire::{Bad, Reader, Writer};

/// When a capability is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// In every state.
    Always,
    /// Before login only.
    BeforeLogin,
    /// After login only.
    AfterLogin,
    /// Before login, where STARTTLS can still be had.
    StartTls,
    /// Before login, where passwords may travel.
    LoginAllowed,
    /// Before login, where passwords may not travel.
    LoginDisabled,
    /// Never in CAPABILITY: rows of the base protocol.
    Never,
}

/// One extension, or one part of the base protocol.
pub struct Extension {
    /// Token for CAPABILITY, e.g. `UIDPLUS`.
    pub capability: &'static str,
    /// A value written after the token at run time (`APPENDLIMIT=…`).
    pub(crate) value: Option<fn(&crate::Settings) -> String>,
    /// Number of the RFC that says how.
    pub rfc: u16,
    /// When it is shown.
    pub shown: Shown,
    /// The source file that carries it, from `crates/imap/src/`.
    pub file: &'static str,
    pub(crate) commands: &'static [CommandRow],
    pub(crate) fetch_items: &'static [FetchItemRow],
    pub(crate) search_keys: &'static [SearchKeyRow],
    pub(crate) status_items: &'static [StatusItemRow],
    pub(crate) list_options: &'static [ListOptionRow],
    pub(crate) modifiers: &'static [ModifierRow],
    pub(crate) search_returns: &'static [SearchReturnRow],
    /// What ENABLE (RFC 5161) may switch on by this capability's name.
    pub(crate) mode: Option<Mode>,
}

impl Extension {
    /// What an extension file starts from.
    pub(crate) const NONE: Self = Self {
        capability: "",
        value: None,
        rfc: 0,
        shown: Shown::AfterLogin,
        file: "",
        commands: &[],
        fetch_items: &[],
        search_keys: &[],
        status_items: &[],
        list_options: &[],
        modifiers: &[],
        search_returns: &[],
        mode: None,
    };
}

/// Reads what stands behind a name.
pub(crate) type Parse<T> = fn(&mut Reader<'_>, &Syntax) -> Result<Box<T>, Bad>;

/// A verb: where it is legal and how it is read. The rules are data so that `session::admit` checks them in one place.
pub(crate) struct CommandRow {
    /// In capitals; `UID` forms are rows with [`CommandRow::uid`].
    pub name: &'static str,
    /// States in which it is legal.
    pub states: States,
    /// Also exists as `UID name`.
    pub uid: UidForm,
    /// Its answers use sequence numbers, so expunges are held back while it runs (RFC 9051 7.5.1), and its plain form is
    /// refused under UIDONLY (RFC 9586).
    pub numbers: bool,
    /// Is a literal announced behind these arguments a message, which must not be gathered in memory (APPEND, REPLACE)?
    pub streams: fn(&mut Reader<'_>) -> bool,
    /// Reads the arguments; the reader stands right behind the verb (at a space or the end).
    pub parse: Parse<dyn Command>,
}

/// For verbs without message literals: [`CommandRow::streams`].
pub(crate) const fn never(_: &mut Reader<'_>) -> bool {
    false
}

/// Does a verb exist with `UID` before it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UidForm {
    /// Only plain.
    No,
    /// Both ways (FETCH).
    Both,
}

/// A data item of FETCH. The reader stands right behind the name (which ends before `[`, space or parenthesis).
pub(crate) struct FetchItemRow {
    pub name: &'static str,
    pub parse: Parse<dyn FetchItem>,
}

/// A key of SEARCH. The reader stands right behind the name.
pub(crate) struct SearchKeyRow {
    pub name: &'static str,
    pub parse: fn(&mut KeyReader<'_, '_>) -> Result<Box<dyn SearchKey>, Bad>,
}

/// An item of STATUS, also of LIST RETURN (STATUS …): writes the value only.
pub(crate) struct StatusItemRow {
    pub name: &'static str,
    pub write: fn(&StatusFacts<'_>, &mut Writer<'_>),
    /// Asking for it enables CONDSTORE (RFC 7162 3.1, HIGHESTMODSEQ).
    pub enables: Option<Mode>,
}

/// What a status item may look at.
pub(crate) struct StatusFacts<'a> {
    pub facts: &'a MailboxFacts,
    /// `\Recent` messages (RFC 3501).
    pub recent: u32,
    pub settings: &'a crate::Settings,
}

/// A selection or return option of LIST (RFC 5258).
pub(crate) struct ListOptionRow {
    pub name: &'static str,
    /// `true`: selection option; `false`: return option.
    pub selects: bool,
    pub parse: fn(&mut Reader<'_>, &Syntax) -> Result<ListOption, Bad>,
}

/// A parameter in parentheses that changes a verb (RFC 4466): `SELECT x (CONDSTORE)`, `FETCH … (CHANGEDSINCE 5)`.
pub(crate) struct ModifierRow {
    pub name: &'static str,
    /// The verbs that take it.
    pub verbs: &'static [&'static str],
    pub parse: fn(&mut Reader<'_>, &Syntax, &mut Modifiers) -> Result<(), Bad>,
}

/// Everything that is plugged in. Order is the order of CAPABILITY.
pub(crate) const EXTENSIONS: &[&Extension] = &[
    &command::IMAP4REV1,
    &command::IMAP4REV2,
    &command::FETCH_ROWS,
    &command::FETCH_STRUCTURE,
    &command::FETCH_BODY,
    &command::SEARCH_KEYS,
    &command::SEARCH_TEXT,
    &command::SEARCH_HEADER,
    &ext::literal::PLUS,
    &ext::plain::SASL_IR,
    &ext::plain::EXTENSION,
    &ext::starttls::LOGINDISABLED,
    &ext::starttls::EXTENSION,
    &ext::enable::EXTENSION,
    &ext::id::EXTENSION,
    &ext::idle::EXTENSION,
    &ext::list::NAMESPACE,
    &ext::list::CHILDREN,
    &ext::list::LIST_EXTENDED,
    &ext::list::LIST_STATUS,
    &ext::list::SPECIAL_USE,
    &ext::list::CREATE_SPECIAL_USE,
    &ext::status_size::EXTENSION,
    &ext::uidplus::UNSELECT,
    &ext::uidplus::UIDPLUS,
    &ext::uidplus::MOVE,
    &ext::uidplus::MULTIAPPEND,
    &ext::appendlimit::EXTENSION,
    &ext::replace::EXTENSION,
    &ext::binary::EXTENSION,
    &ext::esearch::EXTENSION,
    &ext::searchres::EXTENSION,
    &ext::within::EXTENSION,
    &ext::condstore::EXTENSION,
    &ext::qresync::EXTENSION,
    &ext::partial::EXTENSION,
    &ext::objectid::EXTENSION,
    &ext::savedate::EXTENSION,
    &ext::preview::EXTENSION,
    &ext::utf8::EXTENSION,
    &ext::uidonly::EXTENSION,
    &ext::inprogress::EXTENSION,
    &ext::compress::EXTENSION,
    &ext::unauthenticate::EXTENSION,
];

/// The extensions, for tables and checks outside of this crate.
pub fn extensions() -> impl Iterator<Item = &'static Extension> {
    EXTENSIONS.iter().copied()
}

/// Kind and name of each row of an extension, for tables and checks outside of this crate.
pub fn rows(extension: &'static Extension) -> impl Iterator<Item = (&'static str, &'static str)> {
    let commands = extension.commands.iter().map(|row| ("command", row.name));
    let fetch = extension.fetch_items.iter().map(|row| ("fetch item", row.name));
    let search = extension.search_keys.iter().map(|row| ("search key", row.name));
    let status = extension.status_items.iter().map(|row| ("status item", row.name));
    let list_kind = |selects| if selects { "list selection option" } else { "list return option" };
    let list = extension.list_options.iter().map(move |row| (list_kind(row.selects), row.name));
    let modifiers = extension.modifiers.iter().map(|row| ("modifier", row.name));
    let returns = extension.search_returns.iter().map(|row| ("search return", row.name));
    commands.chain(fetch).chain(search).chain(status).chain(list).chain(modifiers).chain(returns)
}

/// The names of the response codes, for tables and checks outside of this crate.
pub const fn response_codes() -> &'static [&'static str] {
    &Code::NAMES
}

/// The row of a verb (any case).
pub(crate) fn command(name: &[u8]) -> Option<&'static CommandRow> {
    EXTENSIONS.iter().flat_map(|ext| ext.commands).find(|row| name.eq_ignore_ascii_case(row.name.as_bytes()))
}

/// The row of a FETCH item (any case).
pub(crate) fn fetch_item(name: &[u8]) -> Option<&'static FetchItemRow> {
    EXTENSIONS
        .iter()
        .flat_map(|ext| ext.fetch_items)
        .find(|row| name.eq_ignore_ascii_case(row.name.as_bytes()))
}

/// The row of a SEARCH key (any case).
pub(crate) fn search_key(name: &[u8]) -> Option<&'static SearchKeyRow> {
    EXTENSIONS
        .iter()
        .flat_map(|ext| ext.search_keys)
        .find(|row| name.eq_ignore_ascii_case(row.name.as_bytes()))
}

/// The row of a STATUS item (any case).
pub(crate) fn status_item(name: &[u8]) -> Option<&'static StatusItemRow> {
    EXTENSIONS
        .iter()
        .flat_map(|ext| ext.status_items)
        .find(|row| name.eq_ignore_ascii_case(row.name.as_bytes()))
}

/// The row of a LIST option (any case).
pub(crate) fn list_option(name: &[u8], selects: bool) -> Option<&'static ListOptionRow> {
    EXTENSIONS
        .iter()
        .flat_map(|ext| ext.list_options)
        .find(|row| row.selects == selects && name.eq_ignore_ascii_case(row.name.as_bytes()))
}

/// The row of a modifier of a verb (any case).
pub(crate) fn modifier(verb: &str, name: &[u8]) -> Option<&'static ModifierRow> {
    EXTENSIONS
        .iter()
        .flat_map(|ext| ext.modifiers)
        .find(|row| row.verbs.contains(&verb) && name.eq_ignore_ascii_case(row.name.as_bytes()))
}

/// The row of a SEARCH RETURN option (any case).
pub(crate) fn search_return(name: &[u8]) -> Option<&'static SearchReturnRow> {
    EXTENSIONS
        .iter()
        .flat_map(|ext| ext.search_returns)
        .find(|row| name.eq_ignore_ascii_case(row.name.as_bytes()))
}

/// What ENABLE may switch on under that name (any case).
pub(crate) fn mode(name: &[u8]) -> Option<(&'static str, Mode)> {
    EXTENSIONS
        .iter()
        .find(|ext| ext.mode.is_some() && name.eq_ignore_ascii_case(ext.capability.as_bytes()))
        .and_then(|ext| ext.mode.map(|mode| (ext.capability, mode)))
}

/// The capabilities shown on such a connection, in order, e.g. for `* CAPABILITY` and `[CAPABILITY …]`.
pub(crate) fn capabilities(transport: Transport, logged_in: bool, settings: &crate::Settings) -> Vec<String> {
    let shown = |ext: &&&Extension| match ext.shown {
        Shown::Always => true,
        Shown::BeforeLogin => !logged_in,
        Shown::AfterLogin => logged_in,
        Shown::StartTls => !logged_in && transport.starttls && !transport.secure,
        Shown::LoginAllowed => !logged_in && transport.login_allowed,
        Shown::LoginDisabled => !logged_in && !transport.login_allowed,
        Shown::Never => false,
    };
    EXTENSIONS
        .iter()
        .filter(shown)
        .map(|ext| match ext.value {
            Some(value) => format!("{}{}", ext.capability, value(settings)),
            None => ext.capability.to_owned(),
        })
        .collect()
}
