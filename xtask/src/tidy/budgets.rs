//! How large the parts may become. A budget is raised in a commit of its own that says what was learnt, or lowered.

use super::Finding;
use crate::manifest::Manifest;
use crate::source::Source;

/// What one crate may cost.
struct Budget {
    name: &'static str,
    /// Lines of code: no tests, comments or empty lines.
    lines_max: usize,
    /// Libraries from outside that it is built with.
    dependencies_max: usize,
}

/// Beneath everything lie a small database and the values in it: the classic way for a mail server to die. They stay
/// small enough to be read in a day each. (The store's includes the simulated disk that its crash tests run on, and
/// reclaiming with its own recovery; the first plan of 3,500 lines had left both out.) The pure crates' dependencies may only become fewer.
const BUDGETS: &[Budget] = &[
    Budget { name: "account", lines_max: 4_000, dependencies_max: 3 },
    Budget { name: "keeper", lines_max: 1_700, dependencies_max: 3 },
    Budget { name: "store", lines_max: 5_200, dependencies_max: 8 },
    Budget { name: "message", lines_max: 4_000, dependencies_max: 5 },
    Budget { name: "imap", lines_max: 12_000, dependencies_max: 5 },
    Budget { name: "mansio", lines_max: 9_000, dependencies_max: 24 },
];

/// Lines of Rust tests for each 100 lines of code, over all crates together. A ratchet: 80 is where it is to go, and it only
/// rises. Transcripts and client scripts come on top; a line of theirs says more than a line of Rust.
const TEST_LINES_MIN: usize = 60;

/// Checks sizes and numbers of dependencies, and that tests keep up with the code.
pub fn check(manifests: &[Manifest], sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for budget in BUDGETS {
        let folder = format!("crates/{}/", budget.name);
        let shipped = sources.iter().filter(|source| source.path.starts_with(&folder) && source.is_shipped());
        let lines: usize = shipped.map(Source::code_lines).sum();
        if lines > budget.lines_max {
            let what = format!("{lines} lines of code, more than its {}", budget.lines_max);
            findings.push(Finding::in_file(&folder, what));
        }
        let ours = |name: &&String| manifests.iter().any(|manifest| manifest.name == **name);
        let manifest = manifests.iter().find(|manifest| manifest.name == budget.name);
        let dependencies =
            manifest.map_or(0, |manifest| manifest.dependencies.iter().filter(|name| !ours(name)).count());
        if dependencies > budget.dependencies_max {
            let what =
                format!("{dependencies} libraries from outside, more than its {}", budget.dependencies_max);
            findings.push(Finding::in_file(&folder, what));
        }
    }
    let total = |lines: fn(&Source) -> usize| sources.iter().map(lines).sum::<usize>();
    let (code, tests) = (total(Source::code_lines), total(Source::test_lines));
    if tests * 100 < code * TEST_LINES_MIN {
        let what =
            format!("{tests} lines of tests for {code} of code; {TEST_LINES_MIN} for 100 is the least");
        findings.push(Finding::in_file("crates", what));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_over_its_budget_is_found() {
        let of = |code: usize, tests: usize| {
            let code = Source::new("crates/keeper/src/x.rs", "x();\n\n// y\n".repeat(code));
            let tests = Source::new("crates/keeper/tests/x.rs", "x();\n".repeat(tests));
            check(&[], &[code, tests]).len()
        };
        assert_eq!(of(1_700, 1_020), 0);
        assert_eq!(of(1_701, 1_021), 1, "too large");
        assert_eq!(of(1_000, 599), 1, "too few tests");
    }

    #[test]
    fn a_library_too_many_is_found_and_our_own_crates_do_not_count() {
        let of = |name: &str, text: &str| {
            Manifest::parse("x", &format!("[package]\nname = '{name}'\n[dependencies]\n{text}"))
                .expect("a manifest")
        };
        let three = "a = '1'\nb = '1'\nc = '1'\naccount = '1'\n";
        let account = of("account", "");
        assert_eq!(check(&[of("keeper", three), account], &[]), []);
        let account = of("account", "");
        assert_eq!(check(&[of("keeper", &format!("{three}d = '1'\n")), account], &[]).len(), 1);
    }
}
