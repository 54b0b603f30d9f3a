//! The extensions, one file each; `registry.rs` plugs them in.

pub(crate) mod appendlimit;
pub(crate) mod binary;
pub(crate) mod compress;
pub(crate) mod condstore;
pub(crate) mod enable;
pub(crate) mod esearch;
pub(crate) mod id;
pub(crate) mod idle;
pub(crate) mod inprogress;
pub(crate) mod list;
pub(crate) mod literal;
pub(crate) mod objectid;
pub(crate) mod partial;
pub(crate) mod plain;
pub(crate) mod preview;
pub(crate) mod qresync;
pub(crate) mod replace;
pub(crate) mod savedate;
pub(crate) mod searchres;
pub(crate) mod starttls;
pub(crate) mod status_size;
pub(crate) mod uidonly;
pub(crate) mod uidplus;
pub(crate) mod unauthenticate;
pub(crate) mod utf8;
pub(crate) mod within;
