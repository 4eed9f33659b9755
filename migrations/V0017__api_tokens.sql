-- Tokens that an operator hands out: for webhook subscriptions and for queries without a limit, where they are asked for.

CREATE TABLE api_tokens (
    token_id      bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text         NOT NULL CHECK (name <> ''),
    digest        bytea        NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    scopes        text[]       NOT NULL CHECK (
        cardinality(scopes) > 0 AND scopes <@ ARRAY['subscriptions', 'export']
    ),
    created_at    timestamptz  NOT NULL,
    expires_at    timestamptz,
    last_used_at  timestamptz,
    revoked_at    timestamptz
);
CREATE UNIQUE INDEX api_tokens_name ON api_tokens (name) WHERE revoked_at IS NULL;

COMMENT ON TABLE api_tokens IS 'Tokens that an operator handed out. Only a digest of each is kept.';
COMMENT ON COLUMN api_tokens.token_id IS 'Order of making.';
COMMENT ON COLUMN api_tokens.name IS 'Whom it is for, in the operator''s words; one that is not revoked has it alone.';
COMMENT ON COLUMN api_tokens.digest IS 'SHA-256 of the token.';
COMMENT ON COLUMN api_tokens.scopes IS 'What it is good for: subscriptions, export.';
COMMENT ON COLUMN api_tokens.created_at IS 'When it was made.';
COMMENT ON COLUMN api_tokens.expires_at IS 'From when on it is good for nothing; NULL for never.';
COMMENT ON COLUMN api_tokens.last_used_at IS 'When it was last shown, to the hour; NULL for never.';
COMMENT ON COLUMN api_tokens.revoked_at IS 'When it was revoked; NULL while it is good.';
