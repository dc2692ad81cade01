//! Each message of a sender is on disk once. Ids are random: an index of nothing but ids is changed at another page for each
//! new message, and with millions of them that is most of the work. So a message's id is stored behind the number of
//! its run, a stretch of rows: new messages change the pages of the newest run alone, which are few.
//!
//! To find an id, each run is asked. While many messages come, [`Filters`] in memory tell which runs need not be.
//!
//! - `message.id`: of rows after `message_state.plain`, the run (3 bytes) and the id; of those before, the id.
//! - `message_state.last_row`: the highest row that a message has or had; none is used again.
//! - `message_filter`: the filter of a run that is complete.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::super::error::StoreError;
use crate::model::{MessageId, Position};

type Result<T> = std::result::Result<T, StoreError>;

/// A run is 2¹⁸ rows.
const RUN_BITS: u32 = 18;
/// Bytes of an id.
const ID_BYTES: usize = 16;
/// Bytes of a run's number and an id.
const STORED_BYTES: usize = 3 + ID_BYTES;
/// Words of a block, the part of a filter that one id is looked for in: a line of the processor's cache.
const BLOCK_WORDS: usize = 8;
/// Blocks of a filter: 12 bits for each id of a run. About one in a hundred that are not there seems to be.
const BLOCKS: usize = 6_144;
/// Bits of a block that an id sets.
const BITS: u32 = 6;

/// The run of a row.
fn run_of(row: i64) -> i64 {
    row >> RUN_BITS
}

fn in_run(run: i64, id: MessageId) -> [u8; STORED_BYTES] {
    let mut stored = [0; STORED_BYTES];
    stored[..3].copy_from_slice(&run.to_be_bytes()[5..]);
    stored[3..].copy_from_slice(id.0.as_bytes());
    stored
}

/// An id as it is stored.
pub(super) struct StoredId(pub MessageId);

impl FromSql for StoredId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let blob = value.as_blob()?;
        let from = blob.len().checked_sub(ID_BYTES).ok_or(FromSqlError::InvalidType)?;
        let id = blob[from..].try_into().map_err(|_| FromSqlError::InvalidType)?;
        Ok(StoredId(MessageId(Uuid::from_bytes(id))))
    }
}

/// Where a message is.
pub(super) struct RowLocation {
    pub row: i64,
    pub room: i64,
    pub position: Position,
}

/// Which rows there are.
pub(super) struct Rows {
    /// The highest row that a message has or had.
    last: i64,
    /// Up to this row ids are stored without a run.
    plain: i64,
}

impl Rows {
    pub(super) fn new(db: &Connection) -> Result<Self> {
        // The tables agree; of what a later version or a repair leaves behind, the higher one is safe.
        let mut query = db.prepare_cached(
            "SELECT max(last_row, coalesce((SELECT max(rowid) FROM message), 0)), plain FROM message_state",
        )?;
        Ok(query.query_row((), |row| Ok(Rows { last: row.get(0)?, plain: row.get(1)? }))?)
    }

    /// The row of the next message, and its id as it is stored there.
    pub(super) fn next(&self, id: MessageId) -> (i64, [u8; STORED_BYTES]) {
        let row = self.last + 1;
        (row, in_run(run_of(row), id))
    }

    /// The next row is used now.
    pub(super) fn advance(&mut self) {
        self.last += 1;
    }

    pub(super) fn save(&self, db: &Connection) -> Result<()> {
        db.prepare_cached("UPDATE message_state SET last_row = ?1")?.execute([self.last])?;
        Ok(())
    }

    /// Finds a message. `is_new`: not in the run of the next row, which a new message's insertion looks into by itself.
    pub(super) fn find(
        &self,
        db: &Connection,
        filters: &Filters,
        sender: i64,
        id: MessageId,
        is_new: bool,
    ) -> Result<Option<RowLocation>> {
        let mut query =
            db.prepare_cached("SELECT rowid, room, era, offset FROM message WHERE sender = ?1 AND id = ?2")?;
        let mut at = |stored: &[u8]| {
            query
                .query_row(params![sender, stored], |row| {
                    let position = Position { era: row.get(2)?, offset: row.get(3)? };
                    Ok(RowLocation { row: row.get(0)?, room: row.get(1)?, position })
                })
                .optional()
        };
        let next = run_of(self.last + 1);
        let key = Key::new(sender, id);
        for run in (run_of(self.plain)..=next).rev() {
            let is_asked = if run == next { !is_new } else { filters.may_have(run, &key) };
            if is_asked && let Some(place) = at(&in_run(run, id))? {
                return Ok(Some(place));
            }
        }
        if self.plain > 0 { Ok(at(id.0.as_bytes())?) } else { Ok(None) }
    }
}

/// What a filter is asked for.
struct Key {
    block: usize,
    bits: [u64; BLOCK_WORDS],
}

impl Key {
    fn new(sender: i64, id: MessageId) -> Self {
        let (high, low) = id.0.as_u64_pair();
        let hash = mix(high ^ mix(low ^ mix(sender.cast_unsigned())));
        let mut rest = mix(hash);
        let mut bits = [0; BLOCK_WORDS];
        for _ in 0..BITS {
            bits[(rest >> 6) as usize % BLOCK_WORDS] |= 1 << (rest & 63);
            rest >>= 9;
        }
        Key { block: (((hash >> 32) * BLOCKS as u64) >> 32) as usize, bits }
    }
}

/// Spreads a number's bits (the last step of splitmix64).
fn mix(mut number: u64) -> u64 {
    number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}

/// Says of an id whether it may be in a run (a Bloom filter in blocks).
struct Filter(Vec<[u64; BLOCK_WORDS]>);

impl Filter {
    fn add(&mut self, key: &Key) {
        if let Some(block) = self.0.get_mut(key.block) {
            block.iter_mut().zip(key.bits).for_each(|(word, bits)| *word |= bits);
        }
    }

    fn may_have(&self, key: &Key) -> bool {
        self.0
            .get(key.block)
            .is_none_or(|block| block.iter().zip(key.bits).all(|(word, bits)| word & bits == bits))
    }

    /// Reads all ids of a run.
    fn of_run(db: &Connection, run: i64) -> Result<Filter> {
        let mut filter = Filter(vec![[0; BLOCK_WORDS]; BLOCKS]);
        let mut query = db.prepare_cached("SELECT sender, id FROM message WHERE rowid BETWEEN ?1 AND ?2")?;
        let mut rows = query.query([run << RUN_BITS, ((run + 1) << RUN_BITS) - 1])?;
        while let Some(row) = rows.next()? {
            filter.add(&Key::new(row.get(0)?, row.get::<_, StoredId>(1)?.0));
        }
        Ok(filter)
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// None where it is not as long as it has to be.
    fn from_bytes(bytes: &[u8]) -> Option<Filter> {
        let mut words = bytes.chunks_exact(8).filter_map(|word| word.try_into().ok().map(u64::from_le_bytes));
        let block = |_| Some(std::array::from_fn(|_| words.next().unwrap_or(u64::MAX)));
        let blocks: Option<Vec<_>> = (0..BLOCKS).map(block).collect();
        blocks.filter(|_| bytes.len() == BLOCKS * BLOCK_WORDS * 8).map(Filter)
    }
}

/// The filters of runs that are complete, as far as they are in memory. Without one a run is asked itself.
#[derive(Default)]
pub(super) struct Filters(Vec<Option<Filter>>);

impl Filters {
    fn may_have(&self, run: i64, key: &Key) -> bool {
        let filter = usize::try_from(run).ok().and_then(|run| self.0.get(run)?.as_ref());
        filter.is_none_or(|filter| filter.may_have(key))
    }

    /// Takes the filters of all runs that are complete into memory, and makes those that were not made yet. Not within a
    /// transaction that writes messages: what is undone must be in no filter as complete.
    pub(super) fn load(&mut self, db: &Connection) -> Result<()> {
        let rows = Rows::new(db)?;
        let last: i64 = db.query_row("SELECT last_row FROM message_state", (), |row| row.get(0))?;
        for run in run_of(rows.plain)..run_of(last) {
            let Ok(index) = usize::try_from(run) else { continue };
            if self.0.len() <= index {
                self.0.resize_with(index + 1, || None);
            }
            if self.0[index].is_some() {
                continue;
            }
            let mut query = db.prepare_cached("SELECT bits FROM message_filter WHERE run = ?1")?;
            let known: Option<Vec<u8>> = query.query_row([run], |row| row.get(0)).optional()?;
            let filter = match known.and_then(|bytes| Filter::from_bytes(&bytes)) {
                Some(filter) => filter,
                None => {
                    let filter = Filter::of_run(db, run)?;
                    db.prepare_cached("INSERT OR REPLACE INTO message_filter (run, bits) VALUES (?1, ?2)")?
                        .execute(params![run, filter.to_bytes()])?;
                    filter
                }
            };
            self.0[index] = Some(filter);
        }
        Ok(())
    }

    /// Lets all go: they are not needed for a while, or of another file.
    pub(super) fn clear(&mut self) {
        self.0 = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> MessageId {
        MessageId::from_random((u128::from(mix(number)) << 64 | u128::from(number)).to_be_bytes())
    }

    #[test]
    fn a_filter_has_all_of_its_ids_and_few_others() {
        let mut filter = Filter(vec![[0; BLOCK_WORDS]; BLOCKS]);
        for number in 0..1 << RUN_BITS {
            filter.add(&Key::new(number % 7, id(number.cast_unsigned())));
        }
        let filter = Filter::from_bytes(&filter.to_bytes()).unwrap();
        let has = |number: i64, sender| filter.may_have(&Key::new(sender, id(number.cast_unsigned())));
        assert!((0..1 << RUN_BITS).all(|number| has(number, number % 7)));
        let others = (0..100_000).filter(|number| has(*number, 7 + number % 7)).count();
        assert!(others < 3_000, "{others} of 100,000 that are not there");
        assert!(Filter::from_bytes(&[0; 8]).is_none());
    }
}
