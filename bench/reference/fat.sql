-- The schema that a chat server gets when nobody counts its pages: text ids in every row, an index for each
-- question, and an indexed table of transaction ids. What durable sends are compared with.
CREATE TABLE event (
    position INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    type TEXT NOT NULL,
    state_key TEXT,
    origin_server_ts INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    json TEXT NOT NULL
);
CREATE UNIQUE INDEX event_by_id ON event (event_id);
CREATE INDEX event_by_room ON event (room_id, position);
CREATE INDEX event_by_depth ON event (room_id, depth);
CREATE INDEX event_by_sender ON event (sender, position);
CREATE INDEX event_by_type ON event (room_id, type, position);
CREATE INDEX event_by_time ON event (room_id, origin_server_ts);
CREATE TABLE transaction_id (
    user_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    room_id TEXT NOT NULL,
    txn_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (user_id, device_id, room_id, txn_id)
) WITHOUT ROWID;
