//! Row rules: is this command legal here and now? One place, so that no command checks states by itself.

use crate::registry::CommandRow;
use crate::session::{Mode, Session};

/// Why a command is not let in; answered BAD.
pub(crate) fn refusal(session: &Session, row: &CommandRow, by_uid: bool) -> Option<(&'static str, bool)> {
    if !row.states.has(session.state.as_set()) {
        return Some(("Command is not valid in this state", false));
    }
    if row.numbers && !by_uid && session.modes.has(Mode::UidOnly) {
        // RFC 9586 3.1: BAD with UIDREQUIRED.
        return Some(("Message sequence numbers are not allowed once UIDONLY is enabled", true));
    }
    None
}
