-- The groups of all ships of a killmail in a few bytes of its row, so that an index can tell what its killmails have
-- nothing to do with.
--
-- Why this shape:
-- * Bytes instead of an array: an array of one number takes 32 bytes, this takes 3.
-- * Rows of before are not written anew for it: who looks for a group looks at killmails that have NULL.

ALTER TABLE killmails ADD COLUMN ship_group_codes bytea;

CREATE FUNCTION ship_group_codes(
    of_killmail bigint, of_time timestamptz, victim_type bigint, victim_group bigint
) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN bool_or(ship_type_id IS NOT NULL AND ship_group_id IS NULL OR ship_group_id NOT BETWEEN 0 AND 16383)
            OR count(DISTINCT ship_group_id) > 64 THEN NULL
        ELSE coalesce(string_agg(
            DISTINCT set_byte(set_byte('\x0000', 0, (ship_group_id >> 7 & 127)::integer | 128), 1, (ship_group_id & 127)::integer),
            '\x'::bytea), '\x')
    END
    FROM (
        SELECT victim_type, victim_group
        UNION ALL
        SELECT a.ship_type_id, a.ship_group_id FROM attackers AS a
        WHERE a.killmail_id = of_killmail AND a.killmail_time = of_time
    ) AS ships (ship_type_id, ship_group_id)
$$;

COMMENT ON COLUMN killmails.ship_group_codes IS 'The groups of the ships of the victim and of all attackers, two bytes each (128 and seven bits of the group, its last seven bits). NULL where one of them is not known yet or above 16383, where there are more than 64, and in rows of before.';
COMMENT ON FUNCTION ship_group_codes(bigint, timestamptz, bigint, bigint) IS
    'What killmails.ship_group_codes is for a killmail, given also its victim''s type and group of ship, whose attackers are stored.';
