-- What people upload. The bytes lie in files named by their hash; the same bytes lie there once.

CREATE TABLE media_content (
    sha256 BLOB PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    reference_count INTEGER NOT NULL,   -- rows of `media` that hold it; the file goes with the last
    picture_type TEXT NOT NULL,         -- by its first bytes; '': no picture that is shown
    refusal TEXT                        -- why render will never make a thumbnail of it: its code
) STRICT, WITHOUT ROWID;

-- An mxc:// address. Without sha256: promised to its maker, who has not uploaded yet.
CREATE TABLE media (
    media_id TEXT PRIMARY KEY,
    user_number INTEGER NOT NULL,       -- who uploads
    room_number INTEGER,                -- what it was uploaded for, where that was said
    sha256 BLOB,
    size_bytes INTEGER NOT NULL,
    content_type TEXT NOT NULL,         -- as the uploader said, if it has the form of one
    file_name TEXT,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER                  -- of a promise
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_user ON media (user_number, size_bytes);
CREATE INDEX media_by_expiry ON media (expires_ms) WHERE expires_ms IS NOT NULL;
