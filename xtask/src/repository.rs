//! Where things are in this repository.

use crate::Failure;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository, by its root folder.
pub struct Repository {
    pub root: PathBuf,
}

impl Repository {
    /// The one this program was built from.
    pub fn here() -> Result<Self, Failure> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask has no folder above it")?;
        Ok(Self { root: root.to_owned() })
    }

    /// A path below the root.
    pub fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The text of a file, by its path below the root.
    pub fn text(&self, path: &str) -> Result<String, Failure> {
        fs::read_to_string(self.at(path)).map_err(|error| format!("{path}: {error}"))
    }
}
