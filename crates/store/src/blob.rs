//! The words of blobs: their names, their sections, and the set of those still in use.

use std::fmt;

/// Names one blob: three immutable sections of bytes. Never 0 and never reused, also not after a crash or a reclaim. Ids
/// rise in the order in which blobs are put.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub u64);

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One of the three sections of a blob. They are kept in this order and can be read apart.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// Small and read often; many at once by [`Store::summaries`](crate::Store::summaries).
    Summary,
    /// Middling; read for searching.
    Text,
    /// The bulk; read by ranges.
    Body,
}

/// A whole blob, lent for one call of [`Store::put_blob`](crate::Store::put_blob). Any section may be empty.
#[derive(Copy, Clone, Debug, Default)]
pub struct BlobParts<'a> {
    /// Bytes of [`Section::Summary`].
    pub summary: &'a [u8],
    /// Bytes of [`Section::Text`].
    pub text: &'a [u8],
    /// Bytes of [`Section::Body`].
    pub body: &'a [u8],
}

impl BlobParts<'_> {
    /// Bytes of the three sections together.
    pub fn bytes(&self) -> u64 {
        self.summary.len() as u64 + self.text.len() as u64 + self.body.len() as u64
    }
}

/// Every blob that anything still refers to, at one moment: the *mark* of mark and sweep. Built by
/// collecting ids in any order; 8 bytes of memory for each.
#[derive(Clone, Debug, Default)]
pub struct LiveBlobs {
    sorted: Vec<u64>,
}

impl LiveBlobs {
    /// Whether `id` is in use.
    pub fn contains(&self, id: BlobId) -> bool {
        self.sorted.binary_search(&id.0).is_ok()
    }

    /// How many ids lie in `from..to`.
    pub fn count_between(&self, from: BlobId, to: BlobId) -> usize {
        let start = self.sorted.partition_point(|id| *id < from.0);
        let end = self.sorted.partition_point(|id| *id < to.0);
        end.saturating_sub(start)
    }

    /// How many blobs are in use.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether none is in use.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }
}

impl FromIterator<BlobId> for LiveBlobs {
    fn from_iter<I: IntoIterator<Item = BlobId>>(ids: I) -> LiveBlobs {
        let mut sorted: Vec<u64> = ids.into_iter().map(|id| id.0).collect();
        sorted.sort_unstable();
        sorted.dedup();
        LiveBlobs { sorted }
    }
}
