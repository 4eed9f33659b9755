-- The feed: an ordered log of what was committed, read by every listener from its own cursor.
--
-- Sequences come from the one row of feed_head, which the appending transaction updates. A database sequence
-- would leave holes after a rollback, and a lower number could become visible after a higher one; here commit
-- order is number order and every number exists.

CREATE TABLE feed (
    sequence         bigint      PRIMARY KEY,
    killmail_id      bigint      NOT NULL,
    killmail_time    timestamptz NOT NULL,
    solar_system_id  bigint      NOT NULL,
    committed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind             text        NOT NULL CHECK (kind IN ('new', 'updated'))
);
CREATE INDEX feed_system ON feed (solar_system_id, sequence);

-- Updated in every appending transaction: room on the page keeps those updates away from the index.
CREATE TABLE feed_head (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    head      bigint  NOT NULL,
    floor     bigint  NOT NULL,
    CHECK (floor <= head)
) WITH (fillfactor = 10);
INSERT INTO feed_head (head, floor) VALUES (0, 0);

COMMENT ON TABLE feed IS 'The log of new and changed killmails, in the order in which they were committed. Old events are removed after the configured time.';
COMMENT ON COLUMN feed.sequence IS 'Position in the log, from 1, without holes; the cursor of readers.';
COMMENT ON COLUMN feed.killmail_id IS 'The killmail.';
COMMENT ON COLUMN feed.killmail_time IS 'When the loss happened; with killmail_id the key of killmails.';
COMMENT ON COLUMN feed.solar_system_id IS 'Where it happened.';
COMMENT ON COLUMN feed.committed_at IS 'When the event was written.';
COMMENT ON COLUMN feed.kind IS 'new: stored for the first time; updated: values or labels changed.';

COMMENT ON TABLE feed_head IS 'The two ends of the feed, one row.';
COMMENT ON COLUMN feed_head.only_row IS 'Keeps this table at one row.';
COMMENT ON COLUMN feed_head.head IS 'The newest sequence, 0 before the first event.';
COMMENT ON COLUMN feed_head.floor IS 'The sequence before the oldest event that is kept.';
