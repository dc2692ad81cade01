//! `hub.db`, step by step. A step that has shipped is never edited.

use super::super::migrate::{Schema, Synchronous};

/// The database of a hub.
pub(super) const SCHEMA: Schema = Schema {
    application_id: 0x4475_7048,
    steps: &[
        V1,
        LIMITS,
        RIGHTS,
        CONTENT,
        ROOM_IDS,
        CHANGES,
        ROLES,
        super::file::STEP,
        PRIVATE_ROOMS,
        RECEIPTS,
    ],
    sync: Synchronous::Full,
};

/// - `log`: one row. An epoch above 2⁶³ − 1 is kept bit by bit.
/// - `entry`: offsets are gapless; `(principal, id)` stays unique for ever.
/// - `room`: the offset of the entry that made it.
/// - `invite.redeemed_by`: a single-use code that has been used.
const V1: &str = "
CREATE TABLE log (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE entry (
    offset      INTEGER PRIMARY KEY,
    id          BLOB NOT NULL,
    principal   TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    kind        TEXT NOT NULL,
    room        INTEGER NOT NULL,
    body        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    received    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX entry_identity ON entry (principal, id);
CREATE INDEX entry_room ON entry (room, offset);

CREATE TABLE room (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    offset INTEGER NOT NULL
) STRICT;

CREATE TABLE principal (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('person', 'device', 'admin')),
    name       TEXT NOT NULL,
    token_hash BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE invite (
    code_hash   BLOB PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('person', 'device', 'admin')),
    expires_at  INTEGER NOT NULL,
    redeemed_by TEXT REFERENCES principal (id) ON DELETE CASCADE
) STRICT;

CREATE TABLE read_marker (
    principal TEXT NOT NULL,
    room      INTEGER NOT NULL REFERENCES room (id),
    offset    INTEGER NOT NULL,
    PRIMARY KEY (principal, room)
) STRICT, WITHOUT ROWID;
";

/// What may be kept at most, and old entries that go:
///
/// - `room.made_by`, `made_at`: as in the entry that made it, which may be gone.
/// - `gone`: entries that are no longer held; with `entry` it keeps `(principal, id)` unique.
/// - `written`: what each principal wrote on its day (days since 1970, UTC), up to the entry `log.counted`.
const LIMITS: &str = "
ALTER TABLE room ADD COLUMN made_by TEXT NOT NULL DEFAULT '';
ALTER TABLE room ADD COLUMN made_at INTEGER NOT NULL DEFAULT 0;
UPDATE room SET made_by = entry.principal, made_at = entry.received FROM entry WHERE entry.offset = room.offset;

CREATE TABLE gone (
    principal TEXT NOT NULL,
    id        BLOB NOT NULL,
    offset    INTEGER NOT NULL,
    received  INTEGER NOT NULL,
    PRIMARY KEY (principal, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE written (
    principal TEXT PRIMARY KEY,
    day       INTEGER NOT NULL,
    messages  INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    rooms     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE log ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
UPDATE log SET counted = coalesce((SELECT max(offset) FROM entry), 0);
";

/// Rights that are taken back:
///
/// - `revoked`: hashes of tokens that were withdrawn. None of them lets anybody in ever again.
/// - `owner`: the principal whose token is in the data directory.
/// - `invite`: who made and who used it, and when, with their names at that time; it outlives both.
const RIGHTS: &str = "
CREATE TABLE revoked (
    hash BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE owner (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    principal TEXT NOT NULL
) STRICT;

CREATE TABLE new_invite (
    code_hash     BLOB PRIMARY KEY,
    kind          TEXT NOT NULL CHECK (kind IN ('person', 'device', 'admin')),
    expires_at    INTEGER NOT NULL,
    made_by       TEXT,
    made_name     TEXT,
    made_at       INTEGER,
    redeemed_by   TEXT,
    redeemed_name TEXT,
    redeemed_at   INTEGER
) STRICT;
INSERT INTO new_invite (code_hash, kind, expires_at, redeemed_by, redeemed_name)
    SELECT code_hash, invite.kind, expires_at, redeemed_by, name
    FROM invite LEFT JOIN principal ON principal.id = redeemed_by ORDER BY invite.rowid;
DROP TABLE invite;
ALTER TABLE new_invite RENAME TO invite;
";

/// What this version keeps without understanding it.
///
/// - `entry.extra`: the fields of an entry that are not known, as a JSON object; of a kind that is not known, all of them.
const CONTENT: &str = "
ALTER TABLE entry ADD COLUMN extra TEXT;
";

/// A room has an id beside its name, by which clients know it. Those that were there before have the one that equals
/// their name.
///
/// - `room.uid`: the id of the entry that made it, as text.
/// - `room.name`: no two rooms of which everybody knows have the same, but that is a rule of making them.
const ROOM_IDS: &str = "
ALTER TABLE room RENAME COLUMN name TO uid;
ALTER TABLE room ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE room SET name = uid;
CREATE INDEX room_name ON room (name);
";

/// What changes messages; see `changes`. An id alone names a message, whoever wrote it: the index that keeps
/// `(principal, id)` unique has the id first.
const CHANGES: &str = "
ALTER TABLE entry ADD COLUMN target INTEGER;
CREATE INDEX entry_target ON entry (target) WHERE target IS NOT NULL;
DROP INDEX entry_identity;
CREATE UNIQUE INDEX entry_identity ON entry (id, principal);

CREATE TABLE reaction (
    target    INTEGER NOT NULL,
    emoji     TEXT NOT NULL,
    principal TEXT NOT NULL,
    PRIMARY KEY (target, emoji, principal)
) STRICT, WITHOUT ROWID;

CREATE TABLE pinned (
    room   INTEGER NOT NULL,
    target INTEGER NOT NULL,
    PRIMARY KEY (room, target)
) STRICT, WITHOUT ROWID;
";

/// Rooms that are described and archived, and people with roles, who say something of themselves.
///
/// - `room.changed`: the offset of the last entry that changed the room; 0: none did.
/// - `absent`: who has left a room. Everybody else is a member.
/// - `principal.role`, `invite.role`: whoever is there may do what they could before. Nothing to an admin or a device.
const ROLES: &str = "
ALTER TABLE room ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE room ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE principal ADD COLUMN role TEXT NOT NULL DEFAULT 'operator';
ALTER TABLE principal ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE invite ADD COLUMN role TEXT NOT NULL DEFAULT 'operator';

CREATE TABLE absent (
    principal TEXT NOT NULL,
    room      INTEGER NOT NULL REFERENCES room (id),
    PRIMARY KEY (principal, room)
) STRICT, WITHOUT ROWID;
";

/// Rooms of which only their members know; see `access`.
///
/// - `room.direct`: of a direct message the two people, as `access::pair` writes them: there is one of them for each pair.
/// - `member`: who is in a private room; those who were once stay, with `is_member` 0. `offset`: of the entry that said so
///   last.
const PRIVATE_ROOMS: &str = "
ALTER TABLE room ADD COLUMN private INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN direct TEXT;
CREATE UNIQUE INDEX room_direct ON room (direct) WHERE direct IS NOT NULL;

CREATE TABLE member (
    principal TEXT NOT NULL,
    room      INTEGER NOT NULL REFERENCES room (id),
    is_member INTEGER NOT NULL,
    offset    INTEGER NOT NULL,
    PRIMARY KEY (principal, room)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_room ON member (room);
";

/// What people have seen, as far as they let others know; see `receipts`.
const RECEIPTS: &str = "
CREATE TABLE receipt (
    room      INTEGER NOT NULL REFERENCES room (id),
    principal TEXT NOT NULL,
    first     INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    PRIMARY KEY (room, principal)
) STRICT, WITHOUT ROWID;
";
