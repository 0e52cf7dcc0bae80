-- What calls of models cost and who agreed to pay: never a text.

-- The administrator's settings; one row.
CREATE TABLE assistant_settings (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    ai_enabled INTEGER NOT NULL,
    person_tokens_per_day INTEGER NOT NULL,
    server_tokens_per_day INTEGER NOT NULL,
    time_zone TEXT NOT NULL             -- of the server's days (IANA)
) STRICT;
INSERT INTO assistant_settings VALUES (1, 1, 200000, 2000000, 'UTC');

-- What signs the labels of texts that a model wrote.
CREATE TABLE label_key (
    key_number INTEGER PRIMARY KEY,
    seed BLOB NOT NULL,
    created_at_ms INTEGER NOT NULL
) STRICT;

-- One row a request that may leave (a call tries another model server as a call of its own). It begins as a
-- reservation, becomes a receipt when it is told to go, and is settled once.
CREATE TABLE model_call (
    call_number INTEGER PRIMARY KEY,    -- order of receipts
    call_id TEXT NOT NULL UNIQUE,
    user_number INTEGER NOT NULL,       -- who pays
    room_id TEXT NOT NULL,              -- empty: no room
    purpose INTEGER NOT NULL,           -- assistant::Purpose
    state INTEGER NOT NULL,             -- assistant::CallState
    day INTEGER NOT NULL,               -- days since 1970 in the server's zone, when it was reserved
    hold_tokens INTEGER NOT NULL,       -- counted in spent_tokens until it is settled
    reserved_at_ms INTEGER NOT NULL,
    -- Known once it is told to go.
    told_at_ms INTEGER,
    provider_id TEXT,
    provider_name TEXT,
    model TEXT,
    on_this_machine INTEGER,
    outbound_sha256 TEXT,               -- of the exact bytes of the request
    outbound_bytes INTEGER,
    output_limit_tokens INTEGER NOT NULL,
    input_price_micros INTEGER,         -- per million tokens
    output_price_micros INTEGER,
    currency TEXT,
    -- Known once it has ended.
    ended_at_ms INTEGER,
    input_tokens INTEGER,
    output_tokens INTEGER,
    is_estimated INTEGER,
    cost_micros INTEGER
) STRICT;
CREATE INDEX model_call_by_user ON model_call (user_number, call_number);
CREATE INDEX model_call_open ON model_call (state) WHERE state <= 2;

-- Whose words were in it.
CREATE TABLE model_call_words (
    call_number INTEGER NOT NULL,
    user_number INTEGER NOT NULL,
    PRIMARY KEY (call_number, user_number)
) STRICT, WITHOUT ROWID;

-- Spent and held, each day; user 0 is the server. Kept when a person erases receipts: a budget is not reset by that.
CREATE TABLE spent_tokens (
    day INTEGER NOT NULL,
    user_number INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (day, user_number)
) STRICT, WITHOUT ROWID;
CREATE TABLE spent_cost (
    day INTEGER NOT NULL,
    currency TEXT NOT NULL,
    micros INTEGER NOT NULL,
    PRIMARY KEY (day, currency)
) STRICT, WITHOUT ROWID;

-- What @assistant was asked: one answer an event, across restarts.
CREATE TABLE assistant_answer (
    question_event_id TEXT PRIMARY KEY,
    room_id TEXT NOT NULL,
    asker_number INTEGER NOT NULL,
    state INTEGER NOT NULL,             -- assistant::AnswerState
    call_id TEXT NOT NULL,
    answer_event_id TEXT NOT NULL,      -- empty: nothing was said yet
    asked_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX assistant_answer_open ON assistant_answer (state) WHERE state = 1;
CREATE INDEX assistant_answer_by_asker ON assistant_answer (room_id, asker_number, asked_at_ms);

-- What @assistant says once in a room.
CREATE TABLE assistant_said (
    room_id TEXT NOT NULL,
    what INTEGER NOT NULL,              -- assistant::SaidOnce
    PRIMARY KEY (room_id, what)
) STRICT, WITHOUT ROWID;
