//! The manifests of this workspace's crates.

use crate::Failure;
use crate::repository::Repository;
use std::fs;
use toml::{Table, Value};

/// One crate's `Cargo.toml`.
pub struct Manifest {
    /// From the repository's root.
    pub path: String,
    /// The package's name.
    pub name: String,
    /// What its library or program is built with, build scripts included.
    pub dependencies: Vec<String>,
    /// What only its tests, examples and benches see.
    pub dev_dependencies: Vec<String>,
}

impl Manifest {
    /// Reads a manifest's text.
    pub fn parse(path: &str, text: &str) -> Result<Self, Failure> {
        let table: Table = text.parse().map_err(|error| format!("{path}: {error}"))?;
        let name = table.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        let name = name.ok_or_else(|| format!("{path}: no package.name"))?.to_owned();
        let mut dependencies = names(table.get("dependencies"));
        dependencies.extend(names(table.get("build-dependencies")));
        let mut dev_dependencies = names(table.get("dev-dependencies"));
        let targets = table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        for target in targets {
            dependencies.extend(names(target.get("dependencies")));
            dependencies.extend(names(target.get("build-dependencies")));
            dev_dependencies.extend(names(target.get("dev-dependencies")));
        }
        Ok(Self { path: path.to_owned(), name, dependencies, dev_dependencies })
    }

    /// All crates of the workspace, by name.
    pub fn all(repository: &Repository) -> Result<Vec<Self>, Failure> {
        let folder = repository.at("crates");
        let entries = fs::read_dir(&folder).map_err(|error| format!("crates: {error}"))?;
        let mut paths = vec!["xtask/Cargo.toml".to_owned()];
        for entry in entries.filter_map(Result::ok) {
            if entry.path().join("Cargo.toml").is_file() {
                paths.push(format!("crates/{}/Cargo.toml", entry.file_name().display()));
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::parse(path, &repository.text(path)?)).collect()
    }
}

/// The names under `[workspace.dependencies]`.
pub fn workspace_dependencies(repository: &Repository) -> Result<Vec<String>, Failure> {
    let table: Table =
        repository.text("Cargo.toml")?.parse().map_err(|error| format!("Cargo.toml: {error}"))?;
    Ok(names(table.get("workspace").and_then(|workspace| workspace.get("dependencies"))))
}

fn names(table: Option<&Value>) -> Vec<String> {
    table.and_then(Value::as_table).into_iter().flat_map(Table::keys).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_under_a_target_counts_too() {
        let text = "[package]\nname = 'x'\n[dependencies]\na = '1'\n[build-dependencies]\nb = '1'\n\
                    [target.'cfg(unix)'.dependencies]\nc = '1'\n[dev-dependencies]\nd.workspace = true\n";
        let manifest = Manifest::parse("crates/x/Cargo.toml", text).expect("a manifest");
        assert_eq!(manifest.dependencies, ["a", "b", "c"]);
        assert_eq!(manifest.dev_dependencies, ["d"]);
    }

    #[test]
    fn a_manifest_without_a_name_is_refused() {
        assert!(Manifest::parse("crates/x/Cargo.toml", "[dependencies]\n").is_err());
    }
}
