//! A bug put there on purpose, behind a word that chance does not hit. `cargo xtask fuzz planted` succeeds when it is found:
//! a fuzzer that has lost its instrumentation runs just as quietly as one that finds nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > 4 && bytes[0] == b'A' && bytes[1] == b'P' && bytes[2] == b'P' && bytes[3] == b'N' {
        assert_ne!(bytes[4], b'D', "the planted bug");
    }
});
