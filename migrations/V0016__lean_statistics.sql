-- Statistics of days in a tenth of the room.
--
-- Why this shape:
-- * A row for each participant of a day was more header than content, some kilobyte for each killmail. Now a row holds
--   all participants of a kind, in a region, on a day: four arrays of the same length, which compress well and are read
--   in one go.
-- * Nothing here is ever changed in place: a day is made anew as a whole.
-- * What was there can be made again, so that it is dropped; every day is marked and counted live until it is made.

DROP TABLE statistics_days;

CREATE TABLE statistics_days (
    region_id      bigint    NOT NULL,
    day            date      NOT NULL,
    npc            boolean   NOT NULL,
    subject        text      NOT NULL
        CHECK (subject IN ('system', 'ship_lost', 'ship_used', 'character', 'corporation', 'alliance')),
    entity_ids     bigint[]  NOT NULL,
    killmails      integer[] NOT NULL,
    without_value  integer[] NOT NULL,
    isk            numeric[] NOT NULL,
    PRIMARY KEY (subject, region_id, day, npc)
);
CREATE INDEX statistics_days_day ON statistics_days (subject, day);

DO $$
DECLARE
    wanted text;
BEGIN
    IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
        FOREACH wanted IN ARRAY ARRAY['entity_ids', 'killmails', 'without_value', 'isk'] LOOP
            EXECUTE format('ALTER TABLE statistics_days ALTER COLUMN %I SET COMPRESSION lz4', wanted);
        END LOOP;
    END IF;
END
$$;

SELECT mark_all_statistics();

COMMENT ON TABLE statistics_days IS 'Killmails by day, region and what took part in them: one row for all of a kind. Right for days without a mark in statistics_marks.';
COMMENT ON COLUMN statistics_days.region_id IS 'Where; 0 where the killmails have no region.';
COMMENT ON COLUMN statistics_days.day IS 'The day that they happened on, UTC.';
COMMENT ON COLUMN statistics_days.npc IS 'zKillboard says that only NPCs took part.';
COMMENT ON COLUMN statistics_days.subject IS 'What entity_ids are: system; ship_lost by victims; ship_used, character, corporation or alliance of attackers.';
COMMENT ON COLUMN statistics_days.entity_ids IS 'The systems, ship types, characters, corporations or alliances, each once, in order.';
COMMENT ON COLUMN statistics_days.killmails IS 'For each of entity_ids, how many; each once, however many attackers are of the corporation, say.';
COMMENT ON COLUMN statistics_days.without_value IS 'For each of entity_ids, how many of them have no value.';
COMMENT ON COLUMN statistics_days.isk IS 'For each of entity_ids, what they were worth together, ISK; those without a value count as 0.';
