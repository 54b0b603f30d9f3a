//! Certificates and TLS: one configuration, replaced whole when the files change; running connections keep theirs.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// ALPN protocol of IMAP (IANA registry; RFC 7301). A client that offers protocols, but not this one, is refused, so that
/// a browser cannot be made to talk to us (ALPACA).
const ALPN: &[u8] = b"imap";

/// For how many years the self-signed certificate is good: clients pin it by hand, and would have to do so again.
const SELF_SIGNED_YEARS: i32 = 10;

/// Where certificate and key are.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// PEM chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// PEM private key.
    pub key: PathBuf,
}

/// Why the files cannot be used; names the file.
#[derive(Debug)]
pub struct TlsError(String);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

impl TlsError {
    fn at(path: &Path, error: impl fmt::Display) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

/// The TLS side of all listeners.
pub struct Tls {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Loaded>,
    seen: Mutex<[Stamp; 2]>,
}

#[derive(Clone)]
struct Loaded {
    config: Arc<ServerConfig>,
    fingerprint: String,
}

/// What tells one version of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified_nanos: i128,
}

impl Stamp {
    fn of(path: &Path) -> Self {
        fs::metadata(path).map_or_else(
            |_| Self::default(),
            |meta| Self {
                inode: meta.ino(),
                bytes: meta.len(),
                modified_nanos: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
            },
        )
    }
}

impl Tls {
    /// Loads certificate and key.
    ///
    /// # Errors
    /// [`TlsError`] when a file cannot be read, is no PEM, or the two do not belong together.
    pub fn load(files: CertificateFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let seen = stamps(&files);
        let ticketer =
            ring::Ticketer::new().map_err(|error| TlsError(format!("session tickets: {error}")))?;
        let mut loaded = read(&files, &provider)?;
        Arc::make_mut(&mut loaded.config).ticketer = ticketer;
        Ok(Self { files, provider, current: RwLock::new(loaded), seen: Mutex::new(seen) })
    }

    /// What a new connection is accepted with.
    pub fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        self.loaded().config.into()
    }

    /// SHA-256 of the certificate, `AB:CD:…`, as clients show it.
    pub fn fingerprint(&self) -> String {
        self.loaded().fingerprint
    }

    /// Where the certificate is.
    pub fn files(&self) -> &CertificateFiles {
        &self.files
    }

    /// Loads the files anew if they changed since they were last looked at, or in any case when `force` is given.
    /// Tickets given out before stay good. Returns whether something was loaded.
    ///
    /// # Errors
    /// As [`Tls::load`]; what was loaded before stays in use.
    pub fn reload(&self, force: bool) -> Result<bool, TlsError> {
        let now = stamps(&self.files);
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == now && !force {
                return Ok(false);
            }
            *seen = now;
        }
        let mut loaded = read(&self.files, &self.provider)?;
        Arc::make_mut(&mut loaded.config).ticketer = Arc::clone(&self.loaded().config.ticketer);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }

    fn loaded(&self) -> Loaded {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn stamps(files: &CertificateFiles) -> [Stamp; 2] {
    [Stamp::of(&files.certificate), Stamp::of(&files.key)]
}

fn read(files: &CertificateFiles, provider: &Arc<CryptoProvider>) -> Result<Loaded, TlsError> {
    let certificates = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| TlsError::at(&files.certificate, error))?;
    let first =
        certificates.first().ok_or_else(|| TlsError::at(&files.certificate, "holds no certificate"))?;
    let fingerprint = fingerprint(first.as_ref());
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::at(&files.key, error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| TlsError(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| TlsError::at(&files.certificate, error))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Tickets carry the session; nothing is kept here for connections that are gone.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    // One ticket is what a mail client uses; each costs a write after the handshake.
    config.send_tls13_tickets = 1;
    Ok(Loaded { config: Arc::new(config), fingerprint })
}

fn fingerprint(certificate: &[u8]) -> String {
    let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let hash = suite.tls13().map(|suite| suite.common.hash_provider.hash(certificate));
    let octets = hash.as_ref().map_or(&[][..], |hash| hash.as_ref());
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}

/// Makes a self-signed certificate for `localhost`, this machine's name and the loopback addresses, unless both files
/// are there. Returns where they are.
///
/// # Errors
/// [`TlsError`] when they cannot be written.
pub fn self_signed(folder: &Path, host_name: &str) -> Result<CertificateFiles, TlsError> {
    let files = CertificateFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    if files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    let made = make(host_name).map_err(|error| TlsError(format!("self-signed certificate: {error}")))?;
    let create = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    create.map_err(|error| TlsError::at(folder, error))?;
    // The key first: a certificate without its key would be taken for a finished pair by nobody.
    write_new(&files.key, made.key.as_bytes(), 0o600).map_err(|error| TlsError::at(&files.key, error))?;
    let written = write_new(&files.certificate, made.certificate.as_bytes(), 0o644);
    written.map_err(|error| TlsError::at(&files.certificate, error))?;
    Ok(files)
}

struct Pem {
    certificate: String,
    key: String,
}

fn make(host_name: &str) -> Result<Pem, rcgen::Error> {
    let mut names = vec!["localhost".to_owned()];
    if host_name.is_ascii() && !host_name.is_empty() && host_name != "localhost" {
        names.push(host_name.to_owned());
    }
    names.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
    let mut params = rcgen::CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, format!("Mansio on {host_name}"));
    params.is_ca = rcgen::IsCa::ExplicitNoCa;
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let yesterday = today.yesterday().unwrap_or(today);
    let date = |date: jiff::civil::Date, years: i32| {
        // The 28th exists in every month of every year.
        let day = date.day().unsigned_abs().min(28);
        rcgen::date_time_ymd(i32::from(date.year()) + years, date.month().unsigned_abs(), day)
    };
    params.not_before = date(yesterday, 0);
    params.not_after = date(today, SELF_SIGNED_YEARS);
    let key = rcgen::KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Pem { certificate: certificate.pem(), key: key.serialize_pem() })
}

/// Writes a file that shows up whole or not at all.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

#[cfg(test)]
mod tests;
