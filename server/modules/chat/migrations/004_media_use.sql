-- Which events show which media, so that a file goes with the last event that shows it.

CREATE TABLE media_use (
    room_number INTEGER NOT NULL,
    position INTEGER NOT NULL,          -- of the event
    media_id TEXT NOT NULL,
    PRIMARY KEY (room_number, position, media_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_use_by_media ON media_use (media_id);

-- An event of the uploader that showed it was redacted, or the uploader was erased: it goes once nothing shows it.
-- What others showed and redacted goes only then, so that nobody can have another person's file deleted.
ALTER TABLE media ADD COLUMN is_withdrawn INTEGER NOT NULL DEFAULT 0;

-- Withdrawn and shown by nothing any more: deleted by the upkeep, bytes and thumbnails with it.
CREATE TABLE media_unused (
    media_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO media_use (room_number, position, media_id)
SELECT e.room_number, e.position, m.media_id
FROM event e, json_tree(e.json) t
JOIN media m ON m.media_id = substr(t.atom, 7 + instr(substr(t.atom, 7), '/'))
WHERE e.json LIKE '%mxc://%' AND t.type = 'text' AND t.atom LIKE 'mxc://%/%';
