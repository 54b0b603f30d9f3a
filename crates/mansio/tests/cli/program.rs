//! Running the program: a data folder of its own, free ports, ended when the test ends.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use super::client::Client;

/// The account that every test may use.
pub const ANN: &str = "ann@example.org";
/// Ann's password.
pub const PASSWORD: &str = "open sesame";

/// Longer than anything here takes on a busy machine; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A data folder, with or without a server running on it.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    /// An empty place.
    pub fn new() -> Self {
        Self { folder: tempfile::Builder::new().prefix("mansio-cli-").tempdir().unwrap() }
    }

    /// A place where Ann has an account.
    pub fn with_ann() -> Self {
        let place = Self::new();
        place.add(ANN, PASSWORD);
        place
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs a command on this place.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    /// The same with something on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mansio"));
        command.args(arguments).env("MANSIO_DATA", self.data()).env_remove("MANSIO_CONFIG");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that does not read its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs a command that must succeed; its standard output.
    pub fn must(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must fail with that exit code; its standard error.
    pub fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}{}", text(&output.stdout));
        error
    }

    pub fn add(&self, name: &str, password: &str) {
        let output = self.run_with(&["account", "add", name, "--password-stdin"], password);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// Starts the server with more lines of configuration.
    pub fn serve(&self, more: &str) -> Server<'_> {
        self.serve_with(more, &[])
    }

    /// The same with more arguments.
    pub fn serve_with(&self, more: &str, arguments: &[&str]) -> Server<'_> {
        self.serve_under(&[], more, arguments)
    }

    /// The same under another program, which runs the command line behind its own.
    pub fn serve_under(&self, tracer: &[&str], more: &str, arguments: &[&str]) -> Server<'_> {
        let config = self.folder.path().join("mansio.toml");
        let listen = "[listen]\nimap = [\"127.0.0.1:0\"]\nimaps = [\"127.0.0.1:0\"]\n";
        std::fs::write(&config, format!("{listen}{more}")).unwrap();
        let out = self.folder.path().join("out.log");
        let log = self.folder.path().join("server.log");
        let mut line = tracer.iter().copied().chain([env!("CARGO_BIN_EXE_mansio")]);
        let mut command = Command::new(line.next().unwrap());
        command.args(line);
        command.arg("serve").arg("--data").arg(self.data()).arg("--config").arg(&config).args(arguments);
        command.stdout(std::fs::File::create(&out).unwrap()).stderr(std::fs::File::create(&log).unwrap());
        let addresses = self.data().join("addresses");
        // One left behind by a server that was killed would be taken for this one's.
        let _ = std::fs::remove_file(&addresses);
        let mut child = command.spawn().unwrap();
        let started = Instant::now();
        while !addresses.exists() {
            let ended = child.try_wait().unwrap();
            assert!(
                ended.is_none() && started.elapsed() < PATIENCE,
                "no server ({ended:?}): {}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Server { place: self, child, addresses: std::fs::read_to_string(addresses).unwrap() }
    }
}

/// A running server.
pub struct Server<'a> {
    pub place: &'a Place,
    child: Child,
    addresses: String,
}

impl Server<'_> {
    /// `127.0.0.1:port` of `imap`, `imaps` or `metrics`.
    pub fn address(&self, service: &str) -> String {
        let line = self.addresses.lines().find_map(|line| line.strip_prefix(service)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{service} in {}", self.addresses)).to_owned()
    }

    pub fn certificate(&self) -> PathBuf {
        self.place.data().join("tls/cert.pem")
    }

    /// A plaintext connection, greeting read.
    pub fn connect(&self) -> Client {
        let mut client = Client::plain(&self.address("imap"));
        assert!(client.line().starts_with("* OK"));
        client
    }

    /// Ann, logged in.
    pub fn ann(&self) -> Client {
        let mut client = self.connect();
        client.ok(&format!("LOGIN {ANN} \"{PASSWORD}\""));
        client
    }

    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Resident octets of the process.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Waits until the server has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn output(&self) -> String {
        std::fs::read_to_string(self.place.folder.path().join("out.log")).unwrap()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.place.folder.path().join("server.log")).unwrap()
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        // A tracer that is killed lets go of the server instead of taking it along; while the server runs, its lock names it.
        let lock = std::fs::read_to_string(self.place.data().join("store/lock")).unwrap_or_default();
        if let (Ok(None), Ok(pid)) = (self.child.try_wait(), lock.trim().parse::<u32>()) {
            let _ = Command::new("kill").arg("-KILL").arg(pid.to_string()).stderr(Stdio::null()).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
