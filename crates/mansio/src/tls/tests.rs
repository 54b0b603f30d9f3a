use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsConnector;

use super::*;

fn made() -> (tempfile::TempDir, CertificateFiles) {
    let folder = tempfile::tempdir().unwrap();
    let files = self_signed(&folder.path().join("tls"), "mail.example.org").unwrap();
    (folder, files)
}

fn client(files: &CertificateFiles, alpn: &[&[u8]]) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.certificate).unwrap()).unwrap();
    let builder = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config).into()
}

async fn handshake(tls: &Tls, client: TlsConnector, name: &str) -> Result<(), String> {
    let (near, far): (DuplexStream, DuplexStream) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let server = async {
        let mut stream = tls.acceptor().accept(far).await.map_err(|error| error.to_string())?;
        stream.write_all(b"x").await.map_err(|error| error.to_string())?;
        stream.flush().await.map_err(|error| error.to_string())
    };
    let client = async {
        let mut stream = client.connect(name, near).await.map_err(|error| error.to_string())?;
        stream.read_u8().await.map(drop).map_err(|error| error.to_string())
    };
    let (server, client) = tokio::join!(server, client);
    server.and(client)
}

#[tokio::test]
async fn the_self_signed_certificate_is_trusted_by_every_local_name_once_it_is_pinned() {
    let (_folder, files) = made();
    let tls = Tls::load(files.clone()).unwrap();
    for name in ["localhost", "mail.example.org", "127.0.0.1", "::1"] {
        assert_eq!(handshake(&tls, client(&files, &[]), name).await, Ok(()), "{name}");
    }
    assert!(handshake(&tls, client(&files, &[]), "other.example.org").await.is_err());
}

#[tokio::test]
async fn a_client_of_another_protocol_is_refused() {
    let (_folder, files) = made();
    let tls = Tls::load(files.clone()).unwrap();
    assert_eq!(handshake(&tls, client(&files, &[b"imap"]), "localhost").await, Ok(()));
    assert!(handshake(&tls, client(&files, &[b"h2", b"http/1.1"]), "localhost").await.is_err());
}

#[test]
fn the_key_is_for_its_owner_only_and_a_second_start_keeps_the_pair() {
    let (folder, files) = made();
    assert_eq!(fs::metadata(&files.key).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&files.certificate).unwrap();
    self_signed(&folder.path().join("tls"), "mail.example.org").unwrap();
    assert_eq!(fs::read(&files.certificate).unwrap(), before);
}

#[test]
fn changed_files_are_loaded_and_broken_ones_leave_the_old_in_use() {
    let (_folder, files) = made();
    let tls = Tls::load(files.clone()).unwrap();
    let first = tls.fingerprint();
    assert_eq!(first.len(), 32 * 3 - 1);
    assert!(!tls.reload(false).unwrap(), "nothing changed");

    let (_other, others) = made();
    fs::copy(&others.certificate, &files.certificate).unwrap();
    assert!(tls.reload(false).is_err(), "certificate and key do not belong together");
    assert_eq!(tls.fingerprint(), first);

    fs::copy(&others.key, &files.key).unwrap();
    assert!(tls.reload(false).unwrap());
    assert_ne!(tls.fingerprint(), first);

    fs::write(&files.certificate, "no certificate").unwrap();
    let error = tls.reload(true).unwrap_err().to_string();
    assert!(error.contains("cert.pem"), "{error}");
}
