-- What erasing one person asks for is found by that person, however much is kept of others.
CREATE INDEX model_call_words_by_user ON model_call_words (user_number);
CREATE INDEX spent_tokens_by_user ON spent_tokens (user_number);
-- The same index serves a person's answers in one room, and all of a person's.
DROP INDEX assistant_answer_by_asker;
CREATE INDEX assistant_answer_by_asker ON assistant_answer (asker_number, room_id, asked_at_ms);
-- The calls of one person that have not ended, beside however many that have.
CREATE INDEX model_call_open_by_user ON model_call (user_number) WHERE state <= 2;
