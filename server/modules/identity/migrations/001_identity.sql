-- Facts about the whole server that are written once: 'server_name', with the first account.
CREATE TABLE identity_settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Rows are never deleted, so that a number and a localpart never come to mean another person.
CREATE TABLE identity_accounts (
    user_number INTEGER PRIMARY KEY,
    localpart TEXT NOT NULL UNIQUE,
    is_system INTEGER NOT NULL,      -- the server's own accounts: no password, not in the directory
    password_hash TEXT,              -- Argon2id, PHC form; NULL: nobody can log in by password
    is_admin INTEGER NOT NULL,
    display_name TEXT,
    avatar_url TEXT,
    created_at_ms INTEGER NOT NULL,
    deactivated_at_ms INTEGER
);

-- Profile fields other than the two above; value is JSON text.
CREATE TABLE identity_profile_fields (
    user_number INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (user_number, name)
) WITHOUT ROWID;

-- What the user directory scans: narrow, and of living people only.
CREATE TABLE identity_directory (
    user_number INTEGER PRIMARY KEY,
    search_key TEXT NOT NULL
);

CREATE TABLE identity_devices (
    device_number INTEGER PRIMARY KEY AUTOINCREMENT,
    user_number INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    display_name TEXT,
    created_at_ms INTEGER NOT NULL,
    last_seen_at_ms INTEGER,
    last_seen_address TEXT,
    UNIQUE (user_number, device_id)
);

-- token_hash is SHA-256. An expired row stays for a while, so that the answer can say "log in again" (soft logout).
-- supersedes_refresh is the refresh token that dies when this access token is first used.
CREATE TABLE identity_access_tokens (
    token_number INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    user_number INTEGER NOT NULL,
    device_number INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER,
    supersedes_refresh INTEGER
);
CREATE INDEX identity_access_tokens_by_device ON identity_access_tokens (device_number);

-- successor is the refresh token that was handed out for this one and has not been used yet.
CREATE TABLE identity_refresh_tokens (
    refresh_number INTEGER PRIMARY KEY AUTOINCREMENT,
    token_hash BLOB NOT NULL UNIQUE,
    user_number INTEGER NOT NULL,
    device_number INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    successor INTEGER
);
CREATE INDEX identity_refresh_tokens_by_device ON identity_refresh_tokens (device_number);

-- The specification's registration tokens. Kept in clear: their inviter is shown the link again.
CREATE TABLE identity_invitations (
    token TEXT PRIMARY KEY,
    inviter_number INTEGER NOT NULL,
    room_ids TEXT NOT NULL,          -- JSON array
    uses_left INTEGER,               -- NULL: any number
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER            -- NULL: never
) WITHOUT ROWID;
CREATE INDEX identity_invitations_by_inviter ON identity_invitations (inviter_number);

-- Secrets that work once (purpose 'setup', 'reset', 'login') or for a short time ('openid').
CREATE TABLE identity_secrets (
    token_hash BLOB PRIMARY KEY,
    purpose TEXT NOT NULL,
    user_number INTEGER,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- What other modules must still do about an account: written with the change itself, deleted when done.
CREATE TABLE identity_news (
    news_number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,              -- 'account_created', 'profile_changed', 'account_deactivated'
    user_number INTEGER NOT NULL,
    payload TEXT NOT NULL,           -- JSON object
    created_at_ms INTEGER NOT NULL
);
