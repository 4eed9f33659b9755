-- The region's index of before, whose place another one has taken (see the migration before).
--
-- Why this shape:
-- * A migration of its own, which holds the table only for a moment.

DROP INDEX killmails_region;
