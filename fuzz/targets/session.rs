//! Whatever a client sends, a session answers in well-formed lines, never finds a fault in itself, and ends. In which
//! pieces the octets arrive makes no difference to what is answered.
//!
//! The server is whole: the session speaks to the keeper over a store in memory. The first octet of the input says how far
//! the conversation is when the fuzzer takes over.
#![no_main]

use account::{AccountId, Accounts, Millis, Pending};
use imap::{Credentials, Fill, Gone, Host, LoginRefusal, Next, Peer, Session, Settings, Transport, Wait};
use keeper::Keeper;
use libfuzzer_sys::fuzz_target;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

/// 2026-01-02 03:04:05 UTC
const NOW: Millis = Millis(1_767_323_045_000);
const NAME: &str = "a@b";
const LOGIN: &[u8] = b"a LOGIN a@b c\r\n";
const MAIL: &[u8] = b"a APPEND INBOX (\\Seen k) {61+}\r\nSubject: =?utf-8?q?x?=\r\nFrom: <a@b>\r\nTo: c@d, e@f\r\n\r\nhello \r\n\r\n\
    a APPEND INBOX {98+}\r\nContent-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\none\r\n--q\r\nContent-Type: text/html\r\n\r\ntwo\r\n--q--\r\n\r\n";
const SELECT: &[u8] = b"a ENABLE QRESYNC IMAP4rev2\r\na SELECT INBOX\r\n";

fuzz_target!(|bytes: &[u8]| {
    let Some((how, rest)) = bytes.split_first() else { return };
    let stages: &[&[u8]] = match how % 4 {
        0 => &[],
        1 => &[LOGIN],
        2 => &[LOGIN, MAIL, b"a SELECT INBOX\r\n"],
        _ => &[LOGIN, MAIL, SELECT],
    };
    let input = [stages.concat().as_slice(), rest].concat();
    let secure = how & 4 == 0;
    let whole = converse(&input, input.len(), secure);
    let pieces = converse(&input, 1 + usize::from(how >> 3), secure);
    well_formed(&whole.said);
    // What arrives together with STARTTLS is thrown away, and so depends on what arrives together.
    if !whole.secured && !pieces.secured {
        assert_eq!(whole.said.escape_ascii().to_string(), pieces.said.escape_ascii().to_string());
    }
});

/// How a conversation went.
struct Conversation {
    said: Vec<u8>,
    secured: bool,
}

/// Plays the client's octets, in pieces of a size, to a new server.
fn converse(input: &[u8], size: usize, secure: bool) -> Conversation {
    let keeper = Keeper::new(Arc::new(store::Memory::new()), Arc::new(|| NOW), keeper::Settings::default());
    let keeper = Arc::new(keeper);
    let account = run(keeper.create_account(NAME.to_owned(), None)).expect("an empty store takes an account");
    let host = Arc::new(Server {
        accounts: keeper,
        account,
        settings: Settings::default(),
        faulted: AtomicBool::new(false),
    });
    let transport = Transport { secure, starttls: !secure, login_allowed: true };
    let mut session = Session::new(host.clone(), transport);
    let mut client = Client {
        coming: input.to_vec(),
        size: size.max(1),
        input: Vec::new(),
        output: Vec::new(),
        said: Vec::new(),
    };
    let mut secured = false;
    run(async {
        loop {
            match session.serve(&mut client).await {
                Next::StartTls => {
                    client.input.clear();
                    session.secured();
                    secured = true;
                }
                // From here on the octets would be deflated ones.
                Next::Compress | Next::Close => return,
            }
        }
    });
    client.said.append(&mut client.output);
    assert!(!host.faulted.load(Ordering::Relaxed), "{}", client.said.escape_ascii());
    Conversation { said: client.said, secured }
}

/// Lines that begin as responses do, with literals as long as announced, and nothing after the last.
fn well_formed(said: &[u8]) {
    let mut rest = said;
    let mut begins = true;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|two| two == b"\r\n").expect("a line has an end");
        let (line, behind) = (&rest[..end], &rest[end + 2..]);
        assert!(!line.iter().any(|octet| b"\r\n\0".contains(octet)), "{}", line.escape_ascii());
        let space = line.iter().position(|&octet| octet == b' ');
        assert!(!begins || space.is_some_and(|space| space > 0), "{}", line.escape_ascii());
        let literal = announced(line);
        rest = behind.get(literal.unwrap_or(0)..).expect("a literal is as long as announced");
        begins = literal.is_none();
    }
    assert!(begins, "a literal is followed by the rest of its line");
}

/// The octets of a literal that a line announces at its end.
fn announced(line: &[u8]) -> Option<usize> {
    let digits = line.strip_suffix(b"}")?.rsplit(|&octet| octet == b'{').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|_| digits.len() < line.len() - 1)
}

struct Server {
    accounts: Arc<Keeper>,
    account: AccountId,
    settings: Settings,
    /// The session has found a fault of our own.
    faulted: AtomicBool,
}

impl Host for Server {
    fn login<'a>(&'a self, credentials: Credentials<'a>) -> Pending<'a, Result<AccountId, LoginRefusal>> {
        let known = credentials.name == NAME && credentials.password == b"c";
        Box::pin(async move { if known { Ok(self.account) } else { Err(LoginRefusal::Failed) } })
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        self.accounts.clone()
    }

    fn now(&self) -> Millis {
        NOW
    }

    fn incident(&self, what: &str) -> String {
        eprintln!("incident: {what}");
        self.faulted.store(true, Ordering::Relaxed);
        "1".to_owned()
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Sends what it has, piece by piece, then hangs up.
struct Client {
    coming: Vec<u8>,
    size: usize,
    input: Vec<u8>,
    output: Vec<u8>,
    said: Vec<u8>,
}

impl Peer for Client {
    fn input(&self) -> &[u8] {
        &self.input
    }

    fn consume(&mut self, octets: usize) {
        self.input.drain(..octets);
    }

    fn fill(&mut self, _wait: Wait) -> Pending<'_, Fill> {
        if self.coming.is_empty() {
            return Box::pin(async { Fill::Closed });
        }
        let size = self.size.min(self.coming.len());
        self.input.extend(self.coming.drain(..size));
        Box::pin(async { Fill::More })
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn drain(&mut self) -> Pending<'_, Result<(), Gone>> {
        self.said.append(&mut self.output);
        Box::pin(async { Ok(()) })
    }
}

/// Polls to the end; everything here is ready at once or after another poll.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::yield_now();
    }
    panic!("a conversation does not end");
}
