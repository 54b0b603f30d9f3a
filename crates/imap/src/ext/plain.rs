//! AUTH=PLAIN (RFC 4616) and SASL-IR (RFC 4959); `command/login.rs` carries them out.

use crate::command::login::AUTHENTICATE;
use crate::registry::{Extension, Shown};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "AUTH=PLAIN",
    rfc: 4616,
    shown: Shown::LoginAllowed,
    file: "ext/plain.rs",
    commands: &[AUTHENTICATE],
    ..Extension::NONE
};

pub(crate) const SASL_IR: Extension = Extension {
    capability: "SASL-IR",
    rfc: 4959,
    shown: Shown::BeforeLogin,
    file: "ext/plain.rs",
    ..Extension::NONE
};
