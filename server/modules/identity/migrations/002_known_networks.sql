-- Networks (failed_logins.h) in which an account is known without a device there: of devices that were removed, and of
-- whoever set the password by a reset link.

CREATE TABLE identity_networks (
    network_number INTEGER PRIMARY KEY,
    user_number INTEGER NOT NULL,
    network BLOB NOT NULL,
    noted_at_ms INTEGER NOT NULL,
    UNIQUE (user_number, network)
);
CREATE INDEX identity_networks_by_time ON identity_networks (noted_at_ms);
