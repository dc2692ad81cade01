//! `client.db`, step by step. A step that has shipped is never edited.

use super::super::migrate::{Schema, Synchronous};

/// The database of the app.
pub(super) const SCHEMA: Schema = Schema {
    application_id: 0x4475_7043,
    steps: &[
        V1,
        V2,
        V3,
        V4,
        V5,
        CONTENT,
        ROOM_IDS,
        SCALE,
        ROOM_INFO,
        MESSAGE_CHANGES,
        ROOM_EVENTS,
        ROOM_HOLES,
        super::uploads::STEP,
        THREADS,
        super::search::index::ERASE_STEP,
    ],
    sync: Synchronous::Full,
};

/// Numbers above 2⁶³ − 1 (an epoch, a connection's id) are kept bit by bit. `start_known`, `floor`: see `write::history`.
///
/// - `connection.next_offset`: the offset that continues the current era; entries beyond it are not taken.
/// - `room.floor`: the lowest offset from which on the disk holds the room without a gap; none: the era's first.
/// - `message`: a row has no foreign key to its room, so that a removed room's messages can be purged little by little.
const V1: &str = "
CREATE TABLE connection (
    id              INTEGER PRIMARY KEY,
    me_id           TEXT,
    me_kind         TEXT,
    me_name         TEXT,
    log_epoch       INTEGER,
    era             INTEGER NOT NULL DEFAULT 0,
    era_from        INTEGER NOT NULL DEFAULT 0,
    era_has_entries INTEGER NOT NULL DEFAULT 0,
    next_offset     INTEGER NOT NULL DEFAULT 0,
    resume_epoch    INTEGER,
    resume_offset   INTEGER,
    resume_id       BLOB,
    resume_received INTEGER,
    last_seq        INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE room (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    connection    INTEGER NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    start_known   INTEGER NOT NULL DEFAULT 0,
    floor         INTEGER,
    newest_era    INTEGER NOT NULL DEFAULT 0,
    newest_offset INTEGER NOT NULL DEFAULT 0,
    read_era      INTEGER NOT NULL DEFAULT 0,
    read_offset   INTEGER NOT NULL DEFAULT 0,
    unread        INTEGER NOT NULL DEFAULT 0,
    draft         TEXT NOT NULL DEFAULT '',
    UNIQUE (connection, name)
) STRICT;

CREATE TABLE sender (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    connection INTEGER NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    principal  TEXT NOT NULL,
    UNIQUE (connection, principal)
) STRICT;

CREATE TABLE message (
    room        INTEGER NOT NULL,
    era         INTEGER NOT NULL,
    offset      INTEGER NOT NULL,
    sender      INTEGER NOT NULL,
    sender_name TEXT NOT NULL,
    id          BLOB NOT NULL,
    at          INTEGER NOT NULL,
    received    INTEGER NOT NULL,
    body        TEXT NOT NULL
) STRICT;
CREATE INDEX message_place ON message (room, era, offset, sender);
CREATE UNIQUE INDEX message_identity ON message (sender, id);

CREATE TABLE outbox (
    connection INTEGER NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    id         BLOB NOT NULL,
    room       TEXT NOT NULL,
    body       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    delivery   TEXT NOT NULL CHECK (delivery IN ('pending', 'attempted', 'acknowledged', 'failed')),
    offset     INTEGER,
    received   INTEGER,
    refusal    TEXT,
    PRIMARY KEY (connection, seq),
    UNIQUE (connection, id)
) STRICT;

CREATE TABLE purge (
    room INTEGER PRIMARY KEY
) STRICT;
";

/// Full-text search; see `search::index`. Takes no longer with a million messages: those that are there are taken in
/// little by little.
const V2: &str = "
CREATE TABLE search_author (
    id     INTEGER PRIMARY KEY,
    sender INTEGER NOT NULL REFERENCES sender (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    UNIQUE (sender, name)
) STRICT;

CREATE TABLE search_entry (
    key     INTEGER PRIMARY KEY,
    message INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TABLE search_state (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    todo INTEGER NOT NULL,
    of   INTEGER NOT NULL,
    late INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO search_state (one, todo, of)
    SELECT 1, coalesce(max(rowid), 0), coalesce(max(rowid), 0) FROM message;

CREATE VIRTUAL TABLE search USING fts5 (
    grams, content = '', contentless_delete = 1, detail = none, tokenize = \"ascii tokenchars '^#@'\"
);

-- Segments are put together between commits (`index::merge`), and within one only where very many are left.
INSERT INTO search (search, rank) VALUES ('automerge', 0);
INSERT INTO search (search, rank) VALUES ('crisismerge', 64);

CREATE TRIGGER search_message_deleted AFTER DELETE ON message BEGIN
    DELETE FROM search WHERE rowid = (SELECT key FROM search_entry WHERE message = old.rowid);
    DELETE FROM search_entry WHERE message = old.rowid;
END;
";

/// What this version keeps without understanding it.
///
/// - `connection.features`: what the server offered last, as JSON.
/// - `message.extra`: the fields of a message's entry that are not known, as a JSON object.
/// - `other_entry`: entries of a kind that is not known, or that make a room and say more, as they came.
const V3: &str = "
ALTER TABLE connection ADD COLUMN features TEXT;
ALTER TABLE message ADD COLUMN extra TEXT;

CREATE TABLE other_entry (
    connection INTEGER NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    era        INTEGER NOT NULL,
    offset     INTEGER NOT NULL,
    json       TEXT NOT NULL,
    PRIMARY KEY (connection, era, offset)
) STRICT;
";

/// How many of a room's unread messages name the person.
const V4: &str = "
ALTER TABLE room ADD COLUMN mentions INTEGER NOT NULL DEFAULT 0;
";

/// Servers that number nothing and confirm nothing.
///
/// - `connection.state`: what the protocol wants to be kept for its next session.
/// - `connection.log_epoch`: none in an era whose log is numbered here.
/// - `outbox.delivery`: `sent` and `unsure` are new; a check cannot be changed in place.
const V5: &str = "
ALTER TABLE connection ADD COLUMN state BLOB;

CREATE TABLE new_outbox (
    connection INTEGER NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    id         BLOB NOT NULL,
    room       TEXT NOT NULL,
    body       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    delivery   TEXT NOT NULL
        CHECK (delivery IN ('pending', 'attempted', 'sent', 'unsure', 'acknowledged', 'failed')),
    offset     INTEGER,
    received   INTEGER,
    refusal    TEXT,
    PRIMARY KEY (connection, seq),
    UNIQUE (connection, id)
) STRICT;
INSERT INTO new_outbox SELECT connection, seq, id, room, body, at, delivery, offset, received, refusal FROM outbox;
DROP TABLE outbox;
ALTER TABLE new_outbox RENAME TO outbox;
";

/// What waits to be sent is of any kind, and may say what this version does not understand.
///
/// - `outbox.kind`, `extra`: as in an entry of the log. Of a kind that is not known all fields are in `extra`.
/// - `other_entry.known`: it was put where it belongs, and is kept for what else it says.
/// - `other_entry_kind`: finds entries of a kind that was not known once, and is now.
const CONTENT: &str = "
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'message';
ALTER TABLE outbox ADD COLUMN extra TEXT;
ALTER TABLE other_entry ADD COLUMN known INTEGER NOT NULL DEFAULT 0;
CREATE INDEX other_entry_kind ON other_entry (CASE WHEN json_valid(json) THEN json_extract(json, '$.kind') END)
    WHERE known = 0;
";

/// A room has an id beside its name, by which all else knows it. Those that were there before have the one that equals
/// their name.
///
/// - `room.uid`: its id at the server.
/// - `room.unmade`: the server does not know it; what makes it is in the outbox.
const ROOM_IDS: &str = "
ALTER TABLE room RENAME COLUMN name TO uid;
ALTER TABLE room ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE room SET name = uid;
ALTER TABLE room ADD COLUMN unmade INTEGER NOT NULL DEFAULT 0;
CREATE INDEX room_unmade ON room (connection) WHERE unmade;
";

/// For millions of messages.
///
/// - `search_state.since`: the last message whose grams are in the index; they follow the commit (`search::index`).
/// - `message_state`, `message_filter`: how ids are stored (`identity`).
/// - `room_count`, `room.counted_era`, `room.counted_offset`: how many messages are by others (`counts`).
const SCALE: &str = "
ALTER TABLE search_state ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE search_state SET since = (SELECT coalesce(max(rowid), 0) FROM message);

CREATE TABLE message_state (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    last_row INTEGER NOT NULL,
    plain    INTEGER NOT NULL
) STRICT;
INSERT INTO message_state (one, last_row, plain)
    SELECT 1, coalesce(max(rowid), 0), coalesce(max(rowid), 0) FROM message;

CREATE TABLE message_filter (
    run  INTEGER PRIMARY KEY,
    bits BLOB NOT NULL
) STRICT;

CREATE TABLE room_count (
    room   INTEGER NOT NULL,
    era    INTEGER NOT NULL,
    block  INTEGER NOT NULL,
    others INTEGER NOT NULL,
    PRIMARY KEY (room, era, block)
) STRICT, WITHOUT ROWID;
ALTER TABLE room ADD COLUMN counted_era INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN counted_offset INTEGER NOT NULL DEFAULT 0;
UPDATE room SET (counted_era, counted_offset) = (
    SELECT coalesce(max(era), 0), coalesce(max(offset), 0) + 1 FROM (
        SELECT era, offset FROM message WHERE message.room = room.id ORDER BY era DESC, offset DESC LIMIT 1));
CREATE INDEX room_uncounted ON room (id) WHERE counted_era > 0;
";

/// What is known of a room beside its id and name, as JSON; none: a public room of which nothing else was told.
const ROOM_INFO: &str = "
ALTER TABLE room ADD COLUMN info TEXT;
";

/// What changes messages; see `changes`.
const MESSAGE_CHANGES: &str = "
CREATE TABLE message_change (
    room         INTEGER NOT NULL,
    era          INTEGER NOT NULL,
    offset       INTEGER NOT NULL,
    changes      TEXT NOT NULL,
    replies      INTEGER NOT NULL DEFAULT 0,
    reply_era    INTEGER NOT NULL DEFAULT 0,
    reply_offset INTEGER NOT NULL DEFAULT 0,
    pinned       INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, era, offset)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_pinned ON message_change (room, era, offset) WHERE pinned;

CREATE TABLE message_revision (
    room      INTEGER NOT NULL,
    era       INTEGER NOT NULL,
    offset    INTEGER NOT NULL,
    by_era    INTEGER NOT NULL,
    by_offset INTEGER NOT NULL,
    received  INTEGER NOT NULL,
    body      TEXT NOT NULL,
    PRIMARY KEY (room, era, offset, by_era, by_offset)
) STRICT, WITHOUT ROWID;

CREATE TABLE waiting_change (
    connection INTEGER NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    target     BLOB NOT NULL,
    era        INTEGER NOT NULL,
    offset     INTEGER NOT NULL,
    json       TEXT NOT NULL,
    PRIMARY KEY (connection, target, era, offset)
) STRICT, WITHOUT ROWID;
";

/// What became of rooms and their members, shown among the messages; see `events`. Those that came before are in
/// `other_entry`.
///
/// - `connection.me_role`: what the person may do there, as last told.
const ROOM_EVENTS: &str = "
CREATE TABLE room_event (
    room      INTEGER NOT NULL,
    era       INTEGER NOT NULL,
    offset    INTEGER NOT NULL,
    principal TEXT NOT NULL,
    id        BLOB NOT NULL,
    json      TEXT NOT NULL,
    PRIMARY KEY (room, era, offset),
    UNIQUE (room, id, principal)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO room_event (room, era, offset, principal, id, json)
    SELECT room.id, era, offset, json_extract(json, '$.sender.id'),
        unhex(replace(json_extract(json, '$.id'), '-', '')), json
    FROM other_entry JOIN room ON room.connection = other_entry.connection AND room.uid = json_extract(json, '$.room')
    WHERE json_valid(json) AND json_extract(json, '$.kind') IN ('room_change', 'member')
        AND json_type(json, '$.sender.id') = 'text' AND length(unhex(replace(json_extract(json, '$.id'), '-', ''))) = 16
    ORDER BY era DESC, offset DESC;
ALTER TABLE connection ADD COLUMN me_role TEXT;
";

/// Rooms of which the person becomes a member when they are there already.
///
/// - `room.hole_era`, `hole_offset`: the place before which entries are missing that were not for the person when they came;
///   0: none are.
const ROOM_HOLES: &str = "
ALTER TABLE room ADD COLUMN hole_era INTEGER NOT NULL DEFAULT 0;
ALTER TABLE room ADD COLUMN hole_offset INTEGER NOT NULL DEFAULT 0;
";

/// Threads; see `threads`. Rooms that have replies in threads are counted anew: those are not unread in the room.
const THREADS: &str = "
CREATE TABLE thread_message (
    room   INTEGER NOT NULL,
    era    INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    root   BLOB NOT NULL,
    sender INTEGER NOT NULL,
    aside  INTEGER NOT NULL,
    PRIMARY KEY (room, era, offset)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_place ON thread_message (room, root, era, offset);

CREATE TABLE thread (
    room          INTEGER NOT NULL,
    root          BLOB NOT NULL,
    newest_era    INTEGER NOT NULL DEFAULT 0,
    newest_offset INTEGER NOT NULL DEFAULT 0,
    read_era      INTEGER NOT NULL DEFAULT 0,
    read_offset   INTEGER NOT NULL DEFAULT 0,
    unread        INTEGER NOT NULL DEFAULT 0,
    mentions      INTEGER NOT NULL DEFAULT 0,
    followed      INTEGER NOT NULL DEFAULT 0,
    draft         TEXT NOT NULL DEFAULT '',
    draft_reply   BLOB,
    PRIMARY KEY (room, root)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_newest ON thread (room, newest_era, newest_offset);
ALTER TABLE room ADD COLUMN draft_reply BLOB;

INSERT INTO thread_message (room, era, offset, root, sender, aside)
    SELECT room, era, offset, unhex(replace(json_extract(extra, '$.thread'), '-', '')), sender, 1 FROM message
    WHERE EXISTS (SELECT 1 FROM message_change WHERE replies > 0)
        AND extra IS NOT NULL AND json_valid(extra) AND json_type(extra, '$.thread') = 'text'
        AND length(unhex(replace(json_extract(extra, '$.thread'), '-', ''))) = 16
    ON CONFLICT DO NOTHING;
INSERT INTO thread (room, root, newest_era, newest_offset, read_era, read_offset)
    SELECT room, root, era, offset, era, offset FROM (
        SELECT room, root, era, offset,
            row_number() OVER (PARTITION BY room, root ORDER BY era DESC, offset DESC) AS place FROM thread_message)
    WHERE place = 1;
DELETE FROM room_count WHERE room IN (SELECT room FROM thread_message);
UPDATE room SET (counted_era, counted_offset) = (
    SELECT coalesce(max(era), 0), coalesce(max(offset), 0) + 1 FROM (
        SELECT era, offset FROM message WHERE message.room = room.id ORDER BY era DESC, offset DESC LIMIT 1))
    WHERE id IN (SELECT room FROM thread_message);
";
