-- Indexes of before, whose place others have taken (see the migration before).
--
-- Why this shape:
-- * A migration of its own, which holds the table only for a moment.

DROP INDEX killmails_region;
DROP INDEX killmails_time;
