-- What a backfill remembers of each day: a killed one goes on where it was, a day that has not changed upstream
-- costs no download, a changed one is read again, and one that has shrunk is noticed.
-- Who works on a day right now is told by a session advisory lock, which ends with its process; `owner` is for people.

ALTER TABLE backfill_days
    ADD COLUMN etag            text,
    ADD COLUMN last_modified   text,
    ADD COLUMN size_bytes      bigint,
    ADD COLUMN documents       bigint NOT NULL DEFAULT 0,
    ADD COLUMN most_documents  bigint NOT NULL DEFAULT 0,
    ADD COLUMN updated         bigint NOT NULL DEFAULT 0,
    ADD COLUMN unchanged       bigint NOT NULL DEFAULT 0,
    ADD COLUMN dead_letters    bigint NOT NULL DEFAULT 0,
    ADD COLUMN passed_over     bigint NOT NULL DEFAULT 0,
    ADD COLUMN owner           text;

-- Backfills that were asked for over HTTP: one process of all takes them one by one, writes how far it has come, and
-- looks whether it is to stop.
CREATE TABLE backfill_jobs (
    job_id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source            text        NOT NULL CHECK (source IN ('everef', 'r2z2')),
    from_day          date        NOT NULL,
    to_day            date        NOT NULL,
    state             text        NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    cancel_requested  boolean     NOT NULL DEFAULT false,
    days              bigint      NOT NULL DEFAULT 0,
    days_settled      bigint      NOT NULL DEFAULT 0,
    days_failed       bigint      NOT NULL DEFAULT 0,
    documents         bigint      NOT NULL DEFAULT 0,
    error             text,
    created_at        timestamptz NOT NULL DEFAULT now(),
    started_at        timestamptz,
    finished_at       timestamptz,
    CHECK (from_day <= to_day)
);
CREATE INDEX backfill_jobs_open ON backfill_jobs (job_id) WHERE state IN ('queued', 'running');

COMMENT ON TABLE backfill_jobs IS 'Backfills of days that were asked for over HTTP.';
COMMENT ON COLUMN backfill_jobs.job_id IS 'Order in which they were asked for.';
COMMENT ON COLUMN backfill_jobs.source IS 'Where the days come from: everef or r2z2.';
COMMENT ON COLUMN backfill_jobs.from_day IS 'The first day, UTC.';
COMMENT ON COLUMN backfill_jobs.to_day IS 'The last day, UTC.';
COMMENT ON COLUMN backfill_jobs.state IS 'queued, running, done, failed or cancelled.';
COMMENT ON COLUMN backfill_jobs.cancel_requested IS 'True once somebody wants it to stop.';
COMMENT ON COLUMN backfill_jobs.days IS 'Days of the range, 0 before it was begun.';
COMMENT ON COLUMN backfill_jobs.days_settled IS 'Days of which something became since it was last begun, failed ones included.';
COMMENT ON COLUMN backfill_jobs.days_failed IS 'Days that could not be read; see backfill_days.';
COMMENT ON COLUMN backfill_jobs.documents IS 'Documents read since it was last begun.';
COMMENT ON COLUMN backfill_jobs.error IS 'Why it failed.';
COMMENT ON COLUMN backfill_jobs.created_at IS 'When it was asked for.';
COMMENT ON COLUMN backfill_jobs.started_at IS 'When it was last begun.';
COMMENT ON COLUMN backfill_jobs.finished_at IS 'When it ended.';

COMMENT ON COLUMN backfill_days.stored IS 'Killmails that were new when the day was last read.';
COMMENT ON COLUMN backfill_days.etag IS 'ETag of the file that was last read to its end.';
COMMENT ON COLUMN backfill_days.last_modified IS 'Last-Modified of that file, as the server wrote it.';
COMMENT ON COLUMN backfill_days.size_bytes IS 'Bytes of that file.';
COMMENT ON COLUMN backfill_days.documents IS 'Documents of that file: the sum of stored, updated, unchanged, dead_letters and passed_over.';
COMMENT ON COLUMN backfill_days.most_documents IS 'The most documents the day has ever had; documents is lower once it has shrunk upstream.';
COMMENT ON COLUMN backfill_days.updated IS 'Killmails stored before that gained values, labels or a hash.';
COMMENT ON COLUMN backfill_days.unchanged IS 'Killmails stored before, with nothing new.';
COMMENT ON COLUMN backfill_days.dead_letters IS 'Documents that are no killmail, or contradict a stored one; see dead_letters.';
COMMENT ON COLUMN backfill_days.passed_over IS 'Documents without a body or without content.';
COMMENT ON COLUMN backfill_days.owner IS 'Host and process that took the day last.';
