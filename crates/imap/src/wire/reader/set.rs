//! Sequence sets.

use account::{SequenceSet, SetBound};

use super::{Bad, Reader};
use crate::limits;

impl Reader<'_> {
    /// `sequence-set`: numbers, ranges with their ends in either order, `*`, or `$` (RFC 5182).
    ///
    /// # Errors
    /// [`Bad`] when it is none, holds a zero, or more than [`limits::SET_RANGES_MAX`] ranges.
    pub fn sequence_set(&mut self) -> Result<SequenceSet, Bad> {
        if self.eat(b"$") {
            return Ok(SequenceSet::Saved);
        }
        let mut ranges = Vec::new();
        loop {
            if ranges.len() >= limits::SET_RANGES_MAX {
                return Err(self.bad("The set has too many ranges"));
            }
            let first = self.set_bound()?;
            let last = if self.eat(b":") { self.set_bound()? } else { first };
            ranges.push((first, last));
            if !self.eat(b",") {
                return Ok(SequenceSet::Ranges(ranges));
            }
        }
    }

    fn set_bound(&mut self) -> Result<SetBound, Bad> {
        if self.eat(b"*") {
            return Ok(SetBound::Star);
        }
        self.nz_number().map(SetBound::Number)
    }
}
