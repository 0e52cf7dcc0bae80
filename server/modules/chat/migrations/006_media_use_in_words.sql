-- Uses of media that 004 did not find, being named within a text (the HTML of a message), and those in what the
-- uploader keeps as account data: room_number 0, with the position of chat::Stream::account_data.

WITH RECURSIVE named (room_number, position, rest) AS (
    SELECT room_number, position, substr(json, instr(json, 'mxc://') + 6) FROM event WHERE instr(json, 'mxc://') > 0
    UNION ALL
    SELECT room_number, position, substr(rest, instr(rest, 'mxc://') + 6) FROM named WHERE instr(rest, 'mxc://') > 0
)
INSERT OR IGNORE INTO media_use (room_number, position, media_id)
SELECT n.room_number, n.position, m.media_id
FROM named n JOIN media m ON m.media_id = substr(n.rest, instr(n.rest, '/') + 1, 32);

WITH RECURSIVE named (user_number, position, rest) AS (
    SELECT user_number, position, substr(json, instr(json, 'mxc://') + 6) FROM account_data
    WHERE instr(json, 'mxc://') > 0
    UNION ALL
    SELECT user_number, position, substr(rest, instr(rest, 'mxc://') + 6) FROM named WHERE instr(rest, 'mxc://') > 0
)
INSERT OR IGNORE INTO media_use (room_number, position, media_id)
SELECT 0, n.position, m.media_id
FROM named n JOIN media m ON m.media_id = substr(n.rest, instr(n.rest, '/') + 1, 32)
WHERE m.user_number = n.user_number;
