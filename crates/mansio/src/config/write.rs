//! The effective configuration as a TOML file: what `mansio config check` prints.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use super::{Config, Limits, LogFormat, WithoutTls};

impl fmt::Display for Config {
    /// Every key with its value. What has no fixed default (ports that depend on rights, the self-signed certificate)
    /// stands as a comment, so that the output is a valid configuration that means the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "data = {}", quoted(&self.data))?;
        writeln!(f, "\n[listen]")?;
        addresses(f, "imap", self.listen.imap.as_deref(), "143, or 1143 where that is not to be had")?;
        addresses(f, "imaps", self.listen.imaps.as_deref(), "993, or 1993 where that is not to be had")?;
        writeln!(f, "\n[tls]")?;
        path(f, "certificate", self.tls.certificate.as_deref())?;
        path(f, "key", self.tls.key.as_deref())?;
        let without_tls = match self.login.without_tls {
            WithoutTls::Never => "never",
            WithoutTls::Loopback => "loopback",
            WithoutTls::Always => "always",
        };
        writeln!(f, "\n[login]\nwithout_tls = \"{without_tls}\"")?;
        limits(f, &self.limits)?;
        let format = match self.log.format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        writeln!(f, "\n[log]\nlevel = \"{}\"\nformat = \"{format}\"", self.log.level)?;
        writeln!(f, "\n[metrics]")?;
        match self.metrics.listen {
            Some(address) => writeln!(f, "listen = \"{address}\""),
            None => writeln!(f, "# listen: off"),
        }
    }
}

fn limits(f: &mut fmt::Formatter<'_>, limits: &Limits) -> fmt::Result {
    writeln!(f, "\n[limits]")?;
    writeln!(f, "connections = {}", limits.connections)?;
    writeln!(f, "connections_per_address = {}", limits.connections_per_address)?;
    writeln!(f, "connections_before_login = {}", limits.connections_before_login)?;
    writeln!(f, "login_seconds = {}", limits.login_seconds)?;
    writeln!(f, "idle_seconds = {}", limits.idle_seconds)?;
    writeln!(f, "literal_seconds = {}", limits.literal_seconds)?;
    writeln!(f, "write_seconds = {}", limits.write_seconds)?;
    writeln!(f, "handshake_seconds = {}", limits.handshake_seconds)?;
    writeln!(f, "shutdown_seconds = {}", limits.shutdown_seconds)?;
    writeln!(f, "message_bytes = {}", limits.message_bytes)?;
    writeln!(f, "memory_bytes = {}", limits.memory_bytes)?;
    writeln!(f, "hashes_at_once = {}", limits.hashes_at_once)
}

fn addresses(
    f: &mut fmt::Formatter<'_>,
    key: &str,
    list: Option<&[SocketAddr]>,
    default: &str,
) -> fmt::Result {
    match list {
        Some(list) => {
            let list = list.iter().map(|address| format!("\"{address}\"")).collect::<Vec<_>>();
            writeln!(f, "{key} = [{}]", list.join(", "))
        }
        None => writeln!(f, "# {key}: every interface, port {default}"),
    }
}

fn path(f: &mut fmt::Formatter<'_>, key: &str, path: Option<&Path>) -> fmt::Result {
    match path {
        Some(path) => writeln!(f, "{key} = {}", quoted(path)),
        None => writeln!(f, "# {key}: self-signed, in the data folder"),
    }
}

/// A path as a TOML basic string.
fn quoted(path: &Path) -> String {
    toml::Value::String(path.to_string_lossy().into_owned()).to_string()
}
