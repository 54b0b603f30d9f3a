//! LOGIN (RFC 9051 6.2.3) and AUTHENTICATE PLAIN (6.2.2, RFC 4616, SASL-IR of RFC 4959).

use account::Pending;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Command, Cx, Done, Failure, Outcome, Syntax};
use crate::host::{Credentials, LoginRefusal};
use crate::limits;
use crate::peer::{Fill, Wait};
use crate::registry::{self, CommandRow, UidForm, never};
use crate::response::{Code, status};
use crate::session::{Login, State, States};
use crate::wire::{Bad, Reader};

pub(crate) const LOGIN: CommandRow = CommandRow {
    name: "LOGIN",
    states: States::NOT_AUTHENTICATED,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, _| {
        reader.sp()?;
        let name = reader.astring()?.to_vec();
        reader.sp()?;
        let password = reader.astring()?.to_vec();
        reader.end()?;
        Ok(Box::new(LoginCommand { name, password }))
    },
};

pub(crate) const AUTHENTICATE: CommandRow =
    CommandRow { name: "AUTHENTICATE", parse: parse_authenticate, ..LOGIN };

struct LoginCommand {
    name: Vec<u8>,
    password: Vec<u8>,
}

impl Command for LoginCommand {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            login_allowed(cx)?;
            log_in(cx, b"", &self.name, &self.password, "Logged in").await
        })
    }
}

struct Authenticate {
    mechanism: String,
    /// `=` stands for an empty response.
    initial: Option<Vec<u8>>,
}

/// `authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]`
fn parse_authenticate(reader: &mut Reader<'_>, _: &Syntax) -> Result<Box<dyn Command>, Bad> {
    reader.sp()?;
    let mechanism = String::from_utf8_lossy(reader.atom()?).to_ascii_uppercase();
    let initial = if reader.is_empty() {
        None
    } else {
        reader.sp()?;
        Some(reader.rest().to_vec())
    };
    Ok(Box::new(Authenticate { mechanism, initial }))
}

impl Command for Authenticate {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            if self.mechanism != "PLAIN" {
                return Err(Failure::No(Some(Code::Cannot), "Unknown authentication mechanism".into()));
            }
            login_allowed(cx)?;
            let encoded = match self.initial {
                Some(initial) => initial,
                None => response_line(cx).await?,
            };
            if encoded == b"*" {
                return Err(Failure::bad("AUTHENTICATE cancelled"));
            }
            let decoded = if encoded == b"=" { Ok(Vec::new()) } else { STANDARD.decode(&encoded) };
            let decoded = decoded.map_err(|_| Failure::bad("That is not base64"))?;
            // RFC 4616 2: [authzid] NUL authcid NUL passwd
            let fields: Vec<&[u8]> = decoded.split(|&octet| octet == 0).collect();
            let [authorization, name, password] = fields[..] else {
                return Err(Failure::bad("That is not a PLAIN message"));
            };
            log_in(cx, authorization, name, password, "Authenticated").await
        })
    }
}

/// RFC 9051 6.2.3, RFC 5530 3: where passwords may not travel, none is looked at.
fn login_allowed(cx: &Cx<'_>) -> Result<(), Failure> {
    if cx.session.transport.login_allowed {
        return Ok(());
    }
    Err(Failure::no(Code::PrivacyRequired, "Passwords are taken under TLS only"))
}

/// Asks for the client's response with an empty challenge and reads one line.
async fn response_line(cx: &mut Cx<'_>) -> Result<Vec<u8>, Failure> {
    status::continuation(cx.peer.output(), "");
    cx.peer.drain().await?;
    loop {
        let input = cx.peer.input();
        let end = memchr::memchr(b'\n', input);
        let line = &input[..end.unwrap_or(input.len())];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > limits::SASL_LINE_BYTES_MAX {
            // Where the next command would begin is not worth finding out.
            status::bye(cx.peer.output(), None, "The response is too long");
            cx.peer.drain().await?;
            return Err(Failure::Gone);
        }
        if let Some(end) = end {
            let line = line.to_vec();
            cx.peer.consume(end + 1);
            return Ok(line);
        }
        if cx.peer.fill(Wait::Command).await != Fill::More {
            return Err(Failure::Gone);
        }
    }
}

async fn log_in(
    cx: &mut Cx<'_>,
    authorization: &[u8],
    name: &[u8],
    password: &[u8],
    done: &'static str,
) -> Outcome {
    let failed = || Failure::no(Code::AuthenticationFailed, "Unknown name or wrong password");
    let (Ok(authorization), Ok(name)) = (std::str::from_utf8(authorization), std::str::from_utf8(name))
    else {
        return Err(failed());
    };
    let host = cx.host().clone();
    let id = match host.login(Credentials { authorization, name, password }).await {
        Ok(id) => id,
        Err(LoginRefusal::Failed) => return Err(failed()),
        Err(LoginRefusal::NotAuthorized) => {
            return Err(Failure::no(Code::AuthorizationFailed, "You may not act for that name"));
        }
        Err(LoginRefusal::Unavailable) => {
            return Err(Failure::no(Code::Unavailable, "Logins cannot be checked now"));
        }
        Err(LoginRefusal::TooMany) => return Err(Failure::no(Code::Limit, "Too many attempts; try later")),
    };
    let account = host.accounts().open(id).await?;
    cx.session.state = State::Authenticated(Login { account });
    let shown = registry::capabilities(cx.session.transport, true, host.settings());
    Done::with(Code::Capability(shown), done)
}
