//! Prometheus metrics, and the page that shows them on a loopback port.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::limits::METRICS_REQUEST_BYTES_MAX;
use crate::listen::Full;
use crate::serve::Server;

/// How long a request may take to arrive, and its answer to leave.
const PATIENCE: Duration = Duration::from_secs(5);

/// Upper bounds of the buckets that commands' times are counted in, in seconds. The clock counts milliseconds.
const SECONDS: [f64; 9] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// A command that waits for others on purpose; its time says nothing.
const WAITING: &str = "IDLE";

type Labels = [(&'static str, &'static str); 1];
type CommandLabels = [(&'static str, &'static str); 2];

/// What is counted. Names and meanings are in `docs/operating.md`.
pub struct Metrics {
    registry: Registry,
    connections: Family<Labels, Gauge>,
    accounts_awake: Gauge,
    columns_bytes: Gauge,
    refused: Family<Labels, Counter>,
    logins: Family<Labels, Counter>,
    commands: Family<CommandLabels, Counter>,
    command_seconds: Histogram,
    /// TLS handshakes that succeeded.
    pub handshakes: Counter,
    /// TLS handshakes that did not.
    pub handshakes_failed: Counter,
    /// Octets of IMAP received, counted when a connection ends.
    pub received_bytes: Counter,
    /// Octets sent, counted when a connection ends.
    pub sent_bytes: Counter,
    /// Faults of our own that a client was told about.
    pub incidents: Counter,
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("mansio"),
            connections: Family::default(),
            accounts_awake: Gauge::default(),
            columns_bytes: Gauge::default(),
            refused: Family::default(),
            logins: Family::default(),
            commands: Family::default(),
            command_seconds: Histogram::new(SECONDS),
            handshakes: Counter::default(),
            handshakes_failed: Counter::default(),
            received_bytes: Counter::default(),
            sent_bytes: Counter::default(),
            incidents: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("connections", "Connections now, by state", metrics.connections.clone());
        registry.register("accounts_awake", "Accounts in memory", metrics.accounts_awake.clone());
        registry.register(
            "columns_bytes",
            "Octets of message columns in memory",
            metrics.columns_bytes.clone(),
        );
        registry.register("connections_refused", "Connections refused, by limit", metrics.refused.clone());
        registry.register("logins", "Logins, by result", metrics.logins.clone());
        registry.register("commands", "Commands run, by name and result", metrics.commands.clone());
        let seconds = metrics.command_seconds.clone();
        registry.register("command_seconds", "Seconds from a command to its answer", seconds);
        registry.register("tls_handshakes", "TLS handshakes that succeeded", metrics.handshakes.clone());
        let failed = metrics.handshakes_failed.clone();
        registry.register("tls_handshakes_failed", "TLS handshakes that failed", failed);
        registry.register(
            "received_bytes",
            "Octets received by connections that ended",
            metrics.received_bytes.clone(),
        );
        registry.register("sent_bytes", "Octets sent by connections that ended", metrics.sent_bytes.clone());
        registry.register("incidents", "Own faults that a client was told about", metrics.incidents.clone());
        metrics
    }

    /// A connection was refused.
    pub fn refused(&self, full: Full) {
        self.refused.get_or_create(&[("limit", full.as_str())]).inc();
    }

    /// A login was decided.
    pub fn login(&self, result: &'static str) {
        self.logins.get_or_create(&[("result", result)]).inc();
    }

    /// A command was run.
    pub fn command(&self, name: &'static str, ok: bool, millis: u64) {
        let result = if ok { "ok" } else { "refused" };
        self.commands.get_or_create(&[("command", name), ("result", result)]).inc();
        if name != WAITING {
            self.command_seconds.observe(Duration::from_millis(millis).as_secs_f64());
        }
    }

    /// The page, with the gauges as they are now.
    fn page(&self, server: &Server) -> String {
        let (connections, strangers) = server.admission.counts();
        let set = |gauge: &Gauge, value: u64| {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        let state = |state| self.connections.get_or_create_owned(&[("state", state)]);
        set(&state("before-login"), strangers);
        set(&state("logged-in"), connections.saturating_sub(strangers));
        set(&self.accounts_awake, server.data.keeper().awake_count() as u64);
        set(&self.columns_bytes, server.data.keeper().loaded_bytes());
        let mut page = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut page, &self.registry);
        page
    }
}

/// Answers `GET /metrics` until the server stops. One request per connection, one connection at a time: the only reader
/// is a scraper.
pub async fn serve(listener: TcpListener, server: Arc<Server>) {
    let mut stop = server.stop.clone();
    loop {
        let accepted = tokio::select! {
            () = stop.wait() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let _ = tokio::time::timeout(PATIENCE, answer(stream, &server)).await;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, server: &Server) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if request.len() >= METRICS_REQUEST_BYTES_MAX || stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let (status, kind, body) = if request.starts_with(b"GET /metrics ") {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        ("200 OK", kind, server.metrics.page(server))
    } else {
        ("404 Not Found", "text/plain; charset=utf-8", "The metrics are at /metrics.\n".to_owned())
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
