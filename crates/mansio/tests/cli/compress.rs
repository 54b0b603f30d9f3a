use std::io::{Read, Write};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use super::client::Client;
use super::program::Place;

/// A client behind COMPRESS=DEFLATE.
struct Deflated {
    client: Client,
    deflate: Compress,
    inflate: Decompress,
    text: Vec<u8>,
}

impl Deflated {
    fn new(mut client: Client) -> Self {
        client.ok("COMPRESS DEFLATE");
        let deflate = Compress::new(Compression::default(), false);
        Self { client, deflate, inflate: Decompress::new(false), text: Vec::new() }
    }

    fn pack(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut packed = Vec::with_capacity(octets.len() + 1_000);
        self.deflate.compress_vec(octets, &mut packed, FlushCompress::Sync).unwrap();
        packed
    }

    fn send(&mut self, text: &str) {
        let packed = self.pack(text.as_bytes());
        self.client.send(packed);
    }

    /// Reads until the text ends with this; false if the connection ends first.
    fn until(&mut self, end: &str) -> bool {
        while !self.text.ends_with(end.as_bytes()) {
            let packed = self.client.octets();
            if packed.is_empty() {
                return false;
            }
            let mut rest = &packed[..];
            while !rest.is_empty() {
                let before = self.inflate.total_in();
                self.text.reserve(64 * 1024);
                self.inflate.decompress_vec(rest, &mut self.text, FlushDecompress::Sync).unwrap();
                rest = &rest[(self.inflate.total_in() - before) as usize..];
            }
        }
        true
    }
}

#[test]
fn a_conversation_goes_on_deflated_and_a_second_compress_is_refused() {
    let place = Place::with_ann();
    let server = place.serve("");
    let mut client = Deflated::new(server.ann());
    let message = format!("Subject: s\r\n\r\n{}", "All work and no play.\r\n".repeat(10_000));
    client.send(&format!("a APPEND INBOX {{{}+}}\r\n{message}\r\n", message.len()));
    assert!(client.until("APPEND completed\r\n"));
    client.send("b SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\nd COMPRESS DEFLATE\r\n");
    assert!(client.until("\r\n"));
    while !client.text.windows(4).any(|text| text == b"\r\nd ") {
        assert!(client.until("\r\n"));
        client.text.extend(b"\0");
    }
    let text = String::from_utf8_lossy(&client.text).replace('\0', "");
    assert!(text.contains(&message));
    assert!(text.contains("d NO [COMPRESSIONACTIVE]"), "{}", &text[text.len() - 200..]);
}

#[test]
fn a_bomb_costs_the_server_nothing() {
    let place = Place::with_ann();
    let server = place.serve("");
    let mut client = Deflated::new(server.ann());
    let before = server.resident_bytes();
    // A gigabyte of one line, in a megabyte.
    let piece = vec![b'a'; 16 << 20];
    for _ in 0..64 {
        let packed = client.pack(&piece);
        if client.client.try_send(packed).is_err() {
            break;
        }
    }
    while !client.client.octets().is_empty() {}
    let after = server.resident_bytes();
    assert!(after < before + (16 << 20), "{before} became {after}");
    server.ann();
}

#[test]
fn junk_instead_of_deflate_ends_the_connection_and_nothing_else() {
    let place = Place::with_ann();
    let server = place.serve("");
    let mut client = Deflated::new(server.ann());
    client.client.send([0xFF; 64]);
    assert!(!client.until("never"));
    // Empty blocks for ever say nothing; see the unit test for the limit itself.
    let mut client = Deflated::new(server.ann());
    let empty = [0x00, 0x00, 0x00, 0xFF, 0xFF].repeat(100_000);
    let _ = client.client.try_send(empty);
    assert!(!client.until("never"));
    server.ann();
}

#[test]
fn commands_sent_with_compress_in_one_segment_are_taken_as_deflated() {
    let place = Place::with_ann();
    let server = place.serve("");
    let mut client = server.ann();
    let mut deflate = Compress::new(Compression::default(), false);
    let mut packed = Vec::with_capacity(1_000);
    deflate.compress_vec(b"b NOOP\r\n", &mut packed, FlushCompress::Sync).unwrap();
    client.send([b"a COMPRESS DEFLATE\r\n", packed.as_slice()].concat());
    assert!(client.answer("a").pop().unwrap().starts_with("OK"));
    let mut text = Vec::with_capacity(1_000);
    Decompress::new(false).decompress_vec(&client.octets(), &mut text, FlushDecompress::Sync).unwrap();
    assert!(text.starts_with(b"b OK"), "{}", String::from_utf8_lossy(&text));
    let _ = client.socket().flush();
    let _ = client.socket().take(0);
}
