//! Tokens are read from any bytes without harm, and what the writer writes, the reader reads as the same.
#![no_main]

use imap::wire::{MailboxArg, Reader, Writer, utf7};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((program, command)) = bytes.split_first_chunk::<8>() else { return };
    read(program, command);
    written_and_read(command);
    if let Ok(name) = utf7::decode(command) {
        let mut encoded = Vec::new();
        utf7::encode(&name, &mut encoded);
        assert_eq!(encoded, command, "there is one encoding of a name");
    }
});

/// Calls a reader's methods in the order that `program` says.
fn read(program: &[u8], command: &[u8]) {
    let mut reader = Reader::new(command);
    for step in program {
        let before = reader.rest().len();
        let is_bad = match step % 24 {
            0 => reader.tag().is_err(),
            1 => reader.sp().is_err(),
            2 => reader.verb().is_err(),
            3 => reader.atom().is_err(),
            4 => reader.item_name().is_err(),
            5 => reader.number().is_err(),
            6 => reader.nz_number().is_err(),
            7 => reader.number64().is_err(),
            8 => reader.astring().is_err(),
            9 => reader.string().is_err(),
            10 => reader.nstring().is_err(),
            11 => reader.quoted().is_err(),
            12 => reader.literal().is_err(),
            13 => reader.literal8().is_err(),
            14 => reader.announced_literal().is_err(),
            15 => reader.mailbox(step & 32 == 0).is_err(),
            16 => reader.new_mailbox(step & 32 == 0).is_err(),
            17 => reader.list_mailbox(step & 32 == 0).is_err(),
            18 => reader.date().is_err(),
            19 => reader.date_time().is_err(),
            20 => reader.flag_list().is_err(),
            21 => reader.store_flags().is_err(),
            22 => reader.sequence_set().is_err(),
            _ => reader.list(|reader| reader.astring().map(drop)).is_err(),
        };
        assert!(reader.rest().len() <= before);
        if is_bad {
            return;
        }
    }
}

fn written_and_read(text: &[u8]) {
    for utf8 in [false, true] {
        let write = |token: &dyn Fn(&mut Writer<'_>)| {
            let mut out = Vec::new();
            token(&mut Writer::new(&mut out, utf8));
            out
        };
        // NUL cannot be said in a string at all (RFC 9051, section 4.3).
        if !text.contains(&0) {
            let astring = write(&|writer| writer.astring(text));
            assert_eq!(Reader::new(&astring).astring().expect("an astring").as_ref(), text);
            let string = write(&|writer| writer.string(text));
            assert_eq!(Reader::new(&string).string().expect("a string").as_ref(), text);
        }
        let Ok(MailboxArg::Name(name)) = Reader::new(text).mailbox(utf8) else { continue };
        let mailbox = write(&|writer| writer.mailbox(&name));
        assert_eq!(Reader::new(&mailbox).mailbox(utf8).expect("a mailbox"), MailboxArg::Name(name));
    }
}
