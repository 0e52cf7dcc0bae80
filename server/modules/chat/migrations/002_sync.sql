-- What belongs to one person, or to one person's reading of a room, and is told to their devices by /sync.

-- room_number 0: not about a room. Positions are of chat::Stream::account_data.
CREATE TABLE account_data (
    user_number INTEGER NOT NULL,
    room_number INTEGER NOT NULL,
    type TEXT NOT NULL,
    position INTEGER NOT NULL,
    json TEXT NOT NULL,                 -- the content
    PRIMARY KEY (user_number, room_number, type)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_data_by_position ON account_data (user_number, position);

-- How far a person has read: one row for each kind and thread. Positions are of chat::Stream::receipts.
CREATE TABLE receipt (
    room_number INTEGER NOT NULL,
    user_number INTEGER NOT NULL,
    kind INTEGER NOT NULL,              -- chat::ReceiptKind
    thread_id TEXT NOT NULL,            -- '': of no thread; 'main'; or the id of the thread's root
    event_position INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    ts_ms INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (room_number, user_number, kind, thread_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipt_by_position ON receipt (room_number, position);
CREATE INDEX receipt_by_user ON receipt (user_number);

-- Filters never change: the number stands for the text for ever.
CREATE TABLE sync_filter (
    user_number INTEGER NOT NULL,
    filter_number INTEGER NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (user_number, filter_number)
) STRICT, WITHOUT ROWID;

CREATE TABLE pusher (
    user_number INTEGER NOT NULL,
    app_id TEXT NOT NULL,
    pushkey TEXT NOT NULL,
    device_number INTEGER NOT NULL,     -- that set it: it goes with the device
    json TEXT NOT NULL,                 -- as the client is told of it
    PRIMARY KEY (user_number, app_id, pushkey)
) STRICT, WITHOUT ROWID;
CREATE INDEX pusher_by_key ON pusher (app_id, pushkey);

-- What people say of themselves; whether they are there is known in memory alone.
CREATE TABLE presence_status (
    user_number INTEGER PRIMARY KEY,
    status_message TEXT NOT NULL
) STRICT;
