-- Statistics that a window of a month or a year can be answered from.
--
-- Why this shape:
-- * A batch of killmails writes one thing here: a mark for each day that it touched, a row of its own, so that no two
--   batches ever wait for each other. The rolled-up rows of a day are made anew from killmails and attackers later,
--   by one process, which takes away the marks that it saw before it looked.
-- * Whoever reads takes days without a mark from here and computes the others from killmails and attackers: answers
--   are exact at any time, and the rolled-up rows are only a matter of speed.
-- * ISK is numeric: a sum is then the same in whatever order it is made.
-- * statistics_days is by region, as that is what is asked for beside everything. Questions about one system or one
--   participant are answered by the indexes of killmails and attackers.

CREATE TABLE statistics_marks (
    mark_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day        date        NOT NULL,
    marked_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX statistics_marks_day ON statistics_marks (day, marked_at);

CREATE TABLE statistics_hours (
    hour              timestamptz NOT NULL,
    solar_system_id   bigint      NOT NULL,
    constellation_id  bigint,
    region_id         bigint,
    killmails         bigint      NOT NULL,
    without_value     bigint      NOT NULL,
    isk               numeric     NOT NULL,
    npc               boolean     NOT NULL
);
CREATE INDEX statistics_hours_hour ON statistics_hours (hour);
CREATE INDEX statistics_hours_system ON statistics_hours (solar_system_id, hour);
CREATE INDEX statistics_hours_constellation ON statistics_hours (constellation_id, hour);
CREATE INDEX statistics_hours_region ON statistics_hours (region_id, hour);

CREATE TABLE statistics_days (
    day            date    NOT NULL,
    region_id      bigint  NOT NULL,
    entity_id      bigint  NOT NULL,
    killmails      bigint  NOT NULL,
    without_value  bigint  NOT NULL,
    isk            numeric NOT NULL,
    npc            boolean NOT NULL,
    subject        text    NOT NULL
        CHECK (subject IN ('system', 'ship_lost', 'ship_used', 'character', 'corporation', 'alliance'))
);
CREATE INDEX statistics_days_day ON statistics_days (subject, day);
CREATE INDEX statistics_days_region ON statistics_days (subject, region_id, day);

CREATE TABLE statistics_valuable (
    killmail_id    bigint           NOT NULL,
    killmail_time  timestamptz      NOT NULL,
    total_value    double precision NOT NULL,
    day            date             NOT NULL,
    npc            boolean          NOT NULL
);
CREATE INDEX statistics_valuable_day ON statistics_valuable (day);

-- Marks every day that has killmails, or has rolled-up rows although it has none any more: from the newest day to the
-- next one before it, along the index.
CREATE FUNCTION mark_all_statistics() RETURNS bigint
LANGUAGE sql AS $$
    WITH RECURSIVE days AS (
        SELECT (max(k.killmail_time) AT TIME ZONE 'UTC')::date AS day FROM killmails AS k
        UNION ALL
        SELECT (
            SELECT (max(k.killmail_time) AT TIME ZONE 'UTC')::date
            FROM killmails AS k
            WHERE k.killmail_time < d.day::timestamp AT TIME ZONE 'UTC')
        FROM days AS d
        WHERE d.day IS NOT NULL
    ), marked AS (
        INSERT INTO statistics_marks (day)
        SELECT day FROM days WHERE day IS NOT NULL
        UNION
        SELECT day FROM statistics_days
        RETURNING 1
    )
    SELECT count(*) FROM marked
$$;

SELECT mark_all_statistics();

COMMENT ON FUNCTION mark_all_statistics() IS 'Marks every day that has killmails or statistics, so that its statistics are made anew. Returns how many.';

COMMENT ON TABLE statistics_marks IS 'Days whose killmails changed after their statistics were made.';
COMMENT ON COLUMN statistics_marks.mark_id IS 'The mark: each batch of killmails sets its own.';
COMMENT ON COLUMN statistics_marks.day IS 'The day, UTC.';
COMMENT ON COLUMN statistics_marks.marked_at IS 'When the batch began to be written.';

COMMENT ON TABLE statistics_hours IS 'Killmails by hour and system. Right for days without a mark in statistics_marks.';
COMMENT ON COLUMN statistics_hours.hour IS 'The hour that they happened in, UTC.';
COMMENT ON COLUMN statistics_hours.solar_system_id IS 'Where.';
COMMENT ON COLUMN statistics_hours.constellation_id IS 'The system''s constellation, NULL where the killmails have none.';
COMMENT ON COLUMN statistics_hours.region_id IS 'The system''s region, NULL where the killmails have none.';
COMMENT ON COLUMN statistics_hours.killmails IS 'How many.';
COMMENT ON COLUMN statistics_hours.without_value IS 'How many of them have no value.';
COMMENT ON COLUMN statistics_hours.isk IS 'What they were worth together, ISK; those without a value count as 0.';
COMMENT ON COLUMN statistics_hours.npc IS 'zKillboard says that only NPCs took part.';

COMMENT ON TABLE statistics_days IS 'Killmails by day, region and what took part in them. Right for days without a mark in statistics_marks.';
COMMENT ON COLUMN statistics_days.day IS 'The day that they happened on, UTC.';
COMMENT ON COLUMN statistics_days.region_id IS 'Where; 0 where the killmails have no region.';
COMMENT ON COLUMN statistics_days.entity_id IS 'The system, ship type, character, corporation or alliance.';
COMMENT ON COLUMN statistics_days.killmails IS 'How many; each once, however many attackers are of the corporation, say.';
COMMENT ON COLUMN statistics_days.without_value IS 'How many of them have no value.';
COMMENT ON COLUMN statistics_days.isk IS 'What they were worth together, ISK; those without a value count as 0.';
COMMENT ON COLUMN statistics_days.npc IS 'zKillboard says that only NPCs took part.';
COMMENT ON COLUMN statistics_days.subject IS 'What entity_id is: system; ship_lost by victims; ship_used, character, corporation or alliance of attackers.';

COMMENT ON TABLE statistics_valuable IS 'The hundred most valuable killmails of each day, with and without NPCs alone. Right for days without a mark in statistics_marks.';
COMMENT ON COLUMN statistics_valuable.killmail_id IS 'The killmail.';
COMMENT ON COLUMN statistics_valuable.killmail_time IS 'When it happened.';
COMMENT ON COLUMN statistics_valuable.total_value IS 'Its value, ISK.';
COMMENT ON COLUMN statistics_valuable.day IS 'The day that it happened on, UTC.';
COMMENT ON COLUMN statistics_valuable.npc IS 'zKillboard says that only NPCs took part.';
