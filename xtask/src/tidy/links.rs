//! Documents that name files which are not there.

use super::Finding;
use crate::Failure;
use crate::repository::Repository;

/// Every relative link, and every path in backticks that begins with one of our folders, leads somewhere.
pub fn check(repository: &Repository) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    for path in repository.files("", ".md")? {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let text = repository.text(&path)?;
        let dead = targets(&text, folder).into_iter().filter(|target| !repository.has(target));
        findings.extend(dead.map(|target| Finding::in_file(&path, format!("there is no {target}"))));
    }
    Ok(findings)
}

/// The files a document names, from the repository's root.
fn targets(text: &str, folder: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let relative = links.filter(|target| !target.contains("://") && !target.starts_with(['#', '<']));
    let relative = relative.map(|target| {
        let target = target.split('#').next().unwrap_or(target);
        resolve(folder, target)
    });
    let quoted = text.split('`').skip(1).step_by(2).filter(|quoted| {
        let ours = ["crates/", "xtask/", "docs/", "rfc/", "testdata/", "fuzz/"];
        ours.iter().any(|folder| quoted.starts_with(folder))
            && !quoted.contains(|c: char| " *<>{}…$\n".contains(c))
    });
    relative.chain(quoted.map(str::to_owned)).collect()
}

fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_from_where_they_stand() {
        let text =
            "[a](b.md#c) [d](../e.md) [f](https://example.org/) [g](#h) `crates/x/src` `cargo x` `docs/*.md`";
        assert_eq!(targets(text, "docs"), ["docs/b.md", "e.md", "crates/x/src"]);
    }
}
