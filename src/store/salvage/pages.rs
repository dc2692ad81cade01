//! Reads rows directly from a database file's pages (sqlite.org/fileformat2.html §1.6, §2), without its trees: rows
//! may be intact even if the pages that lead to them are damaged.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use rusqlite::types::Value;

/// Maximum size of a plausible row, in bytes.
const MAX_ROW_BYTES: u64 = 64 * 1024 * 1024;
/// Type byte of a table leaf page.
const TABLE_LEAF: u8 = 0x0d;

/// A database file without a write-ahead log.
pub(super) struct Pages {
    file: File,
    page_size: u64,
    /// Usable bytes of a page.
    usable: u64,
    count: u64,
}

impl Pages {
    /// Opens a file. If its header is invalid, the usual page size is assumed.
    pub(super) fn open(path: &Path) -> io::Result<Pages> {
        let mut file = File::open(path)?;
        let mut head = [0; 100];
        let is_headed = file.read_exact(&mut head).is_ok() && head.starts_with(b"SQLite format 3\0");
        let (page_size, unused) = match u16::from_be_bytes([head[16], head[17]]) {
            1 if is_headed => (65_536, head[20]),
            size if is_headed && size >= 512 && size.is_power_of_two() => (u64::from(size), head[20]),
            _ => (super::PAGE_BYTES, 0),
        };
        let count = file.metadata()?.len() / page_size;
        Ok(Pages { file, page_size, usable: page_size - u64::from(unused).min(page_size / 2), count })
    }

    /// Calls `take` with the rowid and values of every row of every table, page by page. Skips free pages as far as
    /// the free list is readable.
    pub(super) fn rows(&mut self, mut take: impl FnMut(i64, Vec<Value>)) -> io::Result<()> {
        let free = self.free();
        for number in (1..=self.count).filter(|number| !free.contains(number)) {
            let page = self.page(number)?;
            let head = if number == 1 { 100 } else { 0 };
            if page.get(head) != Some(&TABLE_LEAF) {
                continue;
            }
            for cell in 0..be16(&page, head + 3) {
                let at = be16(&page, head + 8 + 2 * cell);
                if let Some((rowid, values)) = self.row(&page, at) {
                    take(rowid, values);
                }
            }
        }
        Ok(())
    }

    fn page(&mut self, number: u64) -> io::Result<Vec<u8>> {
        let mut page = vec![0; usize::try_from(self.page_size).unwrap_or_default()];
        self.file.seek(SeekFrom::Start((number - 1) * self.page_size))?;
        self.file.read_exact(&mut page)?;
        Ok(page)
    }

    /// The free pages: they contain deleted rows.
    fn free(&mut self) -> HashSet<u64> {
        let mut free = HashSet::new();
        let Ok(first) = self.page(1) else { return free };
        let mut trunk = u64::from(be32(&first, 32));
        while trunk > 1 && trunk <= self.count && free.insert(trunk) {
            let Ok(page) = self.page(trunk) else { break };
            let leaves = (be32(&page, 4) as usize).min(page.len() / 4);
            free.extend((0..leaves).map(|leaf| u64::from(be32(&page, 8 + 4 * leaf))));
            trunk = u64::from(be32(&page, 0));
        }
        free
    }

    fn row(&mut self, page: &[u8], at: usize) -> Option<(i64, Vec<Value>)> {
        let cell = page.get(at..usize::try_from(self.usable).ok()?)?;
        let (size, one) = varint(cell)?;
        let (rowid, two) = varint(cell.get(one..)?)?;
        if !(1..=MAX_ROW_BYTES).contains(&size) {
            return None;
        }
        let cell = cell.get(one + two..)?;
        let local = self.local(size);
        let mut payload = cell.get(..usize::try_from(local).ok()?)?.to_vec();
        if local < size {
            self.overflow(be32(cell, payload.len()), size, &mut payload)?;
        }
        Some((rowid.cast_signed(), record(&payload)?))
    }

    /// Number of bytes of a row that are in its own page.
    fn local(&self, size: u64) -> u64 {
        let usable = self.usable;
        if size <= usable - 35 {
            return size;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let wanted = least + (size - least) % (usable - 4);
        if wanted <= usable - 35 { wanted } else { least }
    }

    /// Reads the rest of a row from its overflow pages.
    fn overflow(&mut self, first: u32, size: u64, payload: &mut Vec<u8>) -> Option<()> {
        let mut next = u64::from(first);
        while (payload.len() as u64) < size {
            if next < 2 || next > self.count {
                return None;
            }
            let page = self.page(next).ok()?;
            let more = (size - payload.len() as u64).min(self.usable - 4);
            payload.extend_from_slice(page.get(4..4 + usize::try_from(more).ok()?)?);
            next = u64::from(be32(&page, 0));
        }
        Some(())
    }
}

/// The values of a row; `None` if they do not fill it exactly.
fn record(payload: &[u8]) -> Option<Vec<Value>> {
    let (head, mut at) = varint(payload)?;
    let head = usize::try_from(head).ok().filter(|head| *head <= payload.len())?;
    let (mut body, mut values) = (head, Vec::new());
    while at < head {
        let (kind, length) = varint(payload.get(at..head)?)?;
        at += length;
        let size = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            text => (text - 12) / 2,
        };
        let size = usize::try_from(size).ok()?;
        let bytes = payload.get(body..body.checked_add(size)?)?;
        body += size;
        values.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
            1..=6 => Value::Integer(signed(bytes)),
            kind if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
        });
    }
    (at == head && body == payload.len()).then_some(values)
}

fn signed(bytes: &[u8]) -> i64 {
    let first = bytes.first().map_or(0, |byte| i64::from(byte.cast_signed()));
    bytes.iter().skip(1).fold(first, |number, byte| number << 8 | i64::from(*byte))
}

/// Decodes a varint of one to nine bytes; also returns its length.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    for place in 0..8 {
        let byte = *bytes.get(place)?;
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, place + 1));
        }
    }
    Some((number << 8 | u64::from(*bytes.get(8)?), 9))
}

fn be16(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..at + 2).map_or(0, |two| usize::from(two[0]) << 8 | usize::from(two[1]))
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_match_what_sqlite_wrote_without_deleted_ones() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY, b, c)").unwrap();
        let text = |number: i64| "é".repeat(number as usize * 37);
        for number in 0..200_i64 {
            let values = (number * 3, number * -70_000 * number, text(number));
            db.execute("INSERT INTO t VALUES (?1, ?2, ?3)", values).unwrap();
        }
        db.execute("INSERT INTO t VALUES (-5, 0.5, x'00ff'), (9223372036854775807, NULL, 1)", ()).unwrap();
        db.execute("DELETE FROM t WHERE a BETWEEN 300 AND 450", ()).unwrap();
        drop(db);
        let mut found = std::collections::BTreeMap::new();
        let mut pages = Pages::open(&path).unwrap();
        pages
            .rows(|rowid, values| {
                // The schema is a table, too.
                if values.len() == 3 {
                    found.insert(rowid, (values[1].clone(), values[2].clone()));
                }
            })
            .unwrap();
        let expected = (0..200_i64).filter(|number| !(100..=150).contains(number)).map(|number| {
            (number * 3, (Value::Integer(number * -70_000 * number), Value::Text(text(number))))
        });
        let mut expected: std::collections::BTreeMap<_, _> = expected.collect();
        expected.insert(-5, (Value::Real(0.5), Value::Blob(vec![0, 255])));
        expected.insert(i64::MAX, (Value::Null, Value::Integer(1)));
        assert!(found == expected, "{} rows instead of {}", found.len(), expected.len());
    }

    #[test]
    fn garbage_gives_no_rows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.db");
        let mut noise = 7_u32;
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        })
        .take(200 * 4096)
        .collect();
        for page in 0..200 {
            bytes[page * 4096] = TABLE_LEAF;
        }
        std::fs::write(&path, bytes).unwrap();
        // It must continue past anything it finds.
        Pages::open(&path).unwrap().rows(|_, _| ()).unwrap();
    }
}
