//! LITERAL+ (RFC 7888). `wire/framer.rs` takes non-synchronising literals; LITERAL-, its smaller sister, must not be
//! advertised beside it (RFC 7888 5), and IMAP4rev2 includes it.

use crate::registry::{Extension, Shown};

pub(crate) const PLUS: Extension = Extension {
    capability: "LITERAL+",
    rfc: 7888,
    shown: Shown::Always,
    file: "ext/literal.rs",
    ..Extension::NONE
};
