//! The tables of the readings' file.

use super::super::migrate::{Schema, Synchronous};

/// Versions of the readings' file; "DupR" in ASCII is its application id.
pub(super) const SCHEMA: Schema =
    Schema { application_id: 0x4475_7052, steps: &[V1, V2], sync: Synchronous::Normal };

/// - `state.raw_begins`: before this time raw readings were let go; only minutes are whole there.
/// - `series.chunked`: the raw points of journal rows up to this one are in chunks.
/// - `series.mark`: what was said of minutes before this one is in `minute` or `block`; what was said of later ones is in
///   the journal alone.
/// - `journal`: all that was said, one row a commit, until it is in chunks and minutes.
/// - `minute`: minutes that are not in a block yet, by time first: all metrics' rows of one minute lie together, so that a
///   minute of a thousand metrics costs a dozen pages and not a thousand.
/// - `block`: level 1, the minutes of an hour; level 2, the hours of a day.
const V1: &str = "
CREATE TABLE state (
    id         INTEGER PRIMARY KEY CHECK (id = 0),
    raw_bytes  INTEGER NOT NULL,
    raw_begins INTEGER NOT NULL
) STRICT;
INSERT INTO state VALUES (0, 0, -9223372036854775808);

CREATE TABLE device (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL,
    name   TEXT NOT NULL,
    body   TEXT
) STRICT;

CREATE TABLE series (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    device  INTEGER NOT NULL,
    metric  TEXT NOT NULL,
    chunked INTEGER NOT NULL DEFAULT 0,
    mark    INTEGER NOT NULL DEFAULT -9223372036854775808
) STRICT;

CREATE TABLE last (
    series   INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    received INTEGER NOT NULL,
    value    TEXT NOT NULL
) STRICT;

CREATE TABLE journal (
    seq  INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

CREATE TABLE chunk (
    id     INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    body   BLOB NOT NULL
) STRICT;
CREATE INDEX chunk_place ON chunk (series, first, last, count);

CREATE TABLE minute (
    at     INTEGER NOT NULL,
    series INTEGER NOT NULL,
    min    REAL NOT NULL,
    mean   REAL NOT NULL,
    max    REAL NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (at, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE block (
    series INTEGER NOT NULL,
    level  INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    body   BLOB NOT NULL,
    PRIMARY KEY (series, level, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE text (
    id     INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    value  TEXT NOT NULL
) STRICT;
CREATE INDEX text_place ON text (series, id);

CREATE TABLE log (
    id     INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    body   TEXT NOT NULL
) STRICT;
CREATE INDEX log_place ON log (device, id);

CREATE TABLE purge (
    series INTEGER PRIMARY KEY
) STRICT;
";

/// - `text.value`: none where from then on nothing was known of it.
const V2: &str = "
ALTER TABLE text RENAME TO text_v1;
CREATE TABLE text (
    id     INTEGER PRIMARY KEY,
    series INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    value  TEXT
) STRICT;
INSERT INTO text SELECT id, series, at, value FROM text_v1;
DROP TABLE text_v1;
CREATE INDEX text_place ON text (series, id);
";
