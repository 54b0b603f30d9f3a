//! ImapFlow, the library for Node.

use crate::harness::Server;
use crate::harness::script::{json, node_script};

#[test]
fn a_session_with_imapflow() {
    let server = Server::start();
    let seen = json(&mut node_script("imapflow_session.cjs", &server));
    assert_eq!(seen["checked"].as_array().unwrap().len(), 6, "{seen}");
}
