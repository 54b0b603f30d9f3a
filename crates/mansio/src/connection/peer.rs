//! [`imap::Peer`] over a socket: buffers that exist only while they hold something, and a time-out for every wait.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use account::Pending;
use imap::{Fill, Gone, Peer, Wait};
use tokio::time::Instant;

use super::deflate::Deflate;
use super::link::{Link, free_if_empty};
use super::{Facts, Stop, Timeouts};
use crate::limits::{LINGER_BYTES_MAX, LINGER_MILLIS_MAX};

/// After so long a silence a connection counts as quiet, and what can be made again is given back.
const QUIET: Duration = Duration::from_secs(3);

/// The other side of one connection.
pub struct SocketPeer {
    link: Link,
    deflate: Option<Box<Deflate>>,
    input: Vec<u8>,
    /// How much of `input` was consumed.
    consumed: usize,
    output: Vec<u8>,
    facts: Arc<Facts>,
    timeouts: Timeouts,
    stop: Stop,
}

impl SocketPeer {
    /// Begins with empty buffers.
    pub fn new(link: Link, facts: Arc<Facts>, timeouts: Timeouts, stop: Stop) -> Self {
        Self {
            link,
            deflate: None,
            input: Vec::new(),
            consumed: 0,
            output: Vec::new(),
            facts,
            timeouts,
            stop,
        }
    }

    /// The link alone. What was received and not consumed is thrown away: nothing that came in plaintext may be taken
    /// for something said under TLS.
    pub fn into_link(self) -> Link {
        self.link
    }

    /// Deflates from here on. What was received and not consumed came after the command, so it is deflated already.
    pub fn compress(&mut self) {
        let received = self.input.split_off(self.consumed);
        self.input = Vec::new();
        self.consumed = 0;
        self.deflate = Some(Box::new(Deflate::new(received)));
    }

    /// Ends the connection so that the peer gets to see the last words: a socket closed with unread input is reset, and a
    /// reset overtakes them.
    pub async fn close(mut self) {
        let last = async {
            self.link.shutdown().await?;
            let mut waste = Vec::new();
            let mut wasted = 0;
            while wasted < LINGER_BYTES_MAX {
                match self.link.read(&mut waste).await? {
                    0 => break,
                    octets => wasted += octets,
                }
                waste.clear();
            }
            io::Result::Ok(())
        };
        let _ = tokio::time::timeout(Duration::from_millis(LINGER_MILLIS_MAX), last).await;
    }

    fn deadline(&self, wait: Wait) -> Instant {
        let now = Instant::now();
        let after = now
            + match wait {
                Wait::Command | Wait::Idle => self.timeouts.idle,
                Wait::Literal => self.timeouts.literal,
            };
        // Before login the clock runs from the first octet on, whatever trickles in.
        if self.facts.logged_in() { after } else { after.min(self.facts.accepted + self.timeouts.login) }
    }

    async fn read(&mut self) -> Fill {
        let got = match &mut self.deflate {
            Some(deflate) => deflate.read(&mut self.link, &mut self.input).await,
            None => self.link.read(&mut self.input).await,
        };
        match got {
            Ok(0) => Fill::Closed,
            Ok(octets) => {
                self.facts.received_bytes.fetch_add(octets as u64, Ordering::Relaxed);
                Fill::More
            }
            Err(error) => {
                tracing::debug!(peer = %self.facts.address, %error, "reading failed");
                Fill::Closed
            }
        }
    }

    /// Gives back what a quiet connection does not need.
    fn rest(&mut self) {
        if self.consumed == self.input.len() {
            self.input = Vec::new();
            self.consumed = 0;
        }
        free_if_empty(&mut self.output);
        if let Some(deflate) = &mut self.deflate {
            deflate.rest();
        }
    }

    async fn wait(&mut self, wait: Wait) -> Fill {
        if self.stop.now() {
            return Fill::ShuttingDown;
        }
        if self.consumed > 0 {
            self.input.drain(..self.consumed);
            self.consumed = 0;
        }
        let deadline = self.deadline(wait);
        let quiet = deadline.min(Instant::now() + QUIET);
        if let Some(fill) = self.wait_until(quiet).await {
            return fill;
        }
        self.rest();
        if let Some(fill) = self.wait_until(deadline).await {
            return fill;
        }
        Fill::TimedOut
    }

    async fn wait_until(&mut self, deadline: Instant) -> Option<Fill> {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            fill = self.read() => Some(fill),
            () = stop.wait() => Some(Fill::ShuttingDown),
            () = tokio::time::sleep_until(deadline) => None,
        }
    }

    async fn write(&mut self, octets: &[u8]) -> Result<(), Gone> {
        // A stranger gets no longer than his login may take.
        let patience = if self.facts.logged_in() { self.timeouts.write } else { self.timeouts.login };
        let mut sent = 0;
        while sent < octets.len() {
            sent += in_time(patience, self.link.write(&octets[sent..])).await?;
        }
        in_time(patience, self.link.flush()).await?;
        self.facts.sent_bytes.fetch_add(octets.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

async fn in_time<T>(patience: Duration, work: impl Future<Output = io::Result<T>>) -> Result<T, Gone> {
    match tokio::time::timeout(patience, work).await {
        Ok(Ok(done)) => Ok(done),
        _ => Err(Gone),
    }
}

impl Peer for SocketPeer {
    fn input(&self) -> &[u8] {
        &self.input[self.consumed..]
    }

    fn consume(&mut self, octets: usize) {
        self.consumed = (self.consumed + octets).min(self.input.len());
        if self.consumed == self.input.len() {
            self.input = Vec::new();
            self.consumed = 0;
        }
    }

    fn fill(&mut self, wait: Wait) -> Pending<'_, Fill> {
        free_if_empty(&mut self.output);
        Box::pin(self.wait(wait))
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    fn drain(&mut self) -> Pending<'_, Result<(), Gone>> {
        Box::pin(async move {
            if self.output.is_empty() {
                return Ok(());
            }
            // Taken out, so that a future dropped in the middle can send nothing twice.
            let mut output = std::mem::take(&mut self.output);
            match &mut self.deflate {
                Some(deflate) => {
                    let packed = deflate.deflate(&output).map_err(|_| Gone)?;
                    self.write(&packed).await?;
                }
                None => self.write(&output).await?,
            }
            output.clear();
            self.output = output;
            Ok(())
        })
    }
}
