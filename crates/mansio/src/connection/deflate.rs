//! COMPRESS=DEFLATE (RFC 4978): both directions as raw deflate streams, inflated in small steps.

use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::link::{Link, free_if_empty};
use crate::limits::{DEFLATE_BARREN_BYTES_MAX, READ_BYTES_MAX};

/// Octets that the deflater puts out at a time.
const STEP_BYTES: usize = 16 * 1024;

/// The two streams of a compressed connection.
///
/// An inflater needs 48 KB (the peer may refer to its last 32 KB at any time). A deflater needs about 260 KB, but only while
/// it works: after a sync flush the stream is at an octet boundary, and a fresh deflater may go on from there, since
/// it refers to nothing but its own output. So a quiet connection has none ([`Deflate::rest`]).
pub struct Deflate {
    inflater: Decompress,
    deflater: Option<Compress>,
    /// Received and not yet inflated.
    packed: Vec<u8>,
    /// The last step filled its buffer, so the inflater may hold more without further input.
    more: bool,
    /// Octets taken in since the last one came out.
    barren_bytes: u64,
}

impl Deflate {
    /// Compression starts here; `received` came after the command that asked for it.
    pub fn new(received: Vec<u8>) -> Self {
        Self {
            inflater: Decompress::new(false),
            deflater: None,
            packed: received,
            more: false,
            barren_bytes: 0,
        }
    }

    /// As [`Link::read`], inflated.
    ///
    /// # Errors
    /// Also when the input is no deflate stream, or goes on and on without containing anything.
    pub async fn read(&mut self, link: &mut Link, into: &mut Vec<u8>) -> io::Result<usize> {
        loop {
            if self.more || !self.packed.is_empty() {
                let (octets, status) = self.inflate(into)?;
                if octets > 0 || status == Status::StreamEnd {
                    return Ok(octets);
                }
            }
            free_if_empty(into);
            if link.read(&mut self.packed).await? == 0 {
                return Ok(0);
            }
        }
    }

    /// One step: at most [`READ_BYTES_MAX`] octets, however much the input would expand to. The rest waits until the
    /// session has dealt with these, so a bomb costs its sender's patience and none of our memory.
    fn inflate(&mut self, into: &mut Vec<u8>) -> io::Result<(usize, Status)> {
        into.reserve(READ_BYTES_MAX);
        let mut step = Vec::with_capacity(READ_BYTES_MAX);
        let before = self.inflater.total_in();
        let done = self.inflater.decompress_vec(&self.packed, &mut step, FlushDecompress::Sync);
        let status = done.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let taken = self.inflater.total_in() - before;
        self.packed.drain(..usize::try_from(taken).unwrap_or(usize::MAX).min(self.packed.len()));
        free_if_empty(&mut self.packed);
        self.more = step.len() == step.capacity();
        self.barren_bytes = if step.is_empty() { self.barren_bytes + taken } else { 0 };
        if self.barren_bytes > DEFLATE_BARREN_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "deflate blocks without content"));
        }
        into.extend_from_slice(&step);
        Ok((step.len(), status))
    }

    /// The octets deflated, up to a sync flush, so that the peer can inflate all of them at once.
    ///
    /// # Errors
    /// Never in practice; the deflater's own verdict.
    pub fn deflate(&mut self, octets: &[u8]) -> io::Result<Vec<u8>> {
        let deflater = self.deflater.get_or_insert_with(|| Compress::new(Compression::fast(), false));
        let mut packed = Vec::new();
        let start = deflater.total_in();
        loop {
            packed.reserve(STEP_BYTES);
            let taken = usize::try_from(deflater.total_in() - start).unwrap_or(usize::MAX).min(octets.len());
            let done = deflater.compress_vec(&octets[taken..], &mut packed, FlushCompress::Sync);
            done.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let all_taken = deflater.total_in() - start >= octets.len() as u64;
            if all_taken && packed.len() < packed.capacity() {
                return Ok(packed);
            }
        }
    }

    /// The connection is quiet: gives back what can be made again.
    pub fn rest(&mut self) {
        self.deflater = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate_all(deflate: &mut Deflate, packed: &[u8]) -> Vec<u8> {
        deflate.packed.extend_from_slice(packed);
        let mut all = Vec::new();
        while deflate.more || !deflate.packed.is_empty() {
            let before = all.len();
            deflate.inflate(&mut all).unwrap();
            assert!(all.len() - before <= READ_BYTES_MAX, "a step is bounded");
        }
        all
    }

    proptest::proptest! {
        #[test]
        fn what_goes_in_comes_out_also_across_rests(
            pieces in proptest::collection::vec(proptest::collection::vec(0u8..4, 0..70_000), 1..6),
            rests in 0u8..64,
        ) {
            let (mut near, mut far) = (Deflate::new(Vec::new()), Deflate::new(Vec::new()));
            for (n, piece) in pieces.iter().enumerate() {
                let packed = near.deflate(piece).unwrap();
                proptest::prop_assert_eq!(&inflate_all(&mut far, &packed), piece);
                if rests >> n & 1 == 1 {
                    near.rest();
                }
            }
        }
    }

    #[test]
    fn a_bomb_is_inflated_in_steps() {
        let mut bomb = Deflate::new(Vec::new());
        let packed = bomb.deflate(&vec![b'a'; 50_000_000]).unwrap();
        assert!(packed.len() < 1_000_000);
        let mut victim = Deflate::new(packed[..10_000].to_vec());
        let mut step = Vec::new();
        victim.inflate(&mut step).unwrap();
        assert!(step.len() <= READ_BYTES_MAX && step.capacity() <= 2 * READ_BYTES_MAX);
    }

    #[test]
    fn empty_blocks_for_ever_end_the_connection() {
        // An empty stored block, not the last one: three header bits, padding, LEN 0, NLEN 0xFFFF (RFC 1951 3.2.4).
        let empty = [0x00, 0x00, 0x00, 0xFF, 0xFF];
        let mut victim = Deflate::new(Vec::new());
        let mut out = Vec::new();
        let mut taken = 0u64;
        let ended = loop {
            victim.packed.extend_from_slice(&empty.repeat(1_000));
            taken += 5_000;
            match victim.inflate(&mut out) {
                Ok(_) if taken > 2 * DEFLATE_BARREN_BYTES_MAX => break false,
                Ok(_) => {}
                Err(_) => break true,
            }
        };
        assert!(ended && out.is_empty());
    }

    #[test]
    fn junk_is_an_error() {
        let mut victim = Deflate::new(vec![0xFF; 100]);
        assert!(victim.inflate(&mut Vec::new()).is_err());
    }
}
