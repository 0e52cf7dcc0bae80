-- Rooms, events, state, membership. Ids inside are short integers; text ids stand once.
-- A message that is no state writes: its row in `event` with its entries in two indexes, the counter, and (where the
-- client gave a transaction id) a row at the end of `sent_transaction`. Nothing else, however large the room is.

-- The last position given in each stream. Taken inside the write job, so that positions are given in commit order.
CREATE TABLE stream (
    stream INTEGER PRIMARY KEY,  -- chat::Stream
    position INTEGER NOT NULL
) STRICT;

CREATE TABLE server_key (
    key_id TEXT PRIMARY KEY,
    seed BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE room (
    room_number INTEGER PRIMARY KEY,
    room_id TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    creator_number INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    is_listed INTEGER NOT NULL DEFAULT 0,  -- in the published directory
    joined_count INTEGER NOT NULL DEFAULT 0,
    invited_count INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX room_listed ON room (joined_count, room_number) WHERE is_listed = 1;

-- In order of position, so that new rows come to the file's end and dirty few pages; two small indexes find a room's
-- timeline and an id (docs/decisions/0009-events-in-order-of-position.md). A room's history is a line: its events'
-- prev_events is the event before, its depth one more. So the federation format of an event can be made again from
-- this row and the state at its position, and is not stored.
CREATE TABLE event (
    position INTEGER PRIMARY KEY,   -- of chat::Stream::events
    room_number INTEGER NOT NULL,
    event_key INTEGER NOT NULL,     -- the first 8 bytes of the event's hash; the whole id stands in `json`
    sender_number INTEGER NOT NULL,
    type TEXT NOT NULL,
    state_key TEXT,                 -- NULL: no state event
    origin_server_ts INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    replaces_position INTEGER,      -- the state event that this one took the place of
    redacted_by INTEGER,            -- position of the redaction; then `json` is the redacted form
    content_hash BLOB,              -- kept when a redaction takes away what it was made of
    json TEXT NOT NULL              -- client format without room_id and unsigned; "event_id" is its first member
) STRICT;
CREATE INDEX event_by_room ON event (room_number);  -- within a room in order of position: every index ends in it
CREATE INDEX event_by_key ON event (event_key);

-- State: what holds now, what held when, and in which order it changed.
CREATE TABLE state_current (
    room_number INTEGER NOT NULL,
    type TEXT NOT NULL,
    state_key TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (room_number, type, state_key)
) STRICT, WITHOUT ROWID;
CREATE TABLE state_history (
    room_number INTEGER NOT NULL,
    type TEXT NOT NULL,
    state_key TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (room_number, type, state_key, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE state_log (
    room_number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    type TEXT NOT NULL,
    state_key TEXT NOT NULL,
    PRIMARY KEY (room_number, position)
) STRICT, WITHOUT ROWID;

-- Membership (chat::Membership) as it is now, from the room and from the person.
CREATE TABLE membership (
    room_number INTEGER NOT NULL,
    user_number INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    position INTEGER NOT NULL,          -- of the member event that holds now
    since_position INTEGER NOT NULL,    -- of the member event that brought this membership
    sender_number INTEGER NOT NULL,     -- who brought it
    is_forgotten INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room_number, user_number)
) STRICT, WITHOUT ROWID;
CREATE INDEX membership_by_user ON membership (user_number, membership, room_number);
-- Changes of membership only (not of names), for what a person could see when.
CREATE TABLE membership_history (
    room_number INTEGER NOT NULL,
    user_number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    membership INTEGER NOT NULL,
    PRIMARY KEY (room_number, user_number, position)
) STRICT, WITHOUT ROWID;

-- Events that point at an earlier event of their room (m.relates_to with a rel_type).
CREATE TABLE relation (
    room_number INTEGER NOT NULL,
    parent_position INTEGER NOT NULL,
    rel_type TEXT NOT NULL,
    child_position INTEGER NOT NULL,
    sender_number INTEGER NOT NULL,
    type TEXT NOT NULL,                 -- of the child
    PRIMARY KEY (room_number, parent_position, rel_type, child_position)
) STRICT, WITHOUT ROWID;
-- One person's one reaction of a kind to an event.
CREATE TABLE annotation (
    room_number INTEGER NOT NULL,
    parent_position INTEGER NOT NULL,
    sender_number INTEGER NOT NULL,
    type TEXT NOT NULL,
    key TEXT NOT NULL,
    child_position INTEGER NOT NULL,
    PRIMARY KEY (room_number, parent_position, sender_number, type, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE thread (
    room_number INTEGER NOT NULL,
    root_position INTEGER NOT NULL,
    latest_position INTEGER NOT NULL,
    reply_count INTEGER NOT NULL,
    PRIMARY KEY (room_number, root_position)
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_by_latest ON thread (room_number, latest_position);
CREATE TABLE thread_participant (
    room_number INTEGER NOT NULL,
    root_position INTEGER NOT NULL,
    user_number INTEGER NOT NULL,
    reply_count INTEGER NOT NULL,
    PRIMARY KEY (room_number, root_position, user_number)
) STRICT, WITHOUT ROWID;

CREATE TABLE alias (
    alias TEXT PRIMARY KEY,
    room_number INTEGER NOT NULL,
    creator_number INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_by_room ON alias (room_number);

-- Transaction ids, in order of time, pruned from the front. Looked up through an index in memory that is rebuilt at
-- start (TransactionIds): an index here would be one more random page for each message.
CREATE TABLE sent_transaction (
    position INTEGER PRIMARY KEY,       -- of the event
    room_number INTEGER NOT NULL,
    device_number INTEGER NOT NULL,
    scope_key INTEGER NOT NULL,         -- hash of device, endpoint, room, type and transaction id
    txn_id TEXT NOT NULL,
    sent_at_ms INTEGER NOT NULL
) STRICT;
