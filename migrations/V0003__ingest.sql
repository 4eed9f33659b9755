-- Where the service stands in its sources, what it passed over, and what it could not understand.
-- The position in a source commits together with the rows that came from it, so that a restart loses nothing.

CREATE TABLE source_cursors (
    source      text        PRIMARY KEY,
    epoch       bigint      NOT NULL DEFAULT 0,
    position    bigint,
    detail      jsonb       NOT NULL DEFAULT '{}',
    updated_at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

CREATE TABLE source_gaps (
    source           text        NOT NULL,
    position         bigint      NOT NULL,
    reason           text        NOT NULL CHECK (reason IN ('missing', 'no_body', 'updated', 'garbage')),
    payload          bytea,
    attempts         integer     NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz,
    recorded_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, position)
);
CREATE INDEX source_gaps_due ON source_gaps (source, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;

CREATE TABLE dead_letters (
    dead_letter_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source          text        NOT NULL,
    position        text        NOT NULL,
    code            text        NOT NULL,
    reason          text        NOT NULL,
    payload         bytea       NOT NULL,
    payload_digest  bytea       NOT NULL GENERATED ALWAYS AS (sha256(payload)) STORED,
    received_at     timestamptz NOT NULL,
    UNIQUE (source, position, payload_digest)
);

CREATE TABLE backfill_days (
    source       text        NOT NULL,
    day          date        NOT NULL,
    state        text        NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'running', 'done', 'failed')),
    expected     bigint,
    stored       bigint      NOT NULL DEFAULT 0,
    attempts     integer     NOT NULL DEFAULT 0,
    error        text,
    started_at   timestamptz,
    finished_at  timestamptz,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, day)
);

COMMENT ON TABLE source_cursors IS 'The position in each upstream source, committed together with the rows that came from it.';
COMMENT ON COLUMN source_cursors.source IS 'The source, such as r2z2.';
COMMENT ON COLUMN source_cursors.epoch IS 'Raised by each process that becomes the ingester; earlier ones can no longer write.';
COMMENT ON COLUMN source_cursors.position IS 'The last position that is done; NULL before the first.';
COMMENT ON COLUMN source_cursors.detail IS 'What else the source needs after a restart.';
COMMENT ON COLUMN source_cursors.updated_at IS 'When the position was last written.';

COMMENT ON TABLE source_gaps IS 'Positions of a source that were passed over and will be asked for again. A row goes when its killmail is stored.';
COMMENT ON COLUMN source_gaps.source IS 'The source.';
COMMENT ON COLUMN source_gaps.position IS 'The position that was passed over.';
COMMENT ON COLUMN source_gaps.reason IS 'missing, no_body, updated or garbage.';
COMMENT ON COLUMN source_gaps.payload IS 'What the source had given, for a document without a body.';
COMMENT ON COLUMN source_gaps.attempts IS 'How often it was asked for again.';
COMMENT ON COLUMN source_gaps.next_attempt_at IS 'When to ask next; NULL when the source is no longer asked.';
COMMENT ON COLUMN source_gaps.recorded_at IS 'When it was first passed over.';

COMMENT ON TABLE dead_letters IS 'Documents that could not be understood, with reason and bytes.';
COMMENT ON COLUMN dead_letters.dead_letter_id IS 'Order of arrival.';
COMMENT ON COLUMN dead_letters.source IS 'The source it came from.';
COMMENT ON COLUMN dead_letters.position IS 'Where in the source: a sequence, or file and line.';
COMMENT ON COLUMN dead_letters.code IS 'Stable word for the kind of failure.';
COMMENT ON COLUMN dead_letters.reason IS 'What is wrong with it.';
COMMENT ON COLUMN dead_letters.payload IS 'The bytes as received, cut to 1 MiB.';
COMMENT ON COLUMN dead_letters.payload_digest IS 'SHA-256 of payload: the same document again is kept once.';
COMMENT ON COLUMN dead_letters.received_at IS 'When it was received.';

COMMENT ON TABLE backfill_days IS 'Days of history: which are filled, and with how much.';
COMMENT ON COLUMN backfill_days.source IS 'Where the day comes from, such as everef.';
COMMENT ON COLUMN backfill_days.day IS 'The day, UTC.';
COMMENT ON COLUMN backfill_days.state IS 'planned, running, done or failed.';
COMMENT ON COLUMN backfill_days.expected IS 'Killmails the source says the day has.';
COMMENT ON COLUMN backfill_days.stored IS 'Killmails of the day that were stored from it.';
COMMENT ON COLUMN backfill_days.attempts IS 'How often it was tried.';
COMMENT ON COLUMN backfill_days.error IS 'Why the last attempt failed.';
COMMENT ON COLUMN backfill_days.started_at IS 'When the last attempt began.';
COMMENT ON COLUMN backfill_days.finished_at IS 'When the last attempt ended.';
COMMENT ON COLUMN backfill_days.updated_at IS 'When this row last changed.';
