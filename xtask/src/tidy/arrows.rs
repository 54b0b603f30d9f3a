//! Which crate may know which: the walls that the compiler then guards.

use super::Finding;
use crate::manifest::Manifest;

/// A crate and which of our crates it may be built with.
struct Arrows {
    from: &'static str,
    to: &'static [&'static str],
}

/// An arrow points from the one who knows to the one who is known. A crate that is not here has no place yet, and
/// that is a question for ARCHITECTURE.md before it is one for this table.
const ARROWS: &[Arrows] = &[
    Arrows { from: "message", to: &[] },
    Arrows { from: "account", to: &[] },
    Arrows { from: "store", to: &[] },
    Arrows { from: "imap", to: &["account", "message"] },
    Arrows { from: "keeper", to: &["account", "message", "store"] },
    Arrows { from: "mansio", to: &["account", "imap", "keeper", "message", "store"] },
    Arrows { from: "sim", to: &["account", "imap", "keeper", "message", "store"] },
    Arrows { from: "bench", to: &[] },
    Arrows { from: "xtask", to: &[] },
];

/// The crates that may run on tokio: the server, and the load that is put on servers.
const RUNTIME: &[&str] = &["mansio", "bench"];

/// The crates that may read configuration and command lines; the others are passed values.
const CONFIGURATION: &[&str] = &["mansio", "bench", "xtask"];
const CONFIGURATION_CRATES: &[&str] = &["toml", "clap", "figment", "config"];

/// Libraries that reach outside: no place in a crate that must be a function of its arguments.
const IMPURE_CRATES: &[&str] = &[
    "rand",
    "getrandom",
    "fastrand",
    "tracing",
    "log",
    "rustix",
    "libc",
    "socket2",
    "mio",
    "tempfile",
    "rusqlite",
];

/// The crates that have no IO, clock, randomness, threads, runtime, environment or log.
pub const PURE: &[&str] = &["message", "account", "imap"];

/// Checks the dependencies of every crate. What a crate's tests use is its own affair, but for the runtime: a test that
/// needs one shows that the crate does.
pub fn check(manifests: &[Manifest]) -> Vec<Finding> {
    let ours: Vec<&str> = manifests.iter().map(|manifest| manifest.name.as_str()).collect();
    manifests.iter().flat_map(|manifest| check_one(manifest, &ours)).collect()
}

fn check_one(manifest: &Manifest, ours: &[&str]) -> Vec<Finding> {
    let name = manifest.name.as_str();
    let Some(arrows) = ARROWS.iter().find(|arrows| arrows.from == name) else {
        return vec![Finding::in_file(
            &manifest.path,
            format!("the crate {name} has no place among the arrows"),
        )];
    };
    let mut findings = Vec::new();
    let mut refuse = |dependency: &str, why: &str| {
        findings
            .push(Finding::in_file(&manifest.path, format!("{name} must not depend on {dependency}: {why}")));
    };
    for dependency in manifest.dependencies.iter().map(String::as_str) {
        if ours.contains(&dependency) && !arrows.to.contains(&dependency) {
            refuse(dependency, "against the arrows");
        }
        if CONFIGURATION_CRATES.contains(&dependency) && !CONFIGURATION.contains(&name) {
            refuse(dependency, "only mansio reads configuration");
        }
        if IMPURE_CRATES.contains(&dependency) && PURE.contains(&name) {
            refuse(dependency, "it is a function of its arguments");
        }
    }
    for dependency in manifest.dependencies.iter().chain(&manifest.dev_dependencies) {
        if (dependency == "tokio" || dependency.starts_with("tokio-")) && !RUNTIME.contains(&name) {
            refuse(dependency, "only mansio has a runtime");
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, dependencies: &[&str], dev_dependencies: &[&str]) -> usize {
        let manifest = |name: &str, dependencies: &[&str], dev_dependencies: &[&str]| Manifest {
            path: format!("crates/{name}/Cargo.toml"),
            name: name.to_owned(),
            dependencies: dependencies.iter().map(ToString::to_string).collect(),
            dev_dependencies: dev_dependencies.iter().map(ToString::to_string).collect(),
        };
        let others = ["message", "account", "store"].map(|other| manifest(other, &[], &[]));
        let mut manifests: Vec<Manifest> = others.into_iter().filter(|other| other.name != name).collect();
        manifests.push(manifest(name, dependencies, dev_dependencies));
        check(&manifests).len()
    }

    #[test]
    fn an_arrow_the_wrong_way_is_found() {
        assert_eq!(findings("imap", &["account", "message", "bytes"], &[]), 0);
        assert_eq!(findings("imap", &["store"], &[]), 1);
        assert_eq!(findings("account", &["message"], &[]), 1, "account never sees a body");
        assert_eq!(findings("imap", &[], &["store"]), 0, "tests may");
    }

    #[test]
    fn a_runtime_outside_mansio_is_found_even_in_tests() {
        assert_eq!(findings("mansio", &["tokio", "tokio-rustls"], &[]), 0);
        assert_eq!(findings("keeper", &["tokio"], &[]), 1);
        assert_eq!(findings("store", &[], &["tokio-stream"]), 1);
    }

    #[test]
    fn what_reaches_outside_is_found_in_a_pure_crate() {
        assert_eq!(findings("account", &["rand"], &[]), 1);
        assert_eq!(findings("store", &["rustix"], &[]), 0);
        assert_eq!(findings("keeper", &["toml"], &[]), 1);
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(findings("shared", &[], &[]), 1);
    }
}
