-- Who was there when the server was last heard of: those who do not come back after a restart are told of as gone.
ALTER TABLE presence_status ADD COLUMN is_here INTEGER NOT NULL DEFAULT 0;
