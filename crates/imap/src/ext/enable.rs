//! ENABLE (RFC 5161); `command/enable.rs` carries it out.

use crate::command::enable::ENABLE;
use crate::registry::{Extension, Shown};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "ENABLE",
    rfc: 5161,
    shown: Shown::Always,
    file: "ext/enable.rs",
    commands: &[ENABLE],
    ..Extension::NONE
};
