-- Whom a message of @assistant answers: its words count as theirs.
CREATE INDEX assistant_answer_by_answer ON assistant_answer (answer_event_id) WHERE answer_event_id <> '';
