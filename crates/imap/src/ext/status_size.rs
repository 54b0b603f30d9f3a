//! STATUS=SIZE (RFC 8438) and the DELETED item that RFC 9051 6.3.11 has besides.

use crate::registry::{Extension, Shown, StatusItemRow};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "STATUS=SIZE",
    rfc: 8438,
    shown: Shown::AfterLogin,
    file: "ext/status_size.rs",
    status_items: &[
        StatusItemRow {
            name: "SIZE",
            enables: None,
            write: |of, writer| writer.number(of.facts.counts.size),
        },
        StatusItemRow {
            name: "DELETED",
            enables: None,
            write: |of, writer| writer.number(of.facts.counts.deleted.into()),
        },
    ],
    ..Extension::NONE
};
