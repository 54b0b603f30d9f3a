//! The index on the disk, in SQLite. Deleting its files costs the next opening a reading of the log, and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Advance, Bookmark, EntryAt, Heads, Index, Overview, Segment};
use crate::embedded::record::Place;
use crate::{AccountKey, BlobId, EntryNo, StoreError};

/// Changes with the tables below: an index of another layout is thrown away and built anew.
const LAYOUT: i64 = 1;

const TABLES: &str = "
    CREATE TABLE account (key INTEGER PRIMARY KEY, head INTEGER, newest INTEGER, older INTEGER, dropped INTEGER);
    CREATE TABLE entry (account INTEGER, no INTEGER, previous INTEGER, place INTEGER, bytes INTEGER,
        PRIMARY KEY (account, no)) WITHOUT ROWID;
    CREATE TABLE checkpoint (account INTEGER, at INTEGER, place INTEGER, PRIMARY KEY (account, at)) WITHOUT ROWID;
    CREATE TABLE moved (id INTEGER PRIMARY KEY, place INTEGER);
    CREATE TABLE large (file INTEGER PRIMARY KEY, id INTEGER);
    CREATE TABLE segment (number INTEGER PRIMARY KEY, first INTEGER, last INTEGER, bytes INTEGER, blobs INTEGER,
        blob_bytes INTEGER, removed INTEGER);
    CREATE TABLE bookmark (one INTEGER PRIMARY KEY CHECK (one = 1), salt INTEGER, segment INTEGER, offset INTEGER,
        batch INTEGER, damaged INTEGER);
";

/// SQLite knows signed numbers only; ours go through it bit by bit.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}

fn failed(error: &rusqlite::Error) -> StoreError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
        return StoreError::Full;
    }
    StoreError::Io { kind: std::io::ErrorKind::Other, context: format!("index: {error}") }
}

/// The index in a file.
pub(in crate::embedded) struct SqliteIndex {
    /// One connection for reading and one for advancing, so that readers never wait for a write.
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
    salt: u64,
}

impl SqliteIndex {
    /// Opens the index of the store with this salt. One that cannot be used (damaged, of another layout, of another store) is replaced
    /// by an empty one.
    pub(in crate::embedded) fn open(path: &Path, salt: u64) -> Result<SqliteIndex, StoreError> {
        if let Ok(index) = SqliteIndex::connect(path, salt)
            && index.is_ours().unwrap_or(false)
        {
            return Ok(index);
        }
        SqliteIndex::remove(path)?;
        let index = SqliteIndex::connect(path, salt).map_err(|error| failed(&error))?;
        index.create().map_err(|error| failed(&error))?;
        Ok(index)
    }

    /// Removes the index's files.
    pub(in crate::embedded) fn remove(path: &Path) -> Result<(), StoreError> {
        for suffix in ["", "-wal", "-shm"] {
            let file = PathBuf::from(format!("{}{suffix}", path.display()));
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::io(format_args!("remove {}", file.display()), &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn connect(path: &Path, salt: u64) -> rusqlite::Result<SqliteIndex> {
        let connect = || {
            let connection = Connection::open(path)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A power cut may take back the last commits, bookmark included: the log is read again from there.
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            Ok::<_, rusqlite::Error>(connection)
        };
        Ok(SqliteIndex { writer: Mutex::new(connect()?), reader: Mutex::new(connect()?), salt })
    }

    fn create(&self) -> rusqlite::Result<()> {
        let writer = self.writer();
        writer.execute_batch(TABLES)?;
        writer.pragma_update(None, "user_version", LAYOUT)?;
        let first = "INSERT INTO bookmark VALUES (1, ?1, 0, 0, 0, 0)";
        writer.execute(first, [signed(self.salt)]).map(drop)
    }

    fn is_ours(&self) -> rusqlite::Result<bool> {
        let reader = self.reader();
        let layout: i64 = reader.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if layout != LAYOUT {
            return Ok(false);
        }
        let salt: i64 = reader.query_row("SELECT salt FROM bookmark", [], |row| row.get(0))?;
        Ok(unsigned(salt) == self.salt)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_overview(&self) -> rusqlite::Result<Overview> {
        let reader = self.reader();
        let mut overview = Overview::default();
        let mut accounts = reader.prepare("SELECT key, head, newest, older, dropped FROM account")?;
        let mut rows = accounts.query([])?;
        while let Some(row) = rows.next()? {
            let number = |column| row.get(column).map(unsigned);
            let heads =
                Heads { head: number(1)?, checkpoints: [number(2)?, number(3)?], dropped: number(4)? };
            overview.accounts.insert(AccountKey(number(0)?), heads);
        }
        let mut segments =
            reader.prepare("SELECT number, first, last, bytes, blobs, blob_bytes, removed FROM segment")?;
        let mut rows = segments.query([])?;
        while let Some(row) = rows.next()? {
            let number = |column| row.get(column).map(unsigned);
            let segment = Segment {
                batches: (number(1)?, number(2)?),
                bytes: number(3)?,
                blobs: number(4)?,
                blob_bytes: number(5)?,
                removed: row.get(6)?,
            };
            overview.segments.insert(row.get(0)?, segment);
        }
        let bookmark = "SELECT segment, offset, batch, damaged FROM bookmark";
        reader.query_row(bookmark, [], |row| {
            let number = |column| row.get(column).map(unsigned);
            overview.bookmark = Bookmark { segment: row.get(0)?, offset: number(1)?, batch: number(2)? };
            overview.damaged = row.get(3)?;
            Ok(())
        })?;
        Ok(overview)
    }

    fn write(&self, advance: &Advance<'_>) -> rusqlite::Result<()> {
        let mut writer = self.writer();
        let transaction = writer.transaction()?;
        write_rows(&transaction, advance)?;
        write_accounts(&transaction, advance)?;
        let mut segment = transaction
            .prepare_cached("INSERT OR REPLACE INTO segment VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        for (number, row) in &advance.segments {
            segment.execute(params![
                number,
                signed(row.batches.0),
                signed(row.batches.1),
                signed(row.bytes),
                signed(row.blobs),
                signed(row.blob_bytes),
                row.removed
            ])?;
        }
        drop(segment);
        let Bookmark { segment, offset, batch } = advance.bookmark;
        let bookmark = "UPDATE bookmark SET segment = ?1, offset = ?2, batch = ?3, damaged = ?4";
        transaction.execute(bookmark, params![segment, signed(offset), signed(batch), advance.damaged])?;
        transaction.commit()
    }
}

fn write_rows(transaction: &Transaction<'_>, advance: &Advance<'_>) -> rusqlite::Result<()> {
    let rows = advance.changes.rows();
    let mut entry = transaction.prepare_cached("INSERT OR REPLACE INTO entry VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for ((account, no), at) in rows.entries {
        let EntryAt { previous, place, bytes } = *at;
        entry.execute(params![
            signed(account.0),
            signed(*no),
            signed(previous),
            signed(place.0),
            i64::from(bytes)
        ])?;
    }
    let mut checkpoint =
        transaction.prepare_cached("INSERT OR REPLACE INTO checkpoint VALUES (?1, ?2, ?3)")?;
    for ((account, at), place) in rows.checkpoints {
        checkpoint.execute([signed(account.0), signed(*at), signed(place.0)])?;
    }
    let mut moved = transaction.prepare_cached("INSERT OR REPLACE INTO moved VALUES (?1, ?2)")?;
    let mut gone = transaction.prepare_cached("DELETE FROM moved WHERE id = ?1")?;
    for (id, place) in rows.moved {
        match place {
            Some(place) => moved.execute([signed(id.0), signed(place.0)])?,
            None => gone.execute([signed(id.0)])?,
        };
    }
    let mut large = transaction.prepare_cached("INSERT OR REPLACE INTO large VALUES (?1, ?2)")?;
    let mut gone = transaction.prepare_cached("DELETE FROM large WHERE file = ?1")?;
    for (file, id) in rows.large {
        match id {
            Some(id) => large.execute([signed(*file), signed(id.0)])?,
            None => gone.execute([signed(*file)])?,
        };
    }
    Ok(())
}

fn write_accounts(transaction: &Transaction<'_>, advance: &Advance<'_>) -> rusqlite::Result<()> {
    let mut account =
        transaction.prepare_cached("INSERT OR REPLACE INTO account VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let mut forget = transaction.prepare_cached("DELETE FROM entry WHERE account = ?1 AND no <= ?2")?;
    let mut outdate =
        transaction.prepare_cached("DELETE FROM checkpoint WHERE account = ?1 AND at <> ?2 AND at <> ?3")?;
    for (key, heads) in &advance.accounts {
        let [newest, older] = heads.checkpoints.map(signed);
        account.execute([signed(key.0), signed(heads.head), newest, older, signed(heads.dropped)])?;
        forget.execute([signed(key.0), signed(heads.floor())])?;
        outdate.execute([signed(key.0), newest, older])?;
    }
    Ok(())
}

impl Index for SqliteIndex {
    fn overview(&self) -> Result<Overview, StoreError> {
        self.read_overview().map_err(|error| failed(&error))
    }

    fn advance(&self, advance: &Advance<'_>) -> Result<(), StoreError> {
        self.write(advance).map_err(|error| failed(&error))
    }

    fn entries(
        &self,
        account: AccountKey,
        after: EntryNo,
        count: usize,
    ) -> Result<Vec<(EntryNo, EntryAt)>, StoreError> {
        let query = "SELECT no, previous, place, bytes FROM entry WHERE account = ?1 AND no > ?2 ORDER BY no LIMIT ?3";
        let read = || {
            let reader = self.reader();
            let mut statement = reader.prepare_cached(query)?;
            let limit = i64::try_from(count).unwrap_or(i64::MAX);
            // Numbers stay below 2^63, so one that is not signed is beyond them all.
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            let rows = statement.query_map([signed(account.0), after, limit], |row| {
                let number = |column| row.get(column).map(unsigned);
                let at = EntryAt { previous: number(1)?, place: Place(number(2)?), bytes: row.get(3)? };
                Ok((number(0)?, at))
            })?;
            rows.collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| failed(&error))
    }

    fn checkpoint(&self, account: AccountKey, at: EntryNo) -> Result<Option<Place>, StoreError> {
        let query = "SELECT place FROM checkpoint WHERE account = ?1 AND at = ?2";
        let read = || {
            let reader = self.reader();
            let mut statement = reader.prepare_cached(query)?;
            let place = statement.query_row([signed(account.0), signed(at)], |row| row.get(0)).optional()?;
            Ok(place.map(|place| Place(unsigned(place))))
        };
        read().map_err(|error| failed(&error))
    }

    fn moved(&self, id: BlobId) -> Result<Option<Place>, StoreError> {
        let read = || {
            let reader = self.reader();
            let mut statement = reader.prepare_cached("SELECT place FROM moved WHERE id = ?1")?;
            let place = statement.query_row([signed(id.0)], |row| row.get(0)).optional()?;
            Ok(place.map(|place| Place(unsigned(place))))
        };
        read().map_err(|error| failed(&error))
    }

    fn each_moved(&self, each: &mut dyn FnMut(BlobId, Place)) -> Result<(), StoreError> {
        self.each_pair("SELECT id, place FROM moved ORDER BY id", &mut |id, place| {
            each(BlobId(id), Place(place))
        })
    }

    fn each_large(&self, each: &mut dyn FnMut(u64, BlobId)) -> Result<(), StoreError> {
        self.each_pair("SELECT file, id FROM large", &mut |file, id| each(file, BlobId(id)))
    }

    fn entry_bytes(&self) -> Result<BTreeMap<u32, u64>, StoreError> {
        let mut sums = BTreeMap::new();
        self.each_pair("SELECT place >> 32, SUM(bytes) FROM entry GROUP BY 1", &mut |segment, bytes| {
            sums.insert(segment as u32, bytes);
        })?;
        Ok(sums)
    }
}

impl SqliteIndex {
    fn each_pair(&self, query: &str, each: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
        let mut read = || {
            let reader = self.reader();
            let mut statement = reader.prepare_cached(query)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                each(unsigned(row.get(0)?), unsigned(row.get(1)?));
            }
            Ok(())
        };
        read().map_err(|error: rusqlite::Error| failed(&error))
    }
}
