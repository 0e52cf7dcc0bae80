-- The lives of the streams (stream_lives.h): each start of the server begins one, where the streams stand then. A token
-- names the life in which it was given, so that one that this database never gave is known, from before it was put back
-- from a copy.

CREATE TABLE stream_life (
    number INTEGER PRIMARY KEY,  -- in order of time
    name INTEGER NOT NULL,       -- drawn; 0: before lives were named
    events INTEGER NOT NULL,     -- the last positions given before it
    receipts INTEGER NOT NULL,
    account_data INTEGER NOT NULL
) STRICT;

INSERT INTO stream_life (number, name, events, receipts, account_data) VALUES (1, 0, 0, 0, 0);
