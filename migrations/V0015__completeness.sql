-- Days held against what others count, gaps that history closes, and years that are no longer kept.
--
-- Why this shape:
-- * day_checks has one row a day with the numbers it was judged by: a day whose numbers are those of an explained
--   check is not fetched again, and a total that has shrunk is told from one that never was larger.
-- * backfill_days.verified_at is when the source last showed that what was read is what it has, by a file or by "not
--   modified": a gap in the live source is closed once the days around it were verified after they had ended.
-- * A closed gap stays for a while, so that people see what became of it.
-- * A year is dropped under a lock that nobody who writes or reads killmails holds, so that no event of the log can be
--   on its way while the log is looked through. Whoever calls sets a short lock_timeout and tries again later.

CREATE TABLE day_checks (
    day          date        PRIMARY KEY,
    own          bigint      NOT NULL,
    everef       bigint,
    r2z2         bigint,
    everef_most  bigint,
    r2z2_most    bigint,
    verdict      text        NOT NULL
        CHECK (verdict IN ('complete', 'more_here', 'shrunk', 'explained', 'lacking', 'not_kept', 'uncounted')),
    reason       text,
    checked_at   timestamptz NOT NULL
);

CREATE TABLE reconcile_runs (
    run_id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope        text        NOT NULL CHECK (scope IN ('recent', 'all')),
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    days         bigint      NOT NULL DEFAULT 0,
    lacking      bigint      NOT NULL DEFAULT 0,
    stored       bigint      NOT NULL DEFAULT 0,
    gaps_closed  bigint      NOT NULL DEFAULT 0,
    error        text
);

ALTER TABLE source_gaps
    ADD COLUMN closed_at  timestamptz,
    ADD COLUMN closing    text CHECK (closing IN ('history_read', 'history_unavailable')),
    ADD CONSTRAINT source_gaps_closed CHECK ((closed_at IS NULL) = (closing IS NULL));
CREATE INDEX source_gaps_left ON source_gaps (recorded_at)
    WHERE next_attempt_at IS NULL AND closed_at IS NULL;

ALTER TABLE backfill_days ADD COLUMN verified_at timestamptz;
UPDATE backfill_days SET verified_at = finished_at WHERE state = 'done';

CREATE FUNCTION drop_year_partitions(dropped integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    begins  timestamptz := make_timestamptz(dropped, 1, 1, 0, 0, 0, 'UTC');
    ends    timestamptz := make_timestamptz(dropped + 1, 1, 1, 0, 0, 0, 'UTC');
BEGIN
    LOCK TABLE ONLY killmails, ONLY attackers IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM feed WHERE killmail_time >= begins AND killmail_time < ends) THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I, %I', 'killmails_' || dropped, 'attackers_' || dropped);
    INSERT INTO statistics_marks (day)
    SELECT d::date FROM generate_series(begins AT TIME ZONE 'UTC', ends AT TIME ZONE 'UTC' - interval '1 day', '1 day') AS d;
    RETURN true;
END
$$;

COMMENT ON FUNCTION drop_year_partitions(integer) IS
    'Drops the partitions of a year from 2003 to 2099 and marks its days for statistics. False, and nothing dropped, where the feed still names a killmail of it.';

COMMENT ON TABLE day_checks IS 'Killmails of each day here and elsewhere, when it was last checked.';
COMMENT ON COLUMN day_checks.day IS 'The day, UTC.';
COMMENT ON COLUMN day_checks.own IS 'Killmails of the day that are stored here.';
COMMENT ON COLUMN day_checks.everef IS 'Killmails that EVE Ref counts; NULL where it does not list the day or could not be asked.';
COMMENT ON COLUMN day_checks.r2z2 IS 'Killmails that R2Z2''s history counts; NULL where it does not list the day or could not be asked.';
COMMENT ON COLUMN day_checks.everef_most IS 'The most that EVE Ref has ever counted.';
COMMENT ON COLUMN day_checks.r2z2_most IS 'The most that R2Z2''s history has ever counted.';
COMMENT ON COLUMN day_checks.verdict IS 'complete, more_here, shrunk, explained, lacking, not_kept or uncounted.';
COMMENT ON COLUMN day_checks.reason IS 'Why the numbers differ, in words; NULL where they do not.';
COMMENT ON COLUMN day_checks.checked_at IS 'When these numbers were taken.';

COMMENT ON TABLE reconcile_runs IS 'Runs of the duty that holds days against what others count.';
COMMENT ON COLUMN reconcile_runs.run_id IS 'Order in which they began.';
COMMENT ON COLUMN reconcile_runs.scope IS 'recent: the last two weeks; all: every day that is kept.';
COMMENT ON COLUMN reconcile_runs.started_at IS 'When it began.';
COMMENT ON COLUMN reconcile_runs.finished_at IS 'When it ended; NULL while it is under way, or where its process ended first.';
COMMENT ON COLUMN reconcile_runs.days IS 'Days that were checked.';
COMMENT ON COLUMN reconcile_runs.lacking IS 'Days of which something obtainable is not stored.';
COMMENT ON COLUMN reconcile_runs.stored IS 'Killmails that were fetched and not stored before.';
COMMENT ON COLUMN reconcile_runs.gaps_closed IS 'Gaps of the live source that were closed.';
COMMENT ON COLUMN reconcile_runs.error IS 'Why it failed.';

COMMENT ON COLUMN source_gaps.closed_at IS 'When history closed it; NULL while its killmail may still come.';
COMMENT ON COLUMN source_gaps.closing IS 'history_read: R2Z2''s files of the days around it were read after they had ended; history_unavailable: they could not be had for two weeks.';
COMMENT ON COLUMN backfill_days.verified_at IS 'When the source last showed that what was read is what it has.';
