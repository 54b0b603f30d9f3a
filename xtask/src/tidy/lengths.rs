//! How long files and functions may be. Every mail server of some age has grown one file that nobody can read; it is
//! always the one with the commands, and it always began as a file of 700 lines.

use super::Finding;
use crate::source::{Source, item, name_at, words};

/// Lines of a file, without its tests.
const FILE_LINES_MAX: usize = 600;
/// Lines of a function, from `fn` to the closing brace.
const FUNCTION_LINES_MAX: usize = 80;
/// Lines that 95 of 100 functions do not exceed, over the whole workspace.
const FUNCTION_LINES_TYPICAL_MAX: usize = 50;

/// Checks one file and its functions; tests may be as long as they must.
pub fn check(source: &Source) -> Vec<Finding> {
    if source.is_test() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let lines = source.lines_without_tests();
    if lines > FILE_LINES_MAX {
        findings.push(Finding::in_file(&source.path, format!("{lines} lines, more than {FILE_LINES_MAX}")));
    }
    for function in functions(source).into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX) {
        let what =
            format!("`{}` has {} lines, more than {FUNCTION_LINES_MAX}", function.name, function.lines);
        findings.push(Finding::at(source, function.offset, what));
    }
    findings
}

/// Checks the 95th percentile of all functions: the limit for one alone would invite many just below it.
pub fn check_typical(sources: &[Source]) -> Vec<Finding> {
    let mut lines: Vec<usize> = sources.iter().flat_map(functions).map(|function| function.lines).collect();
    lines.sort_unstable();
    let typical = lines.get(lines.len() * 95 / 100).copied().unwrap_or(0);
    if typical <= FUNCTION_LINES_TYPICAL_MAX {
        return Vec::new();
    }
    let what = format!(
        "one function in twenty has {typical} lines or more; {FUNCTION_LINES_TYPICAL_MAX} is the limit"
    );
    vec![Finding::in_file("crates", what)]
}

struct Function {
    name: String,
    offset: usize,
    lines: usize,
}

fn functions(source: &Source) -> Vec<Function> {
    let code = source.production();
    let named = words(&code, "fn").filter(|&offset| !name_at(&code, offset + 2).is_empty());
    named
        .map(|offset| Function {
            name: name_at(&code, offset + 2).to_owned(),
            offset,
            lines: code[item(&code, offset)].lines().count(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        format!("fn long(x: [u8; 2]) -> Result<(), fn()> {{\n{}}}\n", "    x();\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_of_more_than_80_lines_is_found() {
        assert_eq!(check(&Source::new("crates/x/src/x.rs", function(80))), []);
        let findings = check(&Source::new("crates/x/src/x.rs", format!("\n{}", function(81))));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "crates/x/src/x.rs:2");
        assert_eq!(check(&Source::new("crates/x/tests/x.rs", function(81))), []);
    }

    #[test]
    fn a_file_of_more_than_600_lines_is_found_and_its_tests_do_not_count() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // a test\n".repeat(300));
        let fits = format!("{}{tests}", "// a line\n".repeat(600));
        assert_eq!(check(&Source::new("crates/x/src/x.rs", fits)), []);
        assert_eq!(check(&Source::new("crates/x/src/x.rs", "// a line\n".repeat(601))).len(), 1);
    }

    #[test]
    fn many_functions_just_below_the_limit_are_found() {
        let of = |long: usize| {
            let text = format!("{}{}", function(60).repeat(long), function(10).repeat(100 - long));
            check_typical(&[Source::new("crates/x/src/x.rs", text)]).len()
        };
        assert_eq!((of(4), of(6)), (0, 1));
    }
}
