//! QRESYNC (RFC 7162 3.2): catching up in one round trip. SELECT carries it out (`command/select.rs`), VANISHED is
//! `session/sync.rs`'s.

use account::{Modseq, SequenceSet, UidValidity};

use crate::command::Syntax;
use crate::command::modifiers::{Modifiers, QResync};
use crate::registry::{Extension, ModifierRow, Shown};
use crate::session::Mode;
use crate::wire::{Bad, Reader};

pub(crate) const EXTENSION: Extension = Extension {
    capability: "QRESYNC",
    rfc: 7162,
    shown: Shown::AfterLogin,
    file: "ext/qresync.rs",
    modifiers: &[
        ModifierRow { name: "QRESYNC", verbs: &["SELECT"], parse },
        ModifierRow {
            name: "VANISHED",
            verbs: &["FETCH"],
            parse: |_, _, modifiers| {
                modifiers.vanished = true;
                Ok(())
            },
        },
    ],
    mode: Some(Mode::QResync),
    ..Extension::NONE
};

/// `"QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP "(" known-sequence-set SP known-uid-set ")"] ")"`
fn parse(reader: &mut Reader<'_>, _: &Syntax, modifiers: &mut Modifiers) -> Result<(), Bad> {
    reader.sp()?;
    reader.expect(b"(")?;
    let uid_validity =
        UidValidity::new(reader.nz_number()?).ok_or_else(|| reader.bad("UIDVALIDITY is never zero"))?;
    reader.sp()?;
    let modseq = Modseq(reader.number64()?);
    let (mut known_uids, mut matches) = (None, None);
    if reader.eat(b" ") {
        if reader.peek() != Some(b'(') {
            known_uids = Some(known(reader)?);
            if reader.peek() == Some(b' ') {
                reader.sp()?;
                matches = Some(sample(reader)?);
            }
        } else {
            matches = Some(sample(reader)?);
        }
    }
    reader.expect(b")")?;
    modifiers.qresync = Some(QResync { uid_validity, modseq, known_uids, matches });
    Ok(())
}

fn sample(reader: &mut Reader<'_>) -> Result<(SequenceSet, SequenceSet), Bad> {
    reader.expect(b"(")?;
    let numbers = known(reader)?;
    reader.sp()?;
    let uids = known(reader)?;
    reader.expect(b")")?;
    Ok((numbers, uids))
}

/// A sequence set without `*` and `$` (RFC 7162 7, `known-uids`).
fn known(reader: &mut Reader<'_>) -> Result<SequenceSet, Bad> {
    let set = reader.sequence_set()?;
    let plain = match &set {
        SequenceSet::Saved => false,
        SequenceSet::Ranges(ranges) => ranges.iter().all(|(from, to)| {
            !matches!(from, account::SetBound::Star) && !matches!(to, account::SetBound::Star)
        }),
    };
    if plain { Ok(set) } else { Err(reader.bad("No * or $ here")) }
}
