//! What a newcomer reads: where the server listens, his first account, and what to type into three clients.

use std::fmt::Write;
use std::net::SocketAddr;

use crate::admin::FirstAccount;
use crate::listen::{Listener, Port};
use crate::tls::Tls;

/// The page that `mansio serve` prints when it runs without a configuration.
pub fn text(listeners: &[Listener], tls: &Tls, first: Option<&FirstAccount>) -> String {
    let address = |port| listeners.iter().find(|listener| listener.port == port).map(Listener::reachable);
    let certificate =
        std::path::absolute(&tls.files().certificate).unwrap_or_else(|_| tls.files().certificate.clone());
    Page {
        imap: address(Port::Imap),
        imaps: address(Port::Imaps),
        certificate: &certificate.to_string_lossy(),
        fingerprint: &tls.fingerprint(),
        first,
    }
    .to_text()
}

struct Page<'a> {
    imap: Option<SocketAddr>,
    imaps: Option<SocketAddr>,
    certificate: &'a str,
    fingerprint: &'a str,
    first: Option<&'a FirstAccount>,
}

impl Page<'_> {
    /// Writing to a `String` cannot fail, hence the results thrown away.
    fn to_text(&self) -> String {
        let mut page = String::from("\nMansio is running.\n\n");
        if let Some(imaps) = self.imaps {
            let _ = writeln!(page, "  IMAP with TLS        localhost, port {}", imaps.port());
        }
        if let Some(imap) = self.imap {
            let _ = writeln!(page, "  IMAP with STARTTLS   localhost, port {}", imap.port());
        }
        match self.first {
            Some(first) => {
                let _ = writeln!(page, "  User name            {}", first.name);
                let _ = writeln!(page, "  Password             {}   (shown only this once)", first.password);
            }
            None => page.push_str("  Accounts             mansio account list\n"),
        }
        let _ = writeln!(page, "  Certificate          {}", self.certificate);
        let _ = writeln!(page, "  Fingerprint          SHA-256 {}", self.fingerprint);
        if let Some(imaps) = self.imaps {
            self.clients(&mut page, imaps.port());
        }
        page.push_str("\nMore accounts: mansio account add NAME@DOMAIN.  Old mail: mansio import --help.\n");
        page.push_str("Stop with Ctrl-C.\n\n");
        page
    }

    fn clients(&self, page: &mut String, port: u16) {
        let user = self.first.map_or("NAME@DOMAIN", |first| first.name.as_str());
        let password = self.first.map_or("PASSWORD", |first| first.password.as_str());
        let certificate = self.certificate;
        let _ = write!(
            page,
            "
Thunderbird: New account, Configure manually: Incoming IMAP, localhost, {port},
  SSL/TLS, Normal password, {user}. Accept the certificate if it shows the fingerprint above.

mutt, in ~/.muttrc:
  set folder = \"imaps://localhost:{port}/\"
  set imap_user = \"{user}\"
  set spoolfile = \"+INBOX\"
  set certificate_file = \"{certificate}\"

mbsync, in ~/.mbsyncrc:
  IMAPAccount mansio
  Host localhost
  Port {port}
  User {user}
  Pass {password}
  SSLType IMAPS
  CertificateFile {certificate}

  IMAPStore mansio-remote
  Account mansio

  MaildirStore mansio-local
  Path ~/Mail/
  Inbox ~/Mail/INBOX
  SubFolders Verbatim

  Channel mansio
  Far :mansio-remote:
  Near :mansio-local:
  Patterns *
  Create Both
  Expunge Both
  SyncState *
"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(first: Option<&FirstAccount>) -> String {
        Page {
            imap: Some("127.0.0.1:1143".parse().unwrap()),
            imaps: Some("127.0.0.1:1993".parse().unwrap()),
            certificate: "/srv/mail/tls/cert.pem",
            fingerprint: "AB:CD",
            first,
        }
        .to_text()
    }

    #[test]
    fn a_newcomer_reads_everything_needed_to_log_in() {
        let first = FirstAccount { name: "ann@host".into(), password: "abcde-fghij-kmnpq-rstuv".into() };
        let page = page(Some(&first));
        for needed in [
            "localhost, port 1993",
            "localhost, port 1143",
            "User name            ann@host",
            "Password             abcde-fghij-kmnpq-rstuv",
            "Port 1993",
            "Pass abcde-fghij-kmnpq-rstuv",
            "CertificateFile /srv/mail/tls/cert.pem",
            "imaps://localhost:1993/",
            "SHA-256 AB:CD",
        ] {
            assert!(page.contains(needed), "{needed} is missing in:\n{page}");
        }
    }

    #[test]
    fn a_later_start_shows_no_password() {
        let page = page(None);
        assert!(page.contains("Pass PASSWORD") && page.contains("mansio account list"));
        assert!(!page.contains("only this once"));
    }
}
