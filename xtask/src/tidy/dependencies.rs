//! Dependencies that nobody uses any more.

use super::Finding;
use crate::manifest::Manifest;

/// Every dependency of the workspace is used by one of its crates.
pub fn check(manifests: &[Manifest], workspace: &[String]) -> Vec<Finding> {
    let used = |name: &String| {
        manifests
            .iter()
            .any(|manifest| manifest.dependencies.contains(name) || manifest.dev_dependencies.contains(name))
    };
    let unused = workspace.iter().filter(|name| !used(name));
    unused
        .map(|name| Finding::in_file("Cargo.toml", format!("no crate uses the dependency {name}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unused_dependency_is_found() {
        let text = "[package]\nname = 'x'\n[dependencies]\na.workspace = true\n[dev-dependencies]\nb.workspace = true\n";
        let manifest = Manifest::parse("crates/x/Cargo.toml", text).expect("a manifest");
        let workspace = ["a", "b", "c"].map(str::to_owned);
        let findings = check(&[manifest], &workspace);
        assert_eq!(findings, [Finding::in_file("Cargo.toml", "no crate uses the dependency c")]);
    }
}
