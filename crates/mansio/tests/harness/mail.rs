//! Messages for the tests: real ones out of packages, hard ones out of a generator. See `testdata/corpus`.

use super::programs::{bounded, repository, run};
use super::script::python;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first run of all fetches some 70 MB of packages; later runs find the corpus in `target/corpus`.
const COLLECT_TIMEOUT: Duration = Duration::from_secs(900);
/// The seed of the generated messages; any number will do, and the same number gives the same messages.
const SEED: &str = "7";

/// A message file.
#[derive(Debug, Clone)]
pub struct Message {
    /// What it is called: its hash, or the name of the difficulty.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The distinct real messages, at least 2,000, in a fixed order.
pub fn real() -> Vec<Message> {
    let corpus = collected();
    let manifest = std::fs::read_to_string(corpus.join("manifest.tsv")).unwrap();
    let message = |line: &str| {
        let mut columns = line.split('\t');
        let (path, sha256) = (columns.next().unwrap(), columns.next().unwrap());
        Message { name: sha256.to_owned(), bytes: std::fs::read(corpus.join(path)).unwrap() }
    };
    manifest.lines().map(message).collect()
}

/// Every n-th real message so that about `count` of them remain: a sample of all sources.
pub fn real_sample(count: usize) -> Vec<Message> {
    let mut all = real();
    let step = all.len().div_ceil(count);
    all = all.into_iter().step_by(step).collect();
    all
}

/// The generated messages, sorted by name.
pub fn generated() -> Vec<Message> {
    let script = repository().join("testdata/corpus/generate.py");
    let mut version = DefaultHasher::new();
    version.write(&std::fs::read(&script).unwrap());
    let folder = collected().join(format!("generated-{SEED}-{:016x}", version.finish()));
    if !folder.exists() {
        let partial = tempfile::tempdir_in(collected()).unwrap();
        run(bounded(python(), COLLECT_TIMEOUT).arg(script).arg(SEED).arg(partial.path()));
        // Another test may have been quicker; its messages are the same.
        let _ = std::fs::rename(partial.path(), &folder);
    }
    let mut messages: Vec<Message> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| Message { name: stem(&path), bytes: std::fs::read(&path).unwrap() })
        .collect();
    messages.sort_by(|a, b| a.name.cmp(&b.name));
    messages
}

/// One generated message.
pub fn generated_message(name: &str) -> Vec<u8> {
    let found = generated().into_iter().find(|message| message.name == name);
    found.unwrap_or_else(|| panic!("no generated message is called {name}")).bytes
}

/// A message as it crosses the wire: every line ends with CRLF.
pub fn wire_form(message: &[u8]) -> Vec<u8> {
    let mut form = Vec::with_capacity(message.len() + message.len() / 32);
    let mut previous = 0;
    for &byte in message {
        if byte == b'\n' && previous != b'\r' {
            form.push(b'\r');
        }
        form.push(byte);
        previous = byte;
    }
    form
}

fn collected() -> PathBuf {
    let corpus = repository().join("target/corpus");
    if !corpus.join("manifest.tsv").exists() {
        // The script holds a lock, so that tests that start together collect once.
        let script = repository().join("testdata/corpus/collect.py");
        run(bounded(python(), COLLECT_TIMEOUT).arg(script).arg(&corpus));
    }
    corpus
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}
