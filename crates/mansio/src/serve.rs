//! `mansio serve`: from nothing to listening, and down again without losing anything.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use account::Accounts;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::admin::{Admin, FirstAccount};
use crate::auth::{Door, Hasher};
use crate::config::{Config, Log, LogFormat, WithoutTls};
use crate::connection::{Stop, Timeouts};
use crate::control;
use crate::data::Data;
use crate::failure::{DISK, Failure};
use crate::listen::{self, Admission, Listener};
use crate::metrics::{self, Metrics};
use crate::random;
use crate::tls::{self, CertificateFiles, Tls};
use crate::welcome;

/// Between two looks at the certificate's files: renewals are found without a signal, at the price of two `stat`s.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(30);

/// Name of the file in the data folder that tells the addresses, one `imap 127.0.0.1:1143` a line.
const ADDRESSES: &str = "addresses";

/// What all connections share.
pub struct Server {
    /// Decides who is logged in.
    pub door: Door,
    /// The accounts.
    pub accounts: Arc<dyn Accounts>,
    /// What they are kept in.
    pub data: Arc<Data>,
    /// Counts connections.
    pub admission: Arc<Admission>,
    /// Counts everything else.
    pub metrics: Metrics,
    /// What sessions may know of the configuration.
    pub settings: imap::Settings,
    /// How long connections wait.
    pub timeouts: Timeouts,
    /// Certificate and key.
    pub tls: Tls,
    /// Where passwords may travel in plaintext.
    pub without_tls: WithoutTls,
    /// The wish to go down.
    pub stop: Stop,
}

/// Runs the server until it is told to stop. With `welcome` there is an account at the end of the start, and the page that tells
/// newcomers how to get in.
///
/// # Errors
/// Why it could not begin, or exit code [`DISK`] when the disk failed under it.
pub async fn run(config: Config, welcome: bool) -> Result<ExitCode, Failure> {
    log(&config.log);
    raise_descriptor_limit();
    let data = Arc::new(Data::open(&config).await?);
    // One left behind by a process that was killed names ports that nobody listens on.
    let _ = std::fs::remove_file(config.data.join(ADDRESSES));
    let served = serve(&config, welcome, &data).await;
    let closed = data.close().await;
    let _ = std::fs::remove_file(config.data.join(ADDRESSES));
    served.and(closed)?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: &Config, welcome: bool, data: &Arc<Data>) -> Result<(), Failure> {
    let host_name = host_name();
    let tls = Tls::load(certificate(config, &host_name)?).map_err(Failure::new)?;
    let listeners = listen::bind(&config.listen).map_err(Failure::new)?;
    let hasher = Arc::new(Hasher::new(usize::try_from(config.limits.hashes_at_once).unwrap_or(usize::MAX)));
    let admin = Arc::new(Admin::new(Arc::clone(data), Arc::clone(&hasher)));
    let first = if welcome { admin.first_account(&host_name).await? } else { None };

    let (switch, stop) = Stop::new();
    let server = Arc::new(Server {
        door: Door::new(data.accounts(), hasher, random::bytes()),
        accounts: data.accounts(),
        data: Arc::clone(data),
        admission: Arc::new(Admission::new(&config.limits)),
        metrics: Metrics::new(),
        settings: imap::Settings {
            message_bytes_max: config.limits.message_bytes,
            ..imap::Settings::default()
        },
        timeouts: Timeouts::from(&config.limits),
        tls,
        without_tls: config.login.without_tls,
        stop: stop.clone(),
    });
    let control = control::listen(&config.data)
        .map_err(|error| Failure::new(format!("{}: {error}", config.data.join(control::SOCKET).display())))?;
    tokio::spawn(control::serve(control, admin, stop.clone()));
    let metrics = metrics_listener(config).await?;
    announce(config, &server, &listeners, metrics.as_ref(), first.as_ref(), welcome)?;
    for listener in listeners {
        tokio::spawn(listener.run(Arc::clone(&server)));
    }
    if let Some(listener) = metrics {
        tokio::spawn(metrics::serve(listener, Arc::clone(&server)));
    }
    tokio::spawn(watch_certificate(Arc::clone(&server)));
    tokio::spawn(Arc::clone(data).keep_house(stop));

    let ended = until_told(&server, data).await;
    switch.send_replace(true);
    ended?;
    let patience = Duration::from_secs(config.limits.shutdown_seconds);
    if tokio::time::timeout(patience, server.admission.wait_until_empty()).await.is_err() {
        tracing::warn!(connections = server.admission.counts().0, "connections cut off");
    }
    Ok(())
}

/// Waits for SIGTERM or SIGINT, reloading the certificate at each SIGHUP; or for the disk to fail.
async fn until_told(server: &Server, data: &Data) -> Result<(), Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::new(format!("signals: {error}")));
    let mut terminate: Signal = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut hang_up = listen(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => reload(server, true),
            reason = data.failed() => {
                tracing::error!(reason, "the store failed; nothing more is written");
                let advice = "The data up to the last acknowledged change is safe; look at the disk, then start again.";
                return Err(Failure::with_code(DISK, format!("the store failed: {reason}. {advice}")));
            }
        }
    }
    tracing::info!("going down");
    Ok(())
}

fn reload(server: &Server, force: bool) {
    match server.tls.reload(force) {
        Ok(true) => tracing::info!(fingerprint = server.tls.fingerprint(), "certificate loaded"),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "certificate not loaded, the old one stays in use"),
    }
}

async fn watch_certificate(server: Arc<Server>) {
    let mut stop = server.stop.clone();
    loop {
        tokio::select! {
            () = stop.wait() => return,
            () = tokio::time::sleep(CERTIFICATE_LOOK) => reload(&server, false),
        }
    }
}

fn certificate(config: &Config, host_name: &str) -> Result<CertificateFiles, Failure> {
    match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => {
            Ok(CertificateFiles { certificate: certificate.clone(), key: key.clone() })
        }
        _ => tls::self_signed(&config.data.join("tls"), host_name).map_err(Failure::new),
    }
}

async fn metrics_listener(config: &Config) -> Result<Option<TcpListener>, Failure> {
    let Some(address) = config.metrics.listen else { return Ok(None) };
    let listener = TcpListener::bind(address).await;
    listener.map(Some).map_err(|error| Failure::new(format!("cannot listen on {address}: {error}")))
}

/// Tells people how to get in, and programs where.
fn announce(
    config: &Config,
    server: &Server,
    listeners: &[Listener],
    metrics: Option<&TcpListener>,
    first: Option<&FirstAccount>,
    welcome: bool,
) -> Result<(), Failure> {
    let mut addresses = String::new();
    for listener in listeners {
        let _ = writeln!(addresses, "{} {}", listener.port, listener.reachable());
        tracing::info!(address = %listener.address, "listening for {}", listener.port);
    }
    if let Some(address) = metrics.and_then(|listener| listener.local_addr().ok()) {
        let _ = writeln!(addresses, "metrics {address}");
    }
    let file = config.data.join(ADDRESSES);
    write_whole(&file, &addresses).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    if welcome {
        crate::print(&welcome::text(listeners, &server.tls, first));
    }
    Ok(())
}

/// Whoever waits for the file never sees half of it.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension("new");
    std::fs::write(&draft, text)?;
    std::fs::rename(&draft, file)
}

/// This machine's name, as it calls itself.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// One descriptor per connection: as many as the system lets us have.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // What we have then has to do.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Sends the log to standard error. `MANSIO_LOG` overrides the level, in the syntax of `RUST_LOG`.
fn log(log: &Log) {
    let filter = EnvFilter::try_from_env("MANSIO_LOG").unwrap_or_else(|_| EnvFilter::new(&log.level));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    // An error means that there is a log already.
    let _ = match log.format {
        LogFormat::Text => builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
