//! What the client has switched on. Read only by `session/sync.rs` and `response/`, so that a mode stays in its rooms.

/// Something switched on that changes how this session is told things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// RFC 9051: no RECENT, no SEARCH response, UTF-8 mailbox names.
    Rev2 = 1,
    /// RFC 7162: MODSEQ in every FETCH.
    CondStore = 2,
    /// RFC 7162: VANISHED instead of EXPUNGE.
    QResync = 4,
    /// RFC 9755: UTF-8 in quoted strings and in messages' headers.
    Utf8Accept = 8,
    /// RFC 9586: UIDFETCH, VANISHED, no sequence numbers at all.
    UidOnly = 16,
}

/// The set of modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modes(u8);

impl Modes {
    /// Is it on?
    pub const fn has(self, mode: Mode) -> bool {
        self.0 & mode as u8 != 0
    }

    /// Switches it on, with what it implies (QRESYNC implies CONDSTORE, RFC 7162 3.2.3).
    pub fn enable(&mut self, mode: Mode) {
        self.0 |= mode as u8;
        if mode == Mode::QResync {
            self.0 |= Mode::CondStore as u8;
        }
    }

    /// Mailbox names and quoted strings travel as UTF-8 (RFC 9051 5.1, RFC 9755 3).
    pub const fn utf8_names(self) -> bool {
        self.has(Mode::Rev2) || self.has(Mode::Utf8Accept)
    }

    /// Expunges are told as VANISHED (RFC 7162 3.2.10, RFC 9586 3.3).
    pub const fn vanished(self) -> bool {
        self.has(Mode::QResync) || self.has(Mode::UidOnly)
    }
}
