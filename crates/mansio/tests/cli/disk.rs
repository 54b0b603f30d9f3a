//! What happens when the disk fails under a running server.

use super::client::Client;
use super::program::{ANN, PASSWORD, Place};

/// Appends a message; whether it was acknowledged. `None` when the connection ended first.
fn append(client: &mut Client, number: u32) -> Option<bool> {
    let message = format!("Subject: {number}\r\n\r\nx\r\n");
    client.try_send(format!("a APPEND INBOX {{{}+}}\r\n{message}\r\n", message.len())).ok()?;
    loop {
        let line = client.next_line()?;
        if let Some(answer) = line.strip_prefix("a ") {
            return Some(answer.starts_with("OK"));
        }
    }
}

#[test]
fn a_failed_sync_ends_the_process_and_loses_nothing_acknowledged() {
    let place = Place::with_ann();
    let fault = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"];
    let fault = [&fault[..], &["-e", "inject=fdatasync:error=EIO:when=20+"]].concat();
    let mut server = place.serve_under(&fault, "", &[]);
    let mut client = server.ann();
    let mut acknowledged = 0;
    while acknowledged < 200 && append(&mut client, acknowledged) == Some(true) {
        acknowledged += 1;
    }
    assert!(acknowledged < 200, "the disk failed and nobody noticed");
    assert_eq!(server.ended().code(), Some(74));
    assert!(server.log().contains("the store failed"), "{}", server.log());
    drop(server);

    let server = place.serve("");
    let mut client = server.connect();
    client.ok(&format!("LOGIN {ANN} \"{PASSWORD}\""));
    client.ok("SELECT INBOX");
    let subjects = client.ok("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]").concat();
    for number in 0..acknowledged {
        assert!(subjects.contains(&format!("Subject: {number}")), "{number} of {acknowledged}: {subjects}");
    }
}
