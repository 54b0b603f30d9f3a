//! IDLE (RFC 9051 6.3.13, RFC 2177): the mailbox's news at once, until the client says DONE.

use std::future::poll_fn;
use std::task::Poll;

use account::{Announce, Modseq, OpenAccount, Pending};

use crate::command::{Command, Cx, Done, Failure, Outcome};
use crate::limits;
use crate::peer::{Fill, Peer, Wait};
use crate::registry::{CommandRow, Extension, Shown, UidForm, never};
use crate::response::{Code, status};
use crate::session::States;
use crate::session::sync::Told;

pub(crate) const EXTENSION: Extension = Extension {
    capability: "IDLE",
    rfc: 2177,
    shown: Shown::AfterLogin,
    file: "ext/idle.rs",
    commands: &[IDLE],
    ..Extension::NONE
};

const IDLE: CommandRow = CommandRow {
    name: "IDLE",
    states: States::LOGGED_IN,
    uid: UidForm::No,
    numbers: false,
    streams: never,
    parse: |reader, _| {
        reader.end()?;
        Ok(Box::new(Idle))
    },
};

struct Idle;

impl Command for Idle {
    fn run<'a>(self: Box<Self>, cx: &'a mut Cx<'_>) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let account = cx.account()?;
            status::continuation(cx.peer.output(), "idling");
            loop {
                // Taken before looking, so that what comes while looking wakes at once.
                let head = account.account().head();
                cx.session.tell(cx.peer, Announce::Expunges, &Told::default()).await?;
                cx.peer.drain().await?;
                if let Some(done) = done(cx)? {
                    return if done {
                        Done::ok("IDLE completed")
                    } else {
                        Err(Failure::bad("Expected DONE"))
                    };
                }
                match either(cx.peer, &*account, head).await {
                    None | Some(Fill::More) => {}
                    Some(Fill::Closed) => return Err(Failure::Gone),
                    Some(Fill::TimedOut) => return farewell(cx, None, "Idle for too long").await,
                    Some(Fill::ShuttingDown) => {
                        return farewell(cx, Some(Code::Unavailable), "Server is shutting down").await;
                    }
                }
            }
        })
    }
}

/// Has a whole line come, and is it DONE?
fn done(cx: &mut Cx<'_>) -> Result<Option<bool>, Failure> {
    let input = cx.peer.input();
    let Some(end) = memchr::memchr(b'\n', input) else {
        return if input.len() > limits::IDLE_LINE_BYTES_MAX {
            Err(Failure::bad("Expected DONE"))
        } else {
            Ok(None)
        };
    };
    let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
    let done = line.eq_ignore_ascii_case(b"DONE");
    cx.peer.consume(end + 1);
    Ok(Some(done))
}

async fn farewell(cx: &mut Cx<'_>, code: Option<Code<'static>>, text: &str) -> Outcome {
    status::bye(cx.peer.output(), code.as_ref(), text);
    cx.peer.drain().await?;
    Err(Failure::Gone)
}

/// Waits for the peer or for a change of the account; `None` for the latter. Both waits may be dropped and begun anew.
async fn either(peer: &mut dyn Peer, account: &dyn OpenAccount, head: Modseq) -> Option<Fill> {
    let mut changed = account.changed(head);
    let mut fill = peer.fill(Wait::Idle);
    poll_fn(|context| {
        if let Poll::Ready(fill) = fill.as_mut().poll(context) {
            return Poll::Ready(Some(fill));
        }
        changed.as_mut().poll(context).map(|()| None)
    })
    .await
}
