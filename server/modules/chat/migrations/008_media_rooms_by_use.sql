-- Which rooms a file is in is told by what shows it (media_use): clients upload before they send, and none says for which room.
ALTER TABLE media DROP COLUMN room_number;
