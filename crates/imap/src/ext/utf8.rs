//! UTF8=ACCEPT (RFC 9755): UTF-8 in quoted strings and mailbox names; `wire/writer.rs` and `wire/reader.rs` know how.

use crate::registry::{Extension, Shown};
use crate::session::Mode;

pub(crate) const EXTENSION: Extension = Extension {
    capability: "UTF8=ACCEPT",
    rfc: 9755,
    shown: Shown::AfterLogin,
    file: "ext/utf8.rs",
    mode: Some(Mode::Utf8Accept),
    ..Extension::NONE
};
