//! One connection's conversation: its state, and the loop that frames, admits, runs and answers commands.

mod admit;
mod modes;
mod selected;
mod serve;
pub(crate) mod sync;

use std::sync::Arc;

use account::OpenAccount;

pub(crate) use modes::{Mode, Modes};
pub(crate) use selected::Selected;

use crate::host::{Host, Transport};
use crate::wire::Framer;

/// What the driver does when [`Session::serve`] returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// TLS handshake now; all input received so far is void (RFC 9051 6.2.1). Then [`Session::secured`].
    StartTls,
    /// Deflate both directions from here on (RFC 4978).
    Compress,
    /// Close the connection; everything was said.
    Close,
}

/// Set of session states (RFC 9051, 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct States(u8);

impl States {
    pub(crate) const NOT_AUTHENTICATED: Self = Self(1);
    pub(crate) const AUTHENTICATED: Self = Self(2);
    pub(crate) const SELECTED: Self = Self(4);
    /// Authenticated or selected.
    pub(crate) const LOGGED_IN: Self = Self(6);
    pub(crate) const ANY: Self = Self(7);

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The state of the conversation; each holds exactly what that state has.
pub(crate) enum State {
    NotAuthenticated,
    Authenticated(Login),
    Selected(Login, Box<Selected>),
}

/// Who is logged in.
#[derive(Clone)]
pub(crate) struct Login {
    pub account: Arc<dyn OpenAccount>,
}

impl State {
    /// This state as a set of one.
    pub(crate) const fn as_set(&self) -> States {
        match self {
            Self::NotAuthenticated => States::NOT_AUTHENTICATED,
            Self::Authenticated(_) => States::AUTHENTICATED,
            Self::Selected(..) => States::SELECTED,
        }
    }

    /// Who is logged in, if anybody.
    pub(crate) const fn login(&self) -> Option<&Login> {
        match self {
            Self::NotAuthenticated => None,
            Self::Authenticated(login) | Self::Selected(login, _) => Some(login),
        }
    }
}

/// One connection's conversation. See the crate's page for how it is driven.
pub struct Session {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) transport: Transport,
    pub(crate) modes: Modes,
    pub(crate) state: State,
    pub(crate) framer: Framer,
    pub(crate) greeted: bool,
    /// COMPRESS is active (RFC 4978: only once).
    pub(crate) compressed: bool,
    /// Failed commands in a row; too many end the connection (`limits::BAD_COMMANDS_MAX`).
    pub(crate) bad_commands: u32,
}

impl Session {
    /// A conversation about to begin with the greeting.
    pub fn new(host: Arc<dyn Host>, transport: Transport) -> Self {
        Self {
            host,
            transport,
            modes: Modes::default(),
            state: State::NotAuthenticated,
            framer: Framer::new(),
            greeted: false,
            compressed: false,
            bad_commands: 0,
        }
    }

    /// The TLS handshake that [`Next::StartTls`] asked for is done. What was framed in plaintext is forgotten.
    pub fn secured(&mut self) {
        self.transport.secure = true;
        self.transport.login_allowed = true;
        self.framer.clear();
    }

    /// Name of the present state, for metrics: `not-authenticated`, `authenticated`, `selected`.
    pub fn state_name(&self) -> &'static str {
        match self.state {
            State::NotAuthenticated => "not-authenticated",
            State::Authenticated(_) => "authenticated",
            State::Selected(..) => "selected",
        }
    }
}
