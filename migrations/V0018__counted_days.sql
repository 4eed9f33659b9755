-- What is counted of past days, for people who ask in SQL: who did most in a year, without reading a year of attackers.
--
-- Why this shape:
-- * The table behind it keeps all participants of a kind in one row, as arrays, and its shape may change again. What is
--   promised are rows; whoever may read the view need not be let into the table.
-- * Where something was stored on a day since it was counted, its rows are behind. That is said once a day by a view of
--   its own, instead of on every row: a window that has no day in it is right.

CREATE VIEW analytics.participants_by_day AS
SELECT
    d.day,
    d.region_id,
    d.subject,
    p.entity_id,
    d.npc,
    p.killmails,
    p.without_value,
    p.isk
FROM statistics_days AS d
CROSS JOIN LATERAL unnest(d.entity_ids, d.killmails, d.without_value, d.isk)
    AS p (entity_id, killmails, without_value, isk);

COMMENT ON VIEW analytics.participants_by_day IS 'One row per day, region and system, ship type, character, corporation or alliance with killmails there. Right for days that are not in analytics.days_behind.';
COMMENT ON COLUMN analytics.participants_by_day.day IS 'The day that the killmails happened on, UTC.';
COMMENT ON COLUMN analytics.participants_by_day.region_id IS 'Where; 0 where the killmails have no region.';
COMMENT ON COLUMN analytics.participants_by_day.subject IS 'What entity_id is: system; ship_lost by victims; ship_used, character, corporation or alliance of attackers. Name one: their killmails are the same.';
COMMENT ON COLUMN analytics.participants_by_day.entity_id IS 'The system, ship type, character, corporation or alliance.';
COMMENT ON COLUMN analytics.participants_by_day.npc IS 'zKillboard says that only NPCs took part.';
COMMENT ON COLUMN analytics.participants_by_day.killmails IS 'How many; each once, however many attackers are of the corporation, say.';
COMMENT ON COLUMN analytics.participants_by_day.without_value IS 'How many of them have no value.';
COMMENT ON COLUMN analytics.participants_by_day.isk IS 'What they were worth together, ISK; those without a value count as 0.';

CREATE VIEW analytics.days_behind AS
SELECT m.day, min(m.marked_at) AS since
FROM statistics_marks AS m
GROUP BY m.day;

COMMENT ON VIEW analytics.days_behind IS 'Days of which analytics.participants_by_day does not have everything yet: mostly the present one, and those that a backfill is filling.';
COMMENT ON COLUMN analytics.days_behind.day IS 'The day, UTC.';
COMMENT ON COLUMN analytics.days_behind.since IS 'Since when.';
