//! Maildir++ trees: written as Dovecot would have left them, and read as a client's copy.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A message to be put into a tree.
#[derive(Debug, Clone, Default)]
pub struct Letter {
    pub bytes: Vec<u8>,
    /// The letters after `:2,`: D draft, F flagged, R replied, S seen, T trashed, a to z for keywords.
    pub flags: String,
    /// Seconds since 1970; the file's modification time, which is where a Maildir keeps INTERNALDATE.
    pub internal_date: u64,
}

/// Writes one mailbox of a Maildir++ tree: the messages, `dovecot-uidlist` and `dovecot-keywords`. The messages get
/// the UIDs `first_uid`, `first_uid` + 2 and so on, so that an importer which numbers them anew is found out.
pub fn write_mailbox(
    tree: &Path,
    mailbox: &str,
    letters: &[Letter],
    uid_validity: u32,
    first_uid: u32,
    keywords: &[&str],
) {
    let folder = mailbox_folder(tree, mailbox);
    for name in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    let mut uid_list = format!(
        "3 V{uid_validity} N{} G0123456789abcdef0123456789abcdef\n",
        first_uid as usize + 2 * letters.len()
    );
    for (index, letter) in letters.iter().enumerate() {
        let name = format!("{}.M{index}P1.test", 1_600_000_000 + index);
        let path = folder.join("cur").join(format!("{name}:2,{}", letter.flags));
        std::fs::write(&path, &letter.bytes).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(letter.internal_date);
        std::fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
        writeln!(uid_list, "{} :{name}", first_uid as usize + 2 * index).unwrap();
    }
    std::fs::write(folder.join("dovecot-uidlist"), uid_list).unwrap();
    let table: String =
        keywords.iter().enumerate().map(|(index, name)| format!("{index} {name}\n")).collect();
    std::fs::write(folder.join("dovecot-keywords"), table).unwrap();
    if mailbox != "INBOX" {
        std::fs::write(folder.join("maildirfolder"), "").unwrap();
    }
}

/// The folder of a mailbox in a Maildir++ tree: the tree itself for INBOX, else `.A.B` in modified UTF-7.
pub fn mailbox_folder(tree: &Path, mailbox: &str) -> PathBuf {
    if mailbox == "INBOX" {
        return tree.to_owned();
    }
    tree.join(format!(".{}", modified_utf7(mailbox).replace('/', ".")))
}

/// The files of a Maildir folder by name without flags: flags and bytes.
pub fn read_folder(folder: &Path) -> BTreeMap<String, (String, Vec<u8>)> {
    let mut files = BTreeMap::new();
    for part in ["cur", "new"] {
        for file in std::fs::read_dir(folder.join(part)).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let (base, flags) = name.split_once(":2,").unwrap_or((&name, ""));
            let previous = files.insert(base.to_owned(), (flags.to_owned(), std::fs::read(&path).unwrap()));
            assert!(previous.is_none(), "{base} is there twice");
        }
    }
    files
}

/// RFC 3501, section 5.1.3.
pub fn modified_utf7(name: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    let mut out = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        if (' '..='~').contains(&first) {
            out.push_str(if first == '&' { "&-" } else { &rest[..1] });
            rest = &rest[1..];
            continue;
        }
        let end = rest.find(|c: char| (' '..='~').contains(&c)).unwrap_or(rest.len());
        out.push('&');
        let units: Vec<u8> = rest[..end].encode_utf16().flat_map(u16::to_be_bytes).collect();
        for group in units.chunks(3) {
            let bits = group.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte))
                << (8 * (3 - group.len()));
            let digits =
                (0..=group.len()).map(|digit| DIGITS[(bits >> (18 - 6 * digit)) as usize & 63] as char);
            out.extend(digits);
        }
        out.push('-');
        rest = &rest[end..];
    }
    out
}
