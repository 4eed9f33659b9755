-- RedisQ queues: readers whose place in the feed is kept here under a name they chose, for hours at most.

CREATE TABLE redisq_queues (
    queue_id       text        PRIMARY KEY,
    last_sequence  bigint      NOT NULL,
    created_at     timestamptz NOT NULL,
    seen_at        timestamptz NOT NULL,
    forget_at      timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX redisq_queues_forget ON redisq_queues (forget_at);

COMMENT ON TABLE redisq_queues IS 'How far each RedisQ queue has been given the feed.';
COMMENT ON COLUMN redisq_queues.queue_id IS 'The name the client chose.';
COMMENT ON COLUMN redisq_queues.last_sequence IS 'The newest feed sequence that was handed out or passed over.';
COMMENT ON COLUMN redisq_queues.created_at IS 'When it was first polled.';
COMMENT ON COLUMN redisq_queues.seen_at IS 'When it was last polled.';
COMMENT ON COLUMN redisq_queues.forget_at IS 'When it is forgotten unless polled before: a later poll starts at the newest event.';
