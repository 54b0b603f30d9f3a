//! UIDONLY (RFC 9586): no sequence numbers at all. Refusing them is `session/admit.rs`'s, UIDFETCH and VANISHED are
//! `response/`'s and `session/sync.rs`'s.

use crate::registry::{Extension, Shown};
use crate::session::Mode;

pub(crate) const EXTENSION: Extension = Extension {
    capability: "UIDONLY",
    rfc: 9586,
    shown: Shown::AfterLogin,
    file: "ext/uidonly.rs",
    mode: Some(Mode::UidOnly),
    ..Extension::NONE
};
