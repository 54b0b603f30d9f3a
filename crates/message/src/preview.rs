//! The preview text (RFC 8970): the beginning of the first text that a reader would see, on one line.

use crate::entity::Markup;
use crate::html::Html;
use crate::limits;

/// Collects the preview of a message from its text parts, in order, until one of them has given any.
#[derive(Default)]
pub(crate) struct Preview {
    text: String,
    chars: usize,
    /// White space came since the last character.
    space: bool,
    /// The next character has no room.
    full: bool,
}

/// The reading of one part.
pub(crate) struct PreviewPart {
    html: Option<Html>,
    looked_at: usize,
}

impl PreviewPart {
    pub(crate) fn new(markup: Markup) -> PreviewPart {
        PreviewPart { html: (markup == Markup::Html).then(Html::default), looked_at: 0 }
    }

    /// Takes decoded text; the pieces do not show in the preview. False once it needs no more.
    pub(crate) fn push(&mut self, text: &str, preview: &mut Preview) -> bool {
        for c in text.chars() {
            if preview.full || self.looked_at == limits::PREVIEW_LOOK_CHARS_MAX {
                return false;
            }
            self.looked_at += 1;
            match &mut self.html {
                Some(html) => html.push(c, &mut |c| preview.push(c)),
                None => preview.push(c),
            }
        }
        true
    }
}

impl Preview {
    /// Has a part given text? Then the parts after it are not looked at.
    pub(crate) fn is_found(&self) -> bool {
        self.chars > 0
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn push(&mut self, c: char) {
        if c.is_whitespace() || c.is_control() {
            self.space = true;
        } else if !is_invisible(c) {
            let space = self.space && self.chars > 0;
            let needed = 1 + usize::from(space);
            self.full = self.full || self.chars + needed > limits::PREVIEW_CHARS_MAX;
            if !self.full {
                self.text.extend(space.then_some(' '));
                self.text.push(c);
                self.chars += needed;
                self.space = false;
            }
        }
    }
}

/// Characters without width. Newsletters fill the beginning with them so that nothing else of the text shows there. The
/// joiners that scripts and emoji need are not among them.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}'
            ..='\u{2064}' | '\u{feff}' | '\u{fffc}'
    )
}
