//! A whole server in one thread: sessions over pipes in memory, the keeper over the memory store, time that stands still.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use account::{AccountId, Accounts, Millis, OpenAccount, Pending};
use imap::{Credentials, Fill, Gone, Host, LoginRefusal, Next, Peer, Session, Settings, Transport, Wait};

/// 2026-01-02 03:04:05 UTC
pub const NOW: u64 = 1_767_323_045_000;

/// The only account: name, password.
pub const LOGIN: (&str, &str) = ("ann@example.org", "secret");

pub struct TestHost {
    accounts: Arc<dyn Accounts>,
    id: AccountId,
    now: AtomicU64,
    /// Milliseconds by which each look at the clock moves it on.
    tick: AtomicU64,
    settings: Settings,
    pub incidents: Mutex<Vec<String>>,
    /// What clients said of themselves (ID), field by field.
    pub identified: Mutex<Vec<(String, String)>>,
}

impl Host for TestHost {
    fn login<'a>(&'a self, given: Credentials<'a>) -> Pending<'a, Result<AccountId, LoginRefusal>> {
        Box::pin(async move {
            if !given.authorization.is_empty() && given.authorization != given.name {
                return Err(LoginRefusal::NotAuthorized);
            }
            match (given.name, given.password) {
                (name, password) if name == LOGIN.0 && password == LOGIN.1.as_bytes() => Ok(self.id),
                ("unavailable@example.org", _) => Err(LoginRefusal::Unavailable),
                ("toomany@example.org", _) => Err(LoginRefusal::TooMany),
                _ => Err(LoginRefusal::Failed),
            }
        })
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        self.accounts.clone()
    }

    fn now(&self) -> Millis {
        Millis(self.now.fetch_add(self.tick.load(Ordering::Relaxed), Ordering::Relaxed))
    }

    fn incident(&self, what: &str) -> String {
        let mut incidents = self.incidents.lock().unwrap();
        incidents.push(what.to_owned());
        format!("{:04}", incidents.len())
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn identified(&self, fields: &[(String, String)]) {
        self.identified.lock().unwrap().extend_from_slice(fields);
    }
}

/// One side of a connection, shared between the test and the session's [`Peer`].
#[derive(Default)]
struct Pipe {
    input: VecDeque<u8>,
    output: Vec<u8>,
    closed: bool,
    timed_out: bool,
    shutting_down: bool,
    waker: Option<Waker>,
}

struct TestPeer {
    pipe: Arc<Mutex<Pipe>>,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Peer for TestPeer {
    fn input(&self) -> &[u8] {
        &self.input
    }

    fn consume(&mut self, octets: usize) {
        self.input.drain(..octets);
    }

    fn fill(&mut self, _wait: Wait) -> Pending<'_, Fill> {
        Box::pin(std::future::poll_fn(move |context| {
            let mut pipe = self.pipe.lock().unwrap();
            if !pipe.input.is_empty() {
                self.input.extend(pipe.input.drain(..));
                return Poll::Ready(Fill::More);
            }
            if std::mem::take(&mut pipe.timed_out) {
                return Poll::Ready(Fill::TimedOut);
            }
            if pipe.shutting_down {
                return Poll::Ready(Fill::ShuttingDown);
            }
            if pipe.closed {
                return Poll::Ready(Fill::Closed);
            }
            pipe.waker = Some(context.waker().clone());
            Poll::Pending
        }))
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn drain(&mut self) -> Pending<'_, Result<(), Gone>> {
        Box::pin(async {
            self.pipe.lock().unwrap().output.append(&mut self.output);
            Ok(())
        })
    }
}

/// A session under test.
pub struct Connection {
    pipe: Arc<Mutex<Pipe>>,
    running: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    woken: Arc<Flag>,
    /// How `serve` returned, in order.
    pub nexts: Arc<Mutex<Vec<Next>>>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The server.
pub struct Server {
    pub host: Arc<TestHost>,
    pub account: Arc<dyn OpenAccount>,
    store: Arc<store::Faulty>,
    connections: Vec<Connection>,
}

impl Server {
    /// With one fresh account that has the mailboxes every account begins with.
    pub fn new(settings: Settings) -> Self {
        let clock: keeper::Clock = Arc::new(|| Millis(NOW));
        let store = Arc::new(store::Faulty::new(Arc::new(store::Memory::new()), store::FaultPlan::none()));
        let keeper = Arc::new(keeper::Keeper::new(store.clone(), clock, keeper::Settings::default()));
        let id = block_on(keeper.create_account(LOGIN.0.to_owned(), None)).unwrap();
        let accounts: Arc<dyn Accounts> = keeper;
        let account = block_on(accounts.open(id)).unwrap();
        let host = TestHost {
            accounts,
            id,
            now: AtomicU64::new(NOW),
            tick: AtomicU64::new(0),
            settings,
            incidents: Mutex::default(),
            identified: Mutex::default(),
        };
        Self { host: Arc::new(host), account, store, connections: Vec::new() }
    }

    /// Lets time pass.
    pub fn advance(&self, millis: u64) {
        self.host.now.fetch_add(millis, Ordering::Relaxed);
    }

    /// The store's next append fails so.
    pub fn fail_append(&self, fault: store::Fault) {
        self.store.set_plan(store::FaultPlan::nth(store::Operation::Append, 1, fault));
    }

    /// The next message asked for is damaged: once in the run it is read with, once when it is read alone.
    pub fn damage_message(&self) {
        let (operation, fault) = (store::Operation::Blob, store::Fault::Damage);
        self.store.set_plan(store::FaultPlan::nth(operation, 1, fault).and_nth(Some(operation), 2, fault));
    }

    /// From now on time passes while commands run: so much with each look at the clock.
    pub fn tick(&self, millis: u64) {
        self.host.tick.store(millis, Ordering::Relaxed);
    }

    /// A new connection; returns its index.
    pub fn connect(&mut self, transport: Transport) -> usize {
        let pipe = Arc::new(Mutex::new(Pipe::default()));
        let nexts = Arc::new(Mutex::new(Vec::new()));
        let mut peer = TestPeer { pipe: pipe.clone(), input: Vec::new(), output: Vec::new() };
        let mut session = Session::new(self.host.clone(), transport);
        let told = nexts.clone();
        let running = Box::pin(async move {
            loop {
                let next = session.serve(&mut peer).await;
                told.lock().unwrap().push(next);
                match next {
                    Next::StartTls => {
                        // What came before the handshake is void.
                        peer.input.clear();
                        session.secured();
                    }
                    Next::Compress => {}
                    Next::Close => {
                        let _ = peer.drain().await;
                        peer.pipe.lock().unwrap().closed = true;
                        return;
                    }
                }
            }
        });
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        self.connections.push(Connection { pipe, running: Some(running), woken, nexts });
        self.settle();
        self.connections.len() - 1
    }

    /// Sends octets and runs everybody until all wait.
    pub fn send(&mut self, connection: usize, octets: &[u8]) {
        let mut pipe = self.connections[connection].pipe.lock().unwrap();
        pipe.input.extend(octets);
        let waker = pipe.waker.take();
        drop(pipe);
        if let Some(waker) = waker {
            waker.wake();
        }
        self.settle();
    }

    /// The peer hangs up, its time-out passes, or the server goes down.
    pub fn end(&mut self, connection: usize, how: Fill) {
        let mut pipe = self.connections[connection].pipe.lock().unwrap();
        match how {
            Fill::Closed | Fill::More => pipe.closed = true,
            Fill::TimedOut => pipe.timed_out = true,
            Fill::ShuttingDown => pipe.shutting_down = true,
        }
        let waker = pipe.waker.take();
        drop(pipe);
        if let Some(waker) = waker {
            waker.wake();
        }
        self.settle();
    }

    /// Takes what the server has sent on a connection.
    pub fn receive(&mut self, connection: usize) -> Vec<u8> {
        std::mem::take(&mut self.connections[connection].pipe.lock().unwrap().output)
    }

    /// Has the server closed the connection?
    pub fn is_closed(&self, connection: usize) -> bool {
        self.connections[connection].running.is_none()
    }

    /// How `serve` has returned on a connection so far.
    pub fn nexts(&self, connection: usize) -> Vec<Next> {
        self.connections[connection].nexts.lock().unwrap().clone()
    }

    fn settle(&mut self) {
        loop {
            let mut progress = false;
            for connection in &mut self.connections {
                if !connection.woken.0.swap(false, Ordering::SeqCst) {
                    continue;
                }
                progress = true;
                let waker = Waker::from(connection.woken.clone());
                if let Some(running) = &mut connection.running
                    && running.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
                {
                    connection.running = None;
                }
            }
            if !progress {
                return;
            }
        }
    }
}

/// Polls a future to its end in this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let woken = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(woken.clone());
    for _ in 0..1_000_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
        if !woken.0.swap(false, Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
    panic!("a future does not end");
}
