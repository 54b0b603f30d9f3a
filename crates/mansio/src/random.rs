//! Random bytes from the operating system, and words made of them.

use rustls::crypto::ring;

/// Letters and digits that nobody mistakes for each other; 32 of them, so that each carries exactly five bits.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Random bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let filled = ring::default_provider().secure_random.fill(&mut bytes);
    // Without randomness there are no keys, no passwords and no TLS: there is nothing to serve.
    filled.expect("the operating system gives random bytes");
    bytes
}

/// A word of so many letters and digits, five bits each.
pub fn word(letters: usize) -> String {
    (0..letters).map(|_| char::from(ALPHABET[usize::from(bytes::<1>()[0] % 32)])).collect()
}

/// A password that can be read aloud and typed: 20 letters and digits in groups, 100 bits.
pub fn password() -> String {
    (0..4).map(|_| word(5)).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_never_the_same() {
        let (one, other) = (password(), password());
        assert_ne!(one, other);
        assert_eq!(one.len(), 23);
        assert!(one.split('-').all(|group| group.len() == 5 && group.bytes().all(|b| ALPHABET.contains(&b))));
    }

    #[test]
    fn every_letter_of_the_alphabet_is_distinct() {
        let mut letters = ALPHABET.to_vec();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), 32);
    }
}
