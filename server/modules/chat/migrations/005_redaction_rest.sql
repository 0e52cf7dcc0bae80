-- Messages whose redaction is done but for edits of theirs that were left for later jobs: the work outlives a crash.

CREATE TABLE redaction_rest (
    room_number INTEGER NOT NULL,
    parent_position INTEGER NOT NULL,   -- of the redacted message
    redacted_by INTEGER NOT NULL,       -- position of the redaction
    PRIMARY KEY (room_number, parent_position)
) STRICT, WITHOUT ROWID;

-- Edits that came after the redaction, or were more than one job took.
INSERT INTO redaction_rest (room_number, parent_position, redacted_by)
SELECT DISTINCT e.room_number, e.position, e.redacted_by
FROM relation r JOIN event e ON e.position = r.parent_position
WHERE r.rel_type = 'm.replace' AND e.redacted_by IS NOT NULL;
