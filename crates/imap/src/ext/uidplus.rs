//! UIDPLUS (RFC 4315), MOVE (RFC 6851), UNSELECT (RFC 3691) and MULTIAPPEND (RFC 3502): verbs of `command/` that began as
//! extensions.

use crate::command::{append, close, copy, expunge};
use crate::registry::{Extension, Shown};

const FAMILY: Extension = Extension { shown: Shown::AfterLogin, file: "ext/uidplus.rs", ..Extension::NONE };

pub(crate) const UIDPLUS: Extension =
    Extension { capability: "UIDPLUS", rfc: 4315, commands: &[expunge::EXPUNGE], ..FAMILY };

pub(crate) const MOVE: Extension =
    Extension { capability: "MOVE", rfc: 6851, commands: &[copy::MOVE], ..FAMILY };

pub(crate) const UNSELECT: Extension =
    Extension { capability: "UNSELECT", rfc: 3691, commands: &[close::UNSELECT], ..FAMILY };

pub(crate) const MULTIAPPEND: Extension =
    Extension { capability: "MULTIAPPEND", rfc: 3502, commands: &[append::APPEND], ..FAMILY };
