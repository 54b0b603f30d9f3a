//! The body of a text part to characters: transfer encoding off, charset to Unicode, in pieces of bounded size.

use crate::charset::CharsetDecoder;
use crate::transfer::{Decoder, Leniency};

/// Octets decoded at a time, whatever the size of the pieces that come in: bounds the memory and lets a reader that has seen
/// enough stop.
const STEP_OCTETS: usize = 16 * 1024;

/// Reads one text part.
pub(crate) struct BodyText {
    transfer: Option<Decoder>,
    charset: CharsetDecoder,
    octets: Vec<u8>,
    text: String,
}

impl BodyText {
    /// An unknown transfer encoding is read as it stands.
    pub(crate) fn new(encoding: &[u8], charset: &[u8]) -> BodyText {
        BodyText {
            transfer: Decoder::with(encoding, Leniency::Search).filter(|decoder| !decoder.is_identity()),
            charset: CharsetDecoder::for_label(charset),
            octets: Vec::new(),
            text: String::new(),
        }
    }

    /// Hands the text of `octets` to `read`, piece by piece, until that returns false.
    pub(crate) fn push(&mut self, octets: &[u8], read: &mut dyn FnMut(&str) -> bool) {
        for step in octets.chunks(STEP_OCTETS) {
            self.text.clear();
            match &mut self.transfer {
                None => self.charset.push(step, &mut self.text),
                Some(decoder) => {
                    self.octets.clear();
                    // A lenient decoder refuses nothing.
                    let _ = decoder.push(step, &mut self.octets);
                    self.charset.push(&self.octets, &mut self.text);
                }
            }
            if !read(&self.text) {
                return;
            }
        }
    }

    /// Hands over what was held back.
    pub(crate) fn finish(&mut self, read: &mut dyn FnMut(&str) -> bool) {
        self.text.clear();
        if let Some(decoder) = &mut self.transfer {
            self.octets.clear();
            let _ = decoder.finish(&mut self.octets);
            self.charset.push(&self.octets, &mut self.text);
        }
        self.charset.finish(&mut self.text);
        read(&self.text);
    }
}
