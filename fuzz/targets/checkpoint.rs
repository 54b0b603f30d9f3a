//! Any bytes in a checkpoint's place are a manifest or are refused; what is one names its parts and writes itself again.
//!
//! The target seals the input itself, since the checksum would keep every mutation out; it also feeds it as it is.
#![no_main]

use account::Account;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Account::from_manifest(bytes);
    let mut sealed = bytes.to_vec();
    sealed.extend_from_slice(&crc32c::crc32c(bytes).to_le_bytes());
    let Ok(account) = Account::from_manifest(&sealed) else { return };
    let parts = Account::manifest_blobs(&sealed).expect("it is a manifest");
    let again = account.manifest().expect("no mailbox is newer than its manifest");
    assert_eq!(Account::manifest_blobs(&again).expect("what was encoded is a manifest"), parts);
    let same = Account::from_manifest(&again).expect("what was encoded is a manifest");
    assert_eq!((same.head(), same.chain()), (account.head(), account.chain()));
    assert_eq!(same.manifest().expect("again"), again, "the encoding is canonical");
});
