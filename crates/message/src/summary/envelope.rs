//! The envelope (RFC 9051 section 7.5.2).

use super::codec::Cursor;
use crate::text::Text;

/// The envelope of a message. Strings are unfolded but not decoded, as IMAP sends them.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The Date field.
    pub date: Text<'a>,
    /// The Subject field.
    pub subject: Text<'a>,
    /// The From field.
    pub from: Addresses<'a>,
    /// The Sender field, or From where it is absent or empty.
    pub sender: Addresses<'a>,
    /// The Reply-To field, or From where it is absent or empty.
    pub reply_to: Addresses<'a>,
    /// The To field.
    pub to: Addresses<'a>,
    /// The Cc field.
    pub cc: Addresses<'a>,
    /// The Bcc field.
    pub bcc: Addresses<'a>,
    /// The In-Reply-To field.
    pub in_reply_to: Text<'a>,
    /// The Message-ID field.
    pub message_id: Text<'a>,
}

impl<'a> Envelope<'a> {
    pub(super) fn read(block: &'a [u8]) -> Envelope<'a> {
        let mut cursor = Cursor::new(block);
        let mut addresses = [Addresses { packed: b"" }; 6];
        let date = cursor.text();
        let subject = cursor.text();
        for list in &mut addresses {
            list.packed = cursor.block();
        }
        let [from, sender, reply_to, to, cc, bcc] = addresses;
        let or_from = |list: Addresses<'a>| if list.is_empty() { from } else { list };
        Envelope {
            date,
            subject,
            from,
            sender: or_from(sender),
            reply_to: or_from(reply_to),
            to,
            cc,
            bcc,
            in_reply_to: cursor.text(),
            message_id: cursor.text(),
        }
    }
}

/// The addresses of one field, in order. IMAP sends NIL for an empty list.
#[derive(Debug, Clone, Copy)]
pub struct Addresses<'a> {
    packed: &'a [u8],
}

impl<'a> Addresses<'a> {
    /// Is there no address?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// The addresses in order.
    #[must_use]
    pub fn iter(&self) -> AddressIter<'a> {
        AddressIter { cursor: Cursor::new(self.packed) }
    }
}

impl<'a> IntoIterator for Addresses<'a> {
    type Item = Address<'a>;
    type IntoIter = AddressIter<'a>;

    fn into_iter(self) -> AddressIter<'a> {
        self.iter()
    }
}

/// Goes through [`Addresses`].
#[derive(Debug, Clone)]
pub struct AddressIter<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Iterator for AddressIter<'a> {
    type Item = Address<'a>;

    fn next(&mut self) -> Option<Address<'a>> {
        let cursor = &mut self.cursor;
        (!cursor.rest.is_empty()).then(|| Address {
            name: cursor.text(),
            route: cursor.text(),
            mailbox: cursor.text(),
            host: cursor.text(),
        })
    }
}

/// One address of an envelope, or a marker of group syntax: a NIL host and the group's name as mailbox at its start, both NIL
/// at its end. An address that lacks its host or its local part has an empty string there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address<'a> {
    /// The display name, without quoting.
    pub name: Text<'a>,
    /// The source route (at-domain-list), all but extinct.
    pub route: Text<'a>,
    /// The local part, without quoting.
    pub mailbox: Text<'a>,
    /// The domain.
    pub host: Text<'a>,
}
