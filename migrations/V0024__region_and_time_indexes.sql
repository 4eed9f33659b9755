-- An index that tells of a region's killmails what they were worth and which groups of ships took part, in one walk; and
-- the index of time with its other end in front.
--
-- Why this shape:
-- * Two indexes side by side, that of the region and that of the group, are read to their ends where they have nothing
--   in common, and each killmail that is left was looked at for its value.
-- * Killmails come in the order of time. At the right end of an index they fill its pages; at its left end each page was
--   split in halves that nothing came into any more.
-- * A migration of its own: the table is read while the indexes are built, and only then given up for a moment.

CREATE INDEX killmails_region_contents ON killmails (region_id, killmail_time DESC, killmail_id DESC)
    INCLUDE (total_value, ship_group_codes) WHERE region_id IS NOT NULL;
CREATE INDEX killmails_in_time ON killmails (killmail_time, killmail_id);

COMMENT ON INDEX killmails_region_contents IS 'Killmails of a region, newest first, with their values and groups of ships.';
COMMENT ON INDEX killmails_in_time IS 'All killmails, oldest first; read from its end for the newest.';
