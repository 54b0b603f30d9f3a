//! Where things are in this repository.

use crate::Failure;
use crate::source::Source;
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

    /// Writes a file, by its path below the root.
    pub fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        fs::write(self.at(path), text).map_err(|error| format!("{path}: {error}"))
    }

    /// Whether there is a file or folder at a path below the root.
    pub fn has(&self, path: &str) -> bool {
        self.at(path).exists()
    }

    /// Paths below the root of all files under `folder` that end in `ending`, sorted. What git ignores at the root and
    /// what begins with a dot is left out.
    pub fn files(&self, folder: &str, ending: &str) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(self.at(&folder)).map_err(|error| format!("{folder}: {error}"))?;
            for entry in entries {
                let entry = entry.map_err(|error| format!("{folder}: {error}"))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                if name.starts_with('.') || name == "target" || name == "node_modules" {
                    continue;
                } else if entry.path().is_dir() {
                    folders.push(path);
                } else if path.ends_with(ending) {
                    found.push(path);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// All Rust sources of the workspace.
    pub fn sources(&self) -> Result<Vec<Source>, Failure> {
        let mut paths = self.files("crates", ".rs")?;
        paths.extend(self.files("xtask", ".rs")?);
        paths.into_iter().map(|path| self.text(&path).map(|text| Source::new(path, text))).collect()
    }
}
