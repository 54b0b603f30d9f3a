//! SEARCHRES (RFC 5182): the result is kept and named `$`.

use crate::command::search::SearchReturnRow;
use crate::registry::{Extension, Shown};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "SEARCHRES",
    rfc: 5182,
    shown: Shown::AfterLogin,
    file: "ext/searchres.rs",
    search_returns: &[SearchReturnRow {
        name: "SAVE",
        parse: |_, returns| {
            returns.save = true;
            Ok(())
        },
    }],
    ..Extension::NONE
};
