//! HTML to the text it shows, in pieces, for previews: no more than that, and never markup.

/// Takes HTML character by character and gives the text.
#[derive(Default)]
pub(crate) struct Html {
    state: State,
    /// The tag name or the entity that is being read.
    name: String,
    /// The element whose content is passed over.
    hidden: Option<&'static str>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum State {
    #[default]
    Text,
    /// After `<`, in the name.
    TagName,
    /// After the name, up to `>`.
    Tag,
    /// In a quoted value.
    Quoted(char),
    /// In `<!-- … -->`, with the dashes just seen.
    Comment(u8),
    /// After `&`.
    Entity,
}

/// Characters of a tag name or entity that matter.
const NAME_CHARS_MAX: usize = 32;

/// Elements whose content is not shown.
const HIDDEN: [&str; 4] = ["style", "script", "title", "head"];

/// Elements that part no words.
const INLINE: [&str; 22] = [
    "a", "abbr", "b", "bdi", "bdo", "big", "code", "del", "em", "font", "i", "ins", "mark", "s", "small",
    "span", "strike", "strong", "sub", "sup", "tt", "u",
];

impl Html {
    pub(crate) fn push(&mut self, c: char, show: &mut dyn FnMut(char)) {
        match self.state {
            State::Text => self.text(c, show),
            State::TagName => self.tag_name(c, show),
            State::Tag => match c {
                '>' => self.end_tag(show),
                '"' | '\'' => self.state = State::Quoted(c),
                _ => {}
            },
            State::Quoted(quote) if c == quote => self.state = State::Tag,
            State::Quoted(_) => {}
            State::Comment(dashes) => {
                self.state = match c {
                    '-' => State::Comment((dashes + 1).min(2)),
                    '>' if dashes == 2 => State::Text,
                    _ => State::Comment(0),
                }
            }
            State::Entity => self.entity(c, show),
        }
    }

    fn text(&mut self, c: char, show: &mut dyn FnMut(char)) {
        match c {
            '<' => {
                self.name.clear();
                self.state = State::TagName;
            }
            _ if self.hidden.is_some() => {}
            '&' => {
                self.name.clear();
                self.state = State::Entity;
            }
            _ => show(c),
        }
    }

    fn tag_name(&mut self, c: char, show: &mut dyn FnMut(char)) {
        match c {
            '>' => self.end_tag(show),
            _ if self.name.is_empty() && !(c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) => {
                // A `<` that begins no tag is text.
                self.state = State::Text;
                if self.hidden.is_none() {
                    show('<');
                }
                self.text(c, show);
            }
            _ if c.is_ascii_whitespace() || (c == '/' && !self.name.is_empty()) => self.state = State::Tag,
            _ => {
                if self.name.len() < NAME_CHARS_MAX {
                    self.name.push(c.to_ascii_lowercase());
                }
                if self.name == "!--" {
                    self.state = State::Comment(0);
                }
            }
        }
    }

    fn end_tag(&mut self, show: &mut dyn FnMut(char)) {
        self.state = State::Text;
        let (closing, name) = match self.name.strip_prefix('/') {
            Some(name) => (true, name),
            None => (false, self.name.as_str()),
        };
        match self.hidden {
            // A head that is never closed ends where the body begins.
            Some(hidden) if (closing && name == hidden) || (hidden == "head" && name == "body") => {
                self.hidden = None
            }
            Some(_) => {}
            None if closing => {}
            None => self.hidden = HIDDEN.into_iter().find(|hidden| *hidden == name),
        }
        if self.hidden.is_none() && !INLINE.contains(&name) {
            show(' ');
        }
    }

    fn entity(&mut self, c: char, show: &mut dyn FnMut(char)) {
        if (c.is_ascii_alphanumeric() || (c == '#' && self.name.is_empty()))
            && self.name.len() < NAME_CHARS_MAX
        {
            self.name.push(c);
            return;
        }
        self.state = State::Text;
        match entity_char(&self.name) {
            Some(shown) => {
                show(shown);
                if c != ';' {
                    self.text(c, show);
                }
            }
            None => {
                show('&');
                for c in std::mem::take(&mut self.name).chars() {
                    show(c);
                }
                self.text(c, show);
            }
        }
    }
}

/// Names of U+00A0 to U+00FF in order (HTML 4.01 section 24.2).
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 \
    sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring \
    AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash \
    Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml \
    igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn \
    yuml";

const OTHERS: [(&str, char); 22] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("euro", '€'),
    ("hellip", '…'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("bull", '•'),
    ("trade", '™'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
];

fn entity_char(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return code.ok().and_then(char::from_u32);
    }
    if let Some(&(_, c)) = OTHERS.iter().find(|(other, _)| *other == name) {
        return Some(c);
    }
    let index = LATIN_1.split_ascii_whitespace().position(|latin| latin == name)?;
    char::from_u32(0xa0 + u32::try_from(index).ok()?)
}
