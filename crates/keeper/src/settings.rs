//! What the binary chooses for a keeper.

use std::fmt;
use std::sync::Arc;

use account::{AccountId, Fault, Millis};

/// Tells the time. It may jump; a wrong time costs a wrong SAVEDATE and an early or late sleep, nothing else.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Told of faults that no caller is told of, because they happened in upkeep or were got over. For the operator's log.
pub type OnFault = Arc<dyn Fn(AccountId, &Fault) + Send + Sync>;

/// The keeper's limits; each has a default.
#[derive(Clone)]
pub struct Settings {
    /// Bytes that message columns may take in memory, over all accounts. Beyond it the longest unused are unloaded at the
    /// next housekeeping; columns that a session shows stay in its hands whatever is unloaded here.
    pub memory_bytes_max: u64,
    /// Entries after its checkpoint that an account may have before the next one is due: folding them when it wakes takes
    /// about a microsecond each.
    pub tail_entries_max: usize,
    /// The same in bytes, since one entry may name a million messages.
    pub tail_bytes_max: usize,
    /// How long an account that nobody holds stays awake. Waking costs some reads.
    pub sleep_after: Millis,
    /// How long the bytes of expunged messages stay readable at least, for sessions that still show them. No message
    /// may be on its way from upload to commit for longer.
    pub retention: Millis,
    /// Nobody but this keeper writes to the store, as when the store is a folder that one process holds locked. Then an
    /// entry may be appended before the one it was decided on is durable. Where others write as well it must not: the
    /// store compares numbers, and theirs may have taken the number of the one that this entry rests on.
    pub sole_writer: bool,
    /// Told of faults that have no caller.
    pub on_fault: Option<OnFault>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            memory_bytes_max: 512 << 20,
            tail_entries_max: 4_096,
            tail_bytes_max: 1 << 20,
            sleep_after: Millis(60_000),
            retention: Millis(24 * 60 * 60 * 1_000),
            sole_writer: true,
            on_fault: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings")
            .field("memory_bytes_max", &self.memory_bytes_max)
            .field("tail_entries_max", &self.tail_entries_max)
            .field("tail_bytes_max", &self.tail_bytes_max)
            .field("sleep_after", &self.sleep_after)
            .field("retention", &self.retention)
            .field("sole_writer", &self.sole_writer)
            .finish_non_exhaustive()
    }
}
