//! APPENDLIMIT (RFC 7889): the size limit is told before anybody uploads in vain.

use crate::registry::{Extension, Shown, StatusItemRow};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "APPENDLIMIT",
    value: Some(|settings| format!("={}", settings.message_bytes_max)),
    rfc: 7889,
    shown: Shown::AfterLogin,
    file: "ext/appendlimit.rs",
    status_items: &[StatusItemRow {
        name: "APPENDLIMIT",
        enables: None,
        write: |of, writer| writer.number(of.settings.message_bytes_max),
    }],
    ..Extension::NONE
};
