//! The entities of a message while it is scanned: which are open, where each begins and ends, what each one says.
//!
//! Rules that every shape of input keeps, because they hold for one step: a child begins and ends within its parent; an
//! entity's body begins where its header ends; the line end before a delimiter belongs to the delimiter (RFC 2046 section
//! 5.1.1) and so to none of the entities that it closes.

use crate::body_text::BodyText;
use crate::encoded_word;
use crate::entity::{self, Kind, Place, TextBody};
use crate::fold::{Folder, fold};
use crate::header;
use crate::limits;
use crate::preview::{Preview, PreviewPart};
use crate::search::SearchDraft;
use crate::summary::{AddressField, Addresses, Envelope, Head, PartFields, Summary, pack};
use crate::{content, date, scanner::Derived, subject};

/// How far the scan has come.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Position {
    pub octets: u64,
    /// LFs before it.
    pub lines: u64,
    /// Octets of the line end right before it: 0, 1 or 2.
    pub line_end: u64,
}

impl Position {
    /// The position before the line end that a delimiter at this position takes to itself.
    fn before_line_end(self) -> Position {
        if self.line_end == 0 {
            return self;
        }
        Position { octets: self.octets - self.line_end, lines: self.lines - 1, line_end: 0 }
    }
}

/// An entity whose end is not known.
struct Open {
    /// Its index among the parts.
    part: usize,
    stage: Stage,
    /// Lines before its body.
    lines_before: u64,
}

enum Stage {
    Header {
        place: Place,
    },
    Leaf,
    Message,
    Multipart {
        boundary: Vec<u8>,
        is_digest: bool,
    },
    /// A multipart after its close delimiter.
    Epilogue,
}

pub(crate) struct Tree {
    parts: Vec<PartFields>,
    /// The packed strings of all parts.
    strings: Vec<u8>,
    /// From the root to the innermost.
    open: Vec<Open>,
    /// Multiparts among `open` whose delimiters count.
    awaited: usize,
    /// The beginning of the header that is being read.
    header: Vec<u8>,
    /// What of [`limits::HEADERS_BYTES_MAX`] is left.
    header_octets_left: usize,
    addresses_left: usize,
    head: Head,
    search: SearchDraft,
    preview: Preview,
    /// The text part that is being read.
    text: Option<ActiveText>,
}

struct ActiveText {
    body: BodyText,
    folder: Folder,
    preview: Option<PreviewPart>,
}

impl Tree {
    pub(crate) fn new() -> Tree {
        let mut tree = Tree {
            parts: Vec::new(),
            strings: Vec::new(),
            open: Vec::new(),
            awaited: 0,
            header: Vec::new(),
            header_octets_left: limits::HEADERS_BYTES_MAX,
            addresses_left: limits::ADDRESSES_MAX,
            head: Head::default(),
            search: SearchDraft::default(),
            preview: Preview::default(),
            text: None,
        };
        tree.begin(0, 0, false, true);
        tree
    }

    pub(crate) fn in_header(&self) -> bool {
        matches!(self.open.last(), Some(Open { stage: Stage::Header { .. }, .. }))
    }

    /// Can a delimiter line mean anything here?
    pub(crate) fn awaits_delimiter(&self) -> bool {
        self.awaited > 0 && self.parts.len() < limits::PARTS_MAX
    }

    pub(crate) fn push_header(&mut self, octets: &[u8]) {
        let room = (limits::HEADER_BYTES_MAX - self.header.len()).min(self.header_octets_left);
        let kept = octets.len().min(room);
        self.header.extend_from_slice(&octets[..kept]);
        self.header_octets_left -= kept;
    }

    pub(crate) fn push_body(&mut self, octets: &[u8]) {
        let Some(text) = &mut self.text else { return };
        let (search, preview) = (&mut self.search, &mut self.preview);
        let mut wanted = true;
        text.body.push(octets, &mut |piece| {
            if let Some(body) = search.body() {
                text.folder.push(piece, body);
                search.note_length();
            }
            if text.preview.as_mut().is_some_and(|part| !part.push(piece, preview)) {
                text.preview = None;
            }
            wanted = search.body().is_some() || text.preview.is_some();
            wanted
        });
        if !wanted {
            self.text = None;
        }
    }

    /// If the line is a delimiter of an open multipart, closes what it closes and begins what it begins. The innermost
    /// multipart goes first, so that a boundary used twice, which RFC 2046 forbids, still nests.
    pub(crate) fn delimiter(&mut self, line: &[u8], at: Position, after: Position) -> bool {
        let Some((index, is_close)) = self.matching(line) else { return false };
        let mut end = at.before_line_end();
        while self.open.len() > index + 1 {
            end = self.close_innermost(end, at);
        }
        let Some(open) = self.open.get_mut(index) else { return true };
        if is_close {
            open.stage = Stage::Epilogue;
            self.awaited -= 1;
        } else {
            let (parent, in_digest) =
                (open.part, matches!(open.stage, Stage::Multipart { is_digest: true, .. }));
            self.begin(parent, after.octets, in_digest, false);
        }
        true
    }

    /// `delimiter := "--" boundary`, `close-delimiter := delimiter "--"`, either with white space after it.
    fn matching(&self, line: &[u8]) -> Option<(usize, bool)> {
        let line = header::trim_end(line).strip_prefix(b"--")?;
        let closing = line.strip_suffix(b"--");
        self.open.iter().enumerate().rev().find_map(|(index, open)| match &open.stage {
            Stage::Multipart { boundary, .. } if line == boundary => Some((index, false)),
            Stage::Multipart { boundary, .. } if closing == Some(boundary) => Some((index, true)),
            _ => None,
        })
    }

    /// Begins an entity at its header.
    fn begin(&mut self, parent: usize, header_start: u64, in_digest: bool, is_message_root: bool) {
        let part = self.parts.len();
        self.parts.push(PartFields { parent, header_start, ..PartFields::default() });
        let may_nest = self.open.len() < limits::DEPTH_MAX && self.parts.len() < limits::PARTS_MAX;
        let place = Place { in_digest, is_message_root, may_nest };
        self.open.push(Open { part, stage: Stage::Header { place }, lines_before: 0 });
    }

    /// Ends the header of the innermost entity; its body begins here.
    pub(crate) fn end_header(&mut self, at: Position) {
        let Some(open) = self.open.last_mut() else { return };
        let Stage::Header { place } = open.stage else { return };
        let fields = &mut self.parts[open.part];
        let part = open.part;
        fields.header_octets = at.octets - fields.header_start;
        let strings_start = self.strings.len();
        let kind = entity::read(&self.header, place, &mut self.strings, &mut self.addresses_left);
        fields.strings = strings_start..self.strings.len();
        fields.is_multipart = matches!(kind, Kind::Multipart { .. });
        fields.is_message = kind == Kind::Message;
        fields.is_text = matches!(kind, Kind::Text(_));
        open.lines_before = at.lines;
        if part == 0 {
            self.search.add_message_header(&self.header);
            self.head.note_header(&self.header);
        } else {
            self.search.add_inner_header(&self.header);
        }
        self.header.clear();
        open.stage = match kind {
            Kind::Leaf => Stage::Leaf,
            Kind::Message => Stage::Message,
            Kind::Multipart { boundary, is_digest } => {
                self.awaited += 1;
                Stage::Multipart { boundary, is_digest }
            }
            Kind::Text(kind) => {
                open.stage = Stage::Leaf;
                self.begin_text(&kind);
                return;
            }
        };
        if self.parts[part].is_message {
            self.begin(part, at.octets, false, true);
        }
    }

    fn begin_text(&mut self, kind: &TextBody) {
        let preview = kind.preview.filter(|_| !self.preview.is_found()).map(PreviewPart::new);
        if self.search.body().is_some() || preview.is_some() {
            let body = BodyText::new(&kind.encoding, &kind.charset);
            self.text = Some(ActiveText { body, folder: Folder::default(), preview });
        }
    }

    fn end_text(&mut self) {
        let Some(mut text) = self.text.take() else { return };
        let (search, preview) = (&mut self.search, &mut self.preview);
        text.body.finish(&mut |piece| {
            if let Some(body) = search.body() {
                text.folder.push(piece, body);
                text.folder.finish(body);
            }
            if let Some(part) = &mut text.preview {
                part.push(piece, preview);
            }
            true
        });
        search.end_text();
    }

    /// One step towards closing the innermost entity at `end`, the position `at` without the line end before it. Returns the
    /// end for the entities around it.
    ///
    /// An entity that begins after that line end (which is then the end of its blank line, or of a delimiter line) ends at
    /// `at`, and those around it with it: one line end cannot serve both, and a child never reaches beyond its parent.
    ///
    /// If the header of the entity has not ended, the step is to end it. That may begin the root of a nested message, which
    /// is then the innermost.
    fn close_innermost(&mut self, end: Position, at: Position) -> Position {
        let Some(open) = self.open.last() else { return end };
        let fields = &self.parts[open.part];
        let body_start = fields.header_start + fields.header_octets;
        let end = if end.octets < body_start { at } else { end };
        if self.in_header() {
            self.end_header(end);
            return end;
        }
        let Some(open) = self.open.pop() else { return end };
        match open.stage {
            Stage::Multipart { .. } => self.awaited -= 1,
            Stage::Leaf => self.end_text(),
            Stage::Header { .. } | Stage::Message | Stage::Epilogue => {}
        }
        let fields = &mut self.parts[open.part];
        fields.body_octets = end.octets.saturating_sub(body_start);
        fields.lines = end.lines.saturating_sub(open.lines_before);
        if fields.is_multipart && self.parts.len() == open.part + 1 {
            let header_start = body_start + self.parts[open.part].body_octets;
            let strings = entity::put_empty_part(&mut self.strings);
            let empty = PartFields {
                parent: open.part,
                is_text: true,
                header_start,
                strings,
                ..PartFields::default()
            };
            self.parts.push(empty);
        }
        end
    }

    pub(crate) fn finish(mut self, end: Position) -> Derived {
        while !self.open.is_empty() {
            self.close_innermost(end, end);
        }
        self.head.size = end.octets;
        self.head.preview = std::mem::take(&mut self.preview).into_text();
        // The envelope is read back from where it was packed, which needs a first packing of its part alone.
        let root = pack(&Head::default(), &self.parts[..1], &self.strings);
        let text = match Summary::new(&root) {
            Ok(root) => {
                self.head.note_envelope(&root.envelope());
                self.search.pack(&root.envelope())
            }
            Err(_) => Vec::new(),
        };
        Derived { summary: pack(&self.head, &self.parts, &self.strings), text }
    }
}

impl Head {
    /// What of the message's header is no part of the envelope.
    fn note_header(&mut self, header: &[u8]) {
        let references = header::fields(header).take(limits::FIELDS_MAX).find(|field| field.is("References"));
        let references = references.map(|field| field.unfolded()).unwrap_or_default();
        let mut rest = &references[..];
        while let Some((id, after)) = content::message_id(rest) {
            self.references.push(id);
            rest = after;
        }
        let surplus = self.references.len().saturating_sub(limits::REFERENCES_MAX);
        self.references.drain(..surplus);
    }

    fn note_envelope(&mut self, envelope: &Envelope<'_>) {
        self.sent = date::parse(envelope.date.bytes);
        let subject = subject::base_subject(envelope.subject.bytes);
        self.base_subject = fold(&subject.base).into_owned();
        self.is_reply = subject.is_reply;
        self.thread_id = content::message_id(envelope.message_id.bytes).map(|(id, _)| id).unwrap_or_default();
        if self.references.is_empty() {
            self.references.extend(content::message_id(envelope.in_reply_to.bytes).map(|(id, _)| id));
        }
        for (field, list) in [
            (AddressField::From, envelope.from),
            (AddressField::To, envelope.to),
            (AddressField::Cc, envelope.cc),
            (AddressField::DisplayFrom, envelope.from),
            (AddressField::DisplayTo, envelope.to),
        ] {
            let displayed = matches!(field, AddressField::DisplayFrom | AddressField::DisplayTo);
            self.sort_keys[field as usize] = sort_key(list, displayed);
        }
    }
}

/// The key of the first address: its mailbox (RFC 5256 section 3), or as displayed its name, decoded, or else its address
/// (RFC 5957 section 3).
fn sort_key(list: Addresses<'_>, displayed: bool) -> String {
    let Some(first) = list.iter().next() else { return String::new() };
    let cut = |octets: &[u8]| encoded_word::decode(&octets[..octets.len().min(limits::SORT_KEY_BYTES_MAX)]);
    let name = if displayed { cut(first.name.bytes) } else { String::new() };
    let key = if !name.trim().is_empty() {
        name.trim().to_owned()
    } else if displayed && !first.host.is_nil() && !first.host.bytes.is_empty() {
        format!("{}@{}", cut(first.mailbox.bytes), cut(first.host.bytes))
    } else {
        cut(first.mailbox.bytes)
    };
    fold(&key).into_owned()
}
