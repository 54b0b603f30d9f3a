//! ESEARCH (RFC 4731): MIN, MAX, COUNT and ALL. `command/search/answer.rs` writes them.

use crate::command::search::SearchReturnRow;
use crate::registry::{Extension, Shown};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "ESEARCH",
    rfc: 4731,
    shown: Shown::AfterLogin,
    file: "ext/esearch.rs",
    search_returns: &[
        SearchReturnRow {
            name: "MIN",
            parse: |_, returns| {
                returns.min = true;
                Ok(())
            },
        },
        SearchReturnRow {
            name: "MAX",
            parse: |_, returns| {
                returns.max = true;
                Ok(())
            },
        },
        SearchReturnRow {
            name: "COUNT",
            parse: |_, returns| {
                returns.count = true;
                Ok(())
            },
        },
        SearchReturnRow {
            name: "ALL",
            parse: |_, returns| {
                returns.all = true;
                Ok(())
            },
        },
    ],
    ..Extension::NONE
};
