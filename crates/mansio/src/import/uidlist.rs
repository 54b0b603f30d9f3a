//! UIDs as Dovecot (`dovecot-uidlist`) and Courier (`courierimapuiddb`) keep them beside a Maildir, so that clients need not
//! download everything again.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use account::{Uid, UidValidity};

/// Names of the files, the first found is used.
const FILES: [&str; 2] = ["dovecot-uidlist", "courierimapuiddb"];

/// What the file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UidList {
    /// UIDVALIDITY.
    pub uid_validity: Option<UidValidity>,
    /// UIDNEXT, at least one above each UID.
    pub uid_next: u32,
    uids: HashMap<Box<[u8]>, Uid>,
}

impl UidList {
    /// Reads the file in a Maildir folder; empty if there is none.
    ///
    /// # Errors
    /// When one is there and cannot be read or understood: going on would renumber the messages.
    pub fn read(folder: &Path) -> io::Result<Self> {
        for file in FILES {
            match std::fs::read(folder.join(file)) {
                Ok(octets) => return Self::parse(&octets),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self::default())
    }

    /// The UID of a file, by its name without flags.
    pub fn uid(&self, base: &[u8]) -> Option<Uid> {
        self.uids.get(base).copied()
    }

    /// Version 3 (Dovecot 1.0 and later): `3 V<validity> N<next> G<guid>`, then lines `<uid> [<key><value> ...] :<name>`. Version
    /// 1 (Courier, old Dovecot): `1 <validity> <next>`, then `<uid> <name>`.
    fn parse(octets: &[u8]) -> io::Result<Self> {
        let mut lines = octets.split(|&octet| octet == b'\n').filter(|line| !line.is_empty());
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "not a list of UIDs of a version we know");
        let head = lines.next().map(String::from_utf8_lossy).ok_or_else(bad)?;
        let words: Vec<&str> = head.split(' ').collect();
        let number = |key: char| {
            words
                .iter()
                .skip(1)
                .find_map(|word| word.strip_prefix(key).and_then(|number| number.parse::<u32>().ok()))
        };
        let (uid_validity, uid_next, named) = match words.first() {
            Some(&"3") => (number('V'), number('N'), true),
            Some(&"1") => {
                let number = |at: usize| words.get(at).and_then(|word| word.trim().parse::<u32>().ok());
                (number(1), number(2), false)
            }
            _ => return Err(bad()),
        };
        let mut list = Self {
            uid_validity: uid_validity.and_then(UidValidity::new),
            uid_next: uid_next.unwrap_or(1),
            uids: HashMap::new(),
        };
        for line in lines {
            list.take_line(line, named);
        }
        Ok(list)
    }

    /// A line that says nothing is left alone: its message gets a new UID, which is the worst that can happen to it.
    fn take_line(&mut self, line: &[u8], named: bool) {
        let Some(space) = line.iter().position(|&octet| octet == b' ') else { return };
        let (number, rest) = (&line[..space], &line[space + 1..]);
        let name = if named {
            if rest.starts_with(b":") {
                Some(&rest[1..])
            } else {
                rest.windows(2).position(|pair| pair == b" :").map(|at| &rest[at + 2..])
            }
        } else {
            Some(rest)
        };
        let uid = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()).and_then(Uid::new);
        if let (Some(uid), Some(name)) = (uid, name) {
            self.uid_next = self.uid_next.max(uid.value().saturating_add(1));
            self.uids.insert(base(name).into(), uid);
        }
    }
}

/// A Maildir file's name without its flags (`:2,S`), which is what stays the same for as long as the message lives.
pub fn base(name: &[u8]) -> &[u8] {
    name.iter().position(|&octet| octet == b':').map_or(name, |at| &name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(number: u32) -> Option<Uid> {
        Uid::new(number)
    }

    #[test]
    fn version_3_of_dovecot_is_read() {
        let list = UidList::parse(
            b"3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n\
              25017 W2481 S2430 :1276533073.M242911P3632.kurkku:2,F\n25020 :plain\n",
        )
        .unwrap();
        assert_eq!(list.uid_validity, UidValidity::new(1_275_660_208));
        assert_eq!(list.uid_next, 25_022);
        assert_eq!(list.uid(b"1276528487.M364837P9451.kurkku,S=1355,W=1394"), uid(25_006));
        assert_eq!(list.uid(b"1276533073.M242911P3632.kurkku"), uid(25_017));
        assert_eq!(list.uid(b"plain"), uid(25_020));
        assert_eq!(list.uid(b"unknown"), None);
    }

    #[test]
    fn version_1_of_courier_is_read() {
        let list = UidList::parse(b"1 1021381622 7\n3 1021381600.x.host\n5 1021381601.y.host:2,S\n").unwrap();
        assert_eq!((list.uid_validity, list.uid_next), (UidValidity::new(1_021_381_622), 7));
        assert_eq!(list.uid(b"1021381601.y.host"), uid(5));
    }

    #[test]
    fn next_lies_above_every_uid_whatever_the_head_says() {
        let list = UidList::parse(b"3 V1 N2\n9 :a\n4294967295 :b\n").unwrap();
        assert_eq!(list.uid_next, u32::MAX);
    }

    #[test]
    fn broken_lines_cost_only_themselves_and_a_broken_file_is_refused() {
        let list = UidList::parse(b"3 V1 N5\nx :a\n0 :b\n7\n99999999999 :c\n4 d\n3 :e\n").unwrap();
        assert_eq!(list.uids.len(), 1);
        assert_eq!(list.uid(b"e"), uid(3));
        assert!(UidList::parse(b"").is_err());
        assert!(UidList::parse(b"7 V1 N5\n").is_err());
        assert!(UidList::parse(&[0xFF; 50]).is_err());
    }
}
