//! Starting Mansio: an account is made and filled while nothing runs, then the server is started on free ports.

use super::programs::{PROGRAM_TIMEOUT, bounded, run};
use super::{LIFETIME, PASSWORD, START_TIMEOUT, Server, USER};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_mansio");

/// Starts `mansio serve` with a new data folder; see [`Server::start_with`].
pub fn start(maildir: Option<&Path>) -> Server {
    let folder = tempfile::Builder::new().prefix("mansio-server-").tempdir().unwrap();
    let data = folder.path().join("data");
    let config = folder.path().join("mansio.toml");
    std::fs::write(&config, "[listen]\nimap = [\"127.0.0.1:0\"]\nimaps = [\"127.0.0.1:0\"]\n").unwrap();

    add_account(&data);
    if let Some(maildir) = maildir {
        let mut import = mansio(&["import", "--account", USER, "--data"]);
        run(import.arg(&data).arg("maildir").arg(maildir));
    }

    serve(folder)
}

/// Ends the server as a power cut would, as far as a process can tell, and starts it on the same data.
pub fn kill_and_start_again(server: Server) -> Server {
    let mut server = server;
    // The server is in the process group of the `timeout` that runs it; nothing gets the time to clean up.
    let group = format!("kill -s KILL -- -{}", server.child.id());
    assert!(Command::new("sh").args(["-c", &group]).status().unwrap().success());
    server.child.wait().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let folder = std::mem::replace(&mut server.folder, empty);
    std::fs::remove_file(folder.path().join("data/addresses")).unwrap();
    serve(folder)
}

/// Starts the server on a folder that is prepared, and waits until it listens.
fn serve(folder: TempDir) -> Server {
    let started = Instant::now();
    let data = folder.path().join("data");
    let mut child = spawn(&folder);
    let (imap_port, imaps_port) = loop {
        if let Some(ports) = ports(&data.join("addresses")) {
            break ports;
        }
        let ended = child.try_wait().unwrap();
        let log = || std::fs::read_to_string(folder.path().join("server.log")).unwrap_or_default();
        let in_use = || log().lines().last().is_some_and(|line| line.contains("the store is in use"));
        if ended.is_some() && in_use() && started.elapsed() < START_TIMEOUT {
            // A server that was killed keeps its lock until the system has cleared it away.
            child = spawn(&folder);
        } else if ended.is_some() || started.elapsed() > START_TIMEOUT {
            let _ = child.kill();
            panic!("mansio does not listen; it ended: {ended:?}; its log:\n{}", log());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    Server {
        host: "localhost",
        imap_port,
        imaps_port,
        user: USER.into(),
        password: PASSWORD.into(),
        ca: data.join("tls/cert.pem"),
        child,
        folder,
    }
}

fn spawn(folder: &TempDir) -> Child {
    let log = File::options().create(true).append(true).open(folder.path().join("server.log")).unwrap();
    let mut command = bounded(BINARY, LIFETIME);
    command.arg("serve").arg("--data").arg(folder.path().join("data"));
    command.arg("--config").arg(folder.path().join("mansio.toml"));
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// A command of the binary, bounded in time.
fn mansio(arguments: &[&str]) -> Command {
    let mut command = bounded(BINARY, PROGRAM_TIMEOUT);
    command.args(arguments);
    command
}

fn add_account(data: &Path) {
    let mut command = mansio(&["account", "add", USER, "--password-stdin", "--data"]);
    command.arg(data).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "no account: {}", String::from_utf8_lossy(&output.stderr));
}

/// The ports in the file that the server writes once it listens, when both lines are there.
fn ports(addresses: &Path) -> Option<(u16, u16)> {
    let text = std::fs::read_to_string(addresses).ok()?;
    let port = |service: &str| {
        text.lines().find_map(|line| line.strip_prefix(service)?.rsplit_once(':')?.1.trim().parse().ok())
    };
    Some((port("imap ")?, port("imaps ")?))
}
