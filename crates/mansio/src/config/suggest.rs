//! "Did you mean …?"

/// The known word nearest to a mistyped one, if any is near enough to be worth a guess: a third of it may be wrong.
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let wrong_max = (word.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(wrong, _)| *wrong <= wrong_max)
        .min_by_key(|(wrong, _)| *wrong)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words (optimal string alignment); case and
/// the choice of `-` or `_` count for nothing.
fn distance(left: &str, right: &str) -> usize {
    let fold = |word: &str| word.to_lowercase().replace('-', "_").chars().collect::<Vec<_>>();
    let (left, right) = (fold(left), fold(right));
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for i in 1..=left.len() {
        let mut row = vec![i];
        for j in 1..=right.len() {
            let same = usize::from(left[i - 1] != right[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KNOWN: &[&str] = &["certificate", "key", "idle_seconds", "listen"];

    #[test]
    fn a_slip_finds_its_word() {
        assert_eq!(nearest("certifcate", KNOWN), Some("certificate"));
        assert_eq!(nearest("idle-seconds", KNOWN), Some("idle_seconds"));
        assert_eq!(nearest("Listen", KNOWN), Some("listen"));
        assert_eq!(nearest("kye", KNOWN), Some("key"));
    }

    #[test]
    fn another_word_finds_nothing() {
        assert_eq!(nearest("banana", KNOWN), None);
        assert_eq!(nearest("", KNOWN), None);
    }
}
