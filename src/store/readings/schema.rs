//! The tables of the readings' file.

use super::super::migrate::{Schema, Synchronous};

/// Versions of the readings' file; its application id is "DupR" in ASCII.
pub(super) const SCHEMA: Schema =
    Schema { application_id: 0x4475_7052, steps: &[V1, V2], sync: Synchronous::Normal };

/// - `state.raw_begins`: raw readings before this time may have been deleted; only minutes are complete there.
/// - `series.chunked`: the raw points of journal rows up to this one are in chunks.
/// - `series.mark`: data of minutes before this one is in `minute` or `block`; data of later ones is in the journal
///   only.
/// - `journal`: all readings, one row per commit, until they are in chunks and minutes.
/// - `minute`: minutes that are not in a block yet. The key begins with the time: the rows of one minute are
///   adjacent, so that a minute of a thousand metrics touches a dozen pages instead of a thousand.
/// - `block`: level 1 has the minutes of an hour, level 2 the hours of a day.
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

/// - `text.value`: NULL if nothing was known from then on.
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
