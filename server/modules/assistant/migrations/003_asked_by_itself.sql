-- Up to which message of a room a model was asked for a person's suggestions without a tap: once a message, whichever
-- of their devices is first.
CREATE TABLE asked_by_itself (
    user_number INTEGER NOT NULL,
    room_id TEXT NOT NULL,
    position INTEGER NOT NULL,          -- of the newest message of others that was handed over
    PRIMARY KEY (user_number, room_id)
) STRICT, WITHOUT ROWID;
