//! Starting a private Dovecot as a stand-in, to check the tests themselves against an independent server.

use super::programs::{bounded, run};
use super::{LIFETIME, PASSWORD, START_TIMEOUT, Server, USER};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The operating system user that owns the mail; Dovecot refuses to read mail as root.
const OWNER: &str = "mail";

/// Starts Dovecot with a new mail folder; see [`Server::start_with`].
pub fn start(maildir: Option<&Path>) -> Server {
    let folder = tempfile::Builder::new().prefix("dovecot-server-").tempdir().unwrap();
    let base = folder.path();
    for name in ["mail", "run", "state", "control"] {
        std::fs::create_dir(base.join(name)).unwrap();
    }
    match maildir {
        Some(maildir) => {
            run(Command::new("cp").args(["-a", "--"]).arg(maildir).arg(base.join("mail/Maildir")));
        }
        None => std::fs::create_dir(base.join("mail/Maildir")).unwrap(),
    }
    run(Command::new("chmod").arg("755").arg(base));
    run(Command::new("chown").args(["-R", &format!("{OWNER}:{OWNER}")]).arg(base.join("mail")));
    run(Command::new("chown").arg(OWNER).arg(base.join("control")));
    certificate(base);

    // Both are held at once, so that they differ; Dovecot cannot be told to choose a port itself.
    let held = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let [imap_port, imaps_port] = held.each_ref().map(|listener| listener.local_addr().unwrap().port());
    drop(held);
    std::fs::write(base.join("passwd"), format!("{USER}:{{PLAIN}}{PASSWORD}\n")).unwrap();
    std::fs::write(base.join("dovecot.conf"), configuration(base, imap_port, imaps_port)).unwrap();

    let mut child =
        bounded("dovecot", LIFETIME).arg("-F").arg("-c").arg(base.join("dovecot.conf")).spawn().unwrap();
    let started = Instant::now();
    while TcpStream::connect(("127.0.0.1", imaps_port)).is_err() {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none() && started.elapsed() < START_TIMEOUT, "Dovecot does not listen: {ended:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Server {
        host: "localhost",
        imap_port,
        imaps_port,
        user: USER.into(),
        password: PASSWORD.into(),
        ca: base.join("cert.pem"),
        child,
        folder,
    }
}

/// A self-signed certificate of the kind that Mansio makes for itself: for an end entity, not an authority.
fn certificate(base: &Path) {
    const EXTENSIONS: &str = "[req]\ndistinguished_name=name\nx509_extensions=own\nprompt=no\n[name]\nCN=localhost\n\
        [own]\nsubjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n";
    std::fs::write(base.join("openssl.conf"), EXTENSIONS).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "30",
    ]);
    openssl.arg("-config").arg(base.join("openssl.conf"));
    run(openssl.arg("-keyout").arg(base.join("key.pem")).arg("-out").arg(base.join("cert.pem")));
}

fn configuration(base: &Path, imap_port: u16, imaps_port: u16) -> String {
    let base = base.display();
    format!(
        r#"
protocols = imap
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/server.log
ssl = yes
ssl_cert = <{base}/cert.pem
ssl_key = <{base}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{base}/mail/Maildir
mail_attribute_dict = file:{base}/mail/attributes
mail_uid = {OWNER}
mail_gid = {OWNER}
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 100
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {base}/passwd
}}
userdb {{
  driver = static
  args = home={base}/mail allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
protocol imap {{
  imap_metadata = yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
"#
    )
}
