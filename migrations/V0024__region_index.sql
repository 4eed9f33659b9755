-- An index that tells of a region's killmails what they were worth and which groups of ships took part, in one walk.
--
-- Why this shape:
-- * Two indexes side by side, that of the region and that of the group, are read to their ends where they have nothing
--   in common, and each killmail that is left was looked at for its value.
-- * A migration of its own: the table is read while the index is built, and only then given up for a moment.

CREATE INDEX killmails_region_contents ON killmails (region_id, killmail_time DESC, killmail_id DESC)
    INCLUDE (total_value, ship_group_codes) WHERE region_id IS NOT NULL;

COMMENT ON INDEX killmails_region_contents IS 'Killmails of a region, newest first, with their values and groups of ships.';
