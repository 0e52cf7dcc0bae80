-- Secrets of one account go with it, and with a changed password, however many others have.
CREATE INDEX identity_secrets_by_user ON identity_secrets (purpose, user_number);
