//! What is different between two values of one mailbox: the one answer to NOOP, IDLE and NOTIFY.

use std::sync::Arc;

use crate::chunk::Chunk;
use crate::{Mailbox, Row, Uid};

/// One difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// In the older value only.
    Vanished(Row),
    /// In both, touched by an entry since.
    Changed(Uid),
    /// In the newer value only.
    Appeared(Uid),
}

/// Calls `tell` for every difference, ascending by UID. Chunks that are the same allocation in both are skipped, so the
/// cost is that of the chunks touched.
pub(crate) fn compare(older: &Mailbox, newer: &Mailbox, mut tell: impl FnMut(Change)) {
    let (old, new) = unshared(older.chunks(), newer.chunks());
    let mut old = old.into_iter().flat_map(places).peekable();
    let mut new = new.into_iter().flat_map(places).peekable();
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(&(a, at)), Some(&(b, bt))) => a.uid(at).cmp(&b.uid(bt)),
        };
        let was = if order.is_le() { old.next() } else { None };
        let is = if order.is_ge() { new.next() } else { None };
        match (was, is) {
            (Some((a, at)), Some((b, bt))) => {
                if (a.modseq(at) != b.modseq(bt) || a.flags(at) != b.flags(bt))
                    && let Some(uid) = Uid::new(b.uid(bt))
                {
                    tell(Change::Changed(uid));
                }
            }
            (Some((a, at)), None) => {
                if let Some(row) = a.row(at) {
                    tell(Change::Vanished(row));
                }
            }
            (None, Some((b, bt))) => {
                if let Some(uid) = Uid::new(b.uid(bt)) {
                    tell(Change::Appeared(uid));
                }
            }
            (None, None) => return,
        }
    }
}

fn places(chunk: &Chunk) -> impl Iterator<Item = (&Chunk, usize)> {
    (0..chunk.len()).map(move |at| (chunk, at))
}

/// The chunks of each side that are not the same allocation in both. Both lists rise by their chunks' first UID, and a
/// shared chunk has the same one in both, so a walk that always moves the lower side meets every shared pair.
fn unshared<'a>(older: &'a [Arc<Chunk>], newer: &'a [Arc<Chunk>]) -> (Vec<&'a Chunk>, Vec<&'a Chunk>) {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (older.get(i), newer.get(j)) {
        if Arc::ptr_eq(a, b) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let order = a.first().cmp(&b.first());
        if order.is_le() {
            old.push(a.as_ref());
            i += 1;
        }
        if order.is_ge() {
            new.push(b.as_ref());
            j += 1;
        }
    }
    old.extend(older[i..].iter().map(Arc::as_ref));
    new.extend(newer[j..].iter().map(Arc::as_ref));
    (old, new)
}
