//! INPROGRESS (RFC 9585): a long command says how far it is, which also keeps the connection from looking dead.

use account::Millis;

use crate::command::{Cx, Failure};
use crate::registry::{Extension, Shown};
use crate::response::{Code, code, status};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "INPROGRESS",
    rfc: 9585,
    shown: Shown::AfterLogin,
    file: "ext/inprogress.rs",
    ..Extension::NONE
};

/// RFC 9585 3: not more often than every ten seconds.
const INTERVAL_MILLIS: u64 = 10_000;

/// How far a command is, and when that was last told.
pub(crate) struct Progress {
    told: Millis,
    total: u32,
}

impl Progress {
    pub(crate) const fn new(now: Millis, total: u32) -> Self {
        Self { told: now, total }
    }

    /// Tells it when it is time.
    pub(crate) async fn tell(&mut self, cx: &mut Cx<'_>, done: u32) -> Result<(), Failure> {
        let now = cx.host().now();
        if now.0.saturating_sub(self.told.0) < INTERVAL_MILLIS || done >= self.total {
            return Ok(());
        }
        self.told = now;
        let code = Code::InProgress(Some(code::Progress { tag: cx.tag, done, goal: Some(self.total) }));
        status::untagged_ok(cx.peer.output(), Some(&code), "Still at it");
        cx.peer.drain().await?;
        Ok(())
    }
}
