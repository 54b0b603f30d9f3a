//! LIST's family: CHILDREN (RFC 3348), LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), SPECIAL-USE and
//! CREATE-SPECIAL-USE (RFC 6154), NAMESPACE (RFC 2342). `command/list/` and `command/create.rs` carry them out.

use crate::command::list;
use crate::registry::{Extension, Shown};

const FAMILY: Extension = Extension { shown: Shown::AfterLogin, file: "ext/list.rs", ..Extension::NONE };

pub(crate) const NAMESPACE: Extension =
    Extension { capability: "NAMESPACE", rfc: 2342, commands: &[list::NAMESPACE], ..FAMILY };

pub(crate) const CHILDREN: Extension =
    Extension { capability: "CHILDREN", rfc: 3348, list_options: &[list::RETURN_CHILDREN], ..FAMILY };

pub(crate) const LIST_EXTENDED: Extension = Extension {
    capability: "LIST-EXTENDED",
    rfc: 5258,
    list_options: &[
        list::SELECT_SUBSCRIBED,
        list::SELECT_REMOTE,
        list::SELECT_RECURSIVE,
        list::RETURN_SUBSCRIBED,
    ],
    ..FAMILY
};

pub(crate) const LIST_STATUS: Extension =
    Extension { capability: "LIST-STATUS", rfc: 5819, list_options: &[list::RETURN_STATUS], ..FAMILY };

pub(crate) const SPECIAL_USE: Extension = Extension {
    capability: "SPECIAL-USE",
    rfc: 6154,
    list_options: &[list::SELECT_SPECIAL_USE, list::RETURN_SPECIAL_USE],
    ..FAMILY
};

pub(crate) const CREATE_SPECIAL_USE: Extension =
    Extension { capability: "CREATE-SPECIAL-USE", rfc: 6154, ..FAMILY };
