//! The control socket: one request as a line of JSON, events as lines of JSON until one of them is the last.
//!
//! The socket is in the data folder, for its owner only, and the peer's user is checked as well. What goes over it is
//! private to one version of the program: client and server are the same binary.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use crate::admin::Admin;
use crate::cli::Format;
use crate::connection::Stop;
use crate::limits::CONTROL_LINE_BYTES_MAX;

/// Name of the socket in the data folder.
pub const SOCKET: &str = "control.sock";

/// Events that may wait for a slow reader before the work itself waits.
const EVENTS_MAX: usize = 64;

/// Longest path that fits a socket address (`sun_path` of unix(7) less its NUL).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// What can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Request {
    AccountAdd { name: String, password: Option<String> },
    AccountList,
    AccountPasswd { name: String, password: Option<String> },
    AccountRemove { name: String },
    Import { account: String, format: Format, path: PathBuf, into: Option<String>, removed_too: bool },
    Export { account: String, path: PathBuf },
    Check { deep: bool },
}

/// What is told while it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A line of the answer.
    Line {
        /// Without its end.
        text: String,
    },
    /// Something was left out, and why. Makes the outcome incomplete.
    Skipped {
        /// What and why.
        text: String,
    },
    /// How far it is.
    Progress {
        /// What is being done, e.g. the mailbox.
        what: String,
        /// So many done.
        done: u64,
        /// Of so many, where known.
        total: Option<u64>,
    },
    /// The end: it is done.
    Done,
    /// The end: it could not be done.
    Failed {
        /// Why.
        text: String,
    },
}

/// Where events go. Sending waits while the reader is slow; that nobody reads any more is not the work's problem.
#[derive(Debug, Clone)]
pub struct Events(mpsc::Sender<Event>);

impl Events {
    /// A channel of events.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(EVENTS_MAX);
        (Self(sender), receiver)
    }

    /// Tells something.
    pub async fn tell(&self, event: Event) {
        let _ = self.0.send(event).await;
    }

    /// A line of the answer.
    pub async fn line(&self, text: impl Into<String>) {
        self.tell(Event::Line { text: text.into() }).await;
    }

    /// Something was left out.
    pub async fn skipped(&self, text: impl Into<String>) {
        self.tell(Event::Skipped { text: text.into() }).await;
    }
}

/// Does what was asked, telling events, the last of which is [`Event::Done`] or [`Event::Failed`].
pub async fn execute(admin: Arc<Admin>, request: Request, events: Events) {
    let last = match admin.execute(request, &events).await {
        Ok(()) => Event::Done,
        Err(failure) => Event::Failed { text: failure.to_string() },
    };
    events.tell(last).await;
}

/// Opens the socket; one left behind by a process that is gone is replaced. The data folder's lock is held, so nobody
/// else listens there.
///
/// # Errors
/// What the system says.
pub fn listen(data: &Path) -> io::Result<UnixListener> {
    let path = data.join(SOCKET);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = with_short_path(&path, |short| UnixListener::bind(short))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Connects to a server that runs on that data folder.
///
/// # Errors
/// `NotFound` or `ConnectionRefused` when none does.
pub async fn connect(data: &Path) -> io::Result<UnixStream> {
    let path = data.join(SOCKET);
    let connected = with_short_path(&path, |short| std::os::unix::net::UnixStream::connect(short))?;
    connected.set_nonblocking(true)?;
    UnixStream::from_std(connected)
}

/// Runs with a path that fits a socket address: a long one is reached through an open descriptor of its folder.
fn with_short_path<T>(path: &Path, work: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return work(path);
    }
    let folder = std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?;
    work(&PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(SOCKET))
}

/// Answers requests until the server stops.
pub async fn serve(listener: UnixListener, admin: Arc<Admin>, mut stop: Stop) {
    loop {
        let accepted = tokio::select! {
            () = stop.wait() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) if is_owner(&stream) => {
                tokio::spawn(answer(stream, Arc::clone(&admin)));
            }
            Ok(_) => tracing::warn!("control socket: refused another user"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The socket's mode says so already; this also holds where a file system ignores modes.
fn is_owner(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn answer(stream: UnixStream, admin: Arc<Admin>) {
    let (reading, mut writing) = stream.into_split();
    let mut line = String::new();
    let mut reading = BufReader::new(reading.take(CONTROL_LINE_BYTES_MAX));
    if reading.read_line(&mut line).await.is_err() {
        return;
    }
    let (events, mut told) = Events::channel();
    match serde_json::from_str(&line) {
        Ok(request) => {
            tokio::spawn(execute(admin, request, events));
        }
        Err(error) => events.tell(Event::Failed { text: format!("not understood: {error}") }).await,
    }
    while let Some(event) = told.recv().await {
        let Ok(mut line) = serde_json::to_string(&event) else { return };
        line.push('\n');
        // Whoever asked went away; what was begun is finished all the same.
        if writing.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Sends a request to a running server; its events come out of the receiver.
///
/// # Errors
/// What the socket says.
pub async fn send(mut stream: UnixStream, request: &Request) -> io::Result<mpsc::Receiver<Event>> {
    let mut line = serde_json::to_string(request).map_err(io::Error::other)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await?;
    let (events, told) = Events::channel();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Ok(event) = serde_json::from_str(&line) {
                events.tell(event).await;
            }
        }
    });
    Ok(told)
}
