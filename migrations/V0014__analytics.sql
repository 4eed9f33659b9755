-- The face for people who ask in SQL: views with the names joined, and functions for questions about a window of time.
--
-- Why this shape:
-- * Rows are views, so that any condition on them reaches the indexes below. A join that a question does not name
--   costs nothing: the planner leaves it out, since ids are unique in the tables of names.
-- * What is summed up is a function of a window, not a view: a condition on a day that was computed in a view cannot
--   choose partitions, a condition on killmail_time can. They are single SELECTs that the planner puts into
--   the question, so that its conditions reach the indexes there, too.
-- * Nobody is granted anything here: roles belong to the server, not to the database. The service makes them on request.

CREATE SCHEMA analytics;
COMMENT ON SCHEMA analytics IS 'For questions in SQL: killmails, attackers and items with their names, and sums over windows of time.';

-- How people look for an id: by the beginning of a name.
CREATE INDEX names_name ON names (lower(name) text_pattern_ops);
COMMENT ON INDEX names_name IS 'Names by their beginning, in lower case.';

CREATE VIEW analytics.kills AS
SELECT
    k.killmail_id,
    k.killmail_time,
    k.solar_system_id,
    s.name AS solar_system_name,
    k.constellation_id,
    s.constellation_name,
    k.region_id,
    s.region_name,
    k.security_status,
    k.war_id,
    k.victim_character_id,
    vc.name AS victim_character_name,
    k.victim_corporation_id,
    vo.name AS victim_corporation_name,
    k.victim_alliance_id,
    va.name AS victim_alliance_name,
    k.victim_faction_id,
    vf.name AS victim_faction_name,
    k.ship_type_id,
    t.name AS ship_name,
    k.ship_group_id,
    t.group_name AS ship_group_name,
    k.damage_taken,
    k.attacker_count,
    k.final_blow_character_id,
    fc.name AS final_blow_character_name,
    k.final_blow_corporation_id,
    fo.name AS final_blow_corporation_name,
    k.final_blow_alliance_id,
    fa.name AS final_blow_alliance_name,
    k.final_blow_ship_type_id,
    ft.name AS final_blow_ship_name,
    k.total_value,
    k.fitted_value,
    k.dropped_value,
    k.destroyed_value,
    k.points,
    k.npc,
    k.solo,
    k.awox,
    k.labels,
    k.hash
FROM killmails AS k
LEFT JOIN solar_systems AS s ON s.solar_system_id = k.solar_system_id
LEFT JOIN ship_types AS t ON t.type_id = k.ship_type_id
LEFT JOIN ship_types AS ft ON ft.type_id = k.final_blow_ship_type_id
LEFT JOIN names AS vc ON vc.id = k.victim_character_id AND vc.kind = 'character'
LEFT JOIN names AS vo ON vo.id = k.victim_corporation_id AND vo.kind = 'corporation'
LEFT JOIN names AS va ON va.id = k.victim_alliance_id AND va.kind = 'alliance'
LEFT JOIN names AS vf ON vf.id = k.victim_faction_id AND vf.kind = 'faction'
LEFT JOIN names AS fc ON fc.id = k.final_blow_character_id AND fc.kind = 'character'
LEFT JOIN names AS fo ON fo.id = k.final_blow_corporation_id AND fo.kind = 'corporation'
LEFT JOIN names AS fa ON fa.id = k.final_blow_alliance_id AND fa.kind = 'alliance';

COMMENT ON VIEW analytics.kills IS 'One row per killmail, with names.';
COMMENT ON COLUMN analytics.kills.killmail_id IS 'ESI''s id of the killmail.';
COMMENT ON COLUMN analytics.kills.killmail_time IS 'When the loss happened. A condition on it chooses the partitions that are read.';
COMMENT ON COLUMN analytics.kills.solar_system_id IS 'Where it happened.';
COMMENT ON COLUMN analytics.kills.solar_system_name IS 'Name of the system.';
COMMENT ON COLUMN analytics.kills.constellation_id IS 'Constellation of the system.';
COMMENT ON COLUMN analytics.kills.constellation_name IS 'Name of the constellation.';
COMMENT ON COLUMN analytics.kills.region_id IS 'Region of the system.';
COMMENT ON COLUMN analytics.kills.region_name IS 'Name of the region.';
COMMENT ON COLUMN analytics.kills.security_status IS 'Security status of the system in full precision, -1 to 1.';
COMMENT ON COLUMN analytics.kills.war_id IS 'War the killmail belongs to.';
COMMENT ON COLUMN analytics.kills.victim_character_id IS 'Pilot who lost the ship; NULL for structures and NPCs.';
COMMENT ON COLUMN analytics.kills.victim_character_name IS 'Name of that pilot.';
COMMENT ON COLUMN analytics.kills.victim_corporation_id IS 'Corporation of the victim.';
COMMENT ON COLUMN analytics.kills.victim_corporation_name IS 'Name of that corporation.';
COMMENT ON COLUMN analytics.kills.victim_alliance_id IS 'Alliance of the victim.';
COMMENT ON COLUMN analytics.kills.victim_alliance_name IS 'Name of that alliance.';
COMMENT ON COLUMN analytics.kills.victim_faction_id IS 'Faction of the victim.';
COMMENT ON COLUMN analytics.kills.victim_faction_name IS 'Name of that faction.';
COMMENT ON COLUMN analytics.kills.ship_type_id IS 'Type that was lost.';
COMMENT ON COLUMN analytics.kills.ship_name IS 'Name of that type.';
COMMENT ON COLUMN analytics.kills.ship_group_id IS 'Group of that type, such as 25, frigates.';
COMMENT ON COLUMN analytics.kills.ship_group_name IS 'Name of that group.';
COMMENT ON COLUMN analytics.kills.damage_taken IS 'Hit points of damage the victim took.';
COMMENT ON COLUMN analytics.kills.attacker_count IS 'How many attackers there were.';
COMMENT ON COLUMN analytics.kills.final_blow_character_id IS 'Pilot with the final blow.';
COMMENT ON COLUMN analytics.kills.final_blow_character_name IS 'Name of that pilot.';
COMMENT ON COLUMN analytics.kills.final_blow_corporation_id IS 'Corporation with the final blow.';
COMMENT ON COLUMN analytics.kills.final_blow_corporation_name IS 'Name of that corporation.';
COMMENT ON COLUMN analytics.kills.final_blow_alliance_id IS 'Alliance with the final blow.';
COMMENT ON COLUMN analytics.kills.final_blow_alliance_name IS 'Name of that alliance.';
COMMENT ON COLUMN analytics.kills.final_blow_ship_type_id IS 'Ship with the final blow.';
COMMENT ON COLUMN analytics.kills.final_blow_ship_name IS 'Name of that ship.';
COMMENT ON COLUMN analytics.kills.total_value IS 'ISK value of everything, from zKillboard; NULL when no source gave it.';
COMMENT ON COLUMN analytics.kills.fitted_value IS 'ISK value of hull and fitted modules.';
COMMENT ON COLUMN analytics.kills.dropped_value IS 'ISK value of what dropped.';
COMMENT ON COLUMN analytics.kills.destroyed_value IS 'ISK value of what was destroyed.';
COMMENT ON COLUMN analytics.kills.points IS 'zKillboard''s points.';
COMMENT ON COLUMN analytics.kills.npc IS 'zKillboard''s flag: only NPCs took part. NULL when no source gave it.';
COMMENT ON COLUMN analytics.kills.solo IS 'zKillboard''s flag: exactly one player attacked. NULL when no source gave it.';
COMMENT ON COLUMN analytics.kills.awox IS 'zKillboard''s flag: killed by the own corporation. NULL when no source gave it.';
COMMENT ON COLUMN analytics.kills.labels IS 'zKillboard''s labels, such as loc:nullsec.';
COMMENT ON COLUMN analytics.kills.hash IS 'ESI''s hash.';

CREATE VIEW analytics.attackers AS
SELECT
    a.killmail_id,
    a.killmail_time,
    a.ordinal,
    a.character_id,
    c.name AS character_name,
    a.corporation_id,
    o.name AS corporation_name,
    a.alliance_id,
    l.name AS alliance_name,
    a.faction_id,
    f.name AS faction_name,
    a.ship_type_id,
    t.name AS ship_name,
    a.ship_group_id,
    t.group_name AS ship_group_name,
    a.weapon_type_id,
    w.name AS weapon_name,
    a.damage_done,
    a.security_status,
    a.final_blow
FROM attackers AS a
LEFT JOIN ship_types AS t ON t.type_id = a.ship_type_id
LEFT JOIN ship_types AS w ON w.type_id = a.weapon_type_id
LEFT JOIN names AS c ON c.id = a.character_id AND c.kind = 'character'
LEFT JOIN names AS o ON o.id = a.corporation_id AND o.kind = 'corporation'
LEFT JOIN names AS l ON l.id = a.alliance_id AND l.kind = 'alliance'
LEFT JOIN names AS f ON f.id = a.faction_id AND f.kind = 'faction';

COMMENT ON VIEW analytics.attackers IS 'One row per attacker of a killmail, with names.';
COMMENT ON COLUMN analytics.attackers.killmail_id IS 'The killmail; join on killmail_id and killmail_time.';
COMMENT ON COLUMN analytics.attackers.killmail_time IS 'When the loss happened. A condition on it chooses the partitions that are read.';
COMMENT ON COLUMN analytics.attackers.ordinal IS 'Place in the killmail''s list, from 0.';
COMMENT ON COLUMN analytics.attackers.character_id IS 'Pilot; NULL for NPCs and structures.';
COMMENT ON COLUMN analytics.attackers.character_name IS 'Name of that pilot.';
COMMENT ON COLUMN analytics.attackers.corporation_id IS 'Corporation of the attacker.';
COMMENT ON COLUMN analytics.attackers.corporation_name IS 'Name of that corporation.';
COMMENT ON COLUMN analytics.attackers.alliance_id IS 'Alliance of the attacker.';
COMMENT ON COLUMN analytics.attackers.alliance_name IS 'Name of that alliance.';
COMMENT ON COLUMN analytics.attackers.faction_id IS 'Faction of the attacker.';
COMMENT ON COLUMN analytics.attackers.faction_name IS 'Name of that faction.';
COMMENT ON COLUMN analytics.attackers.ship_type_id IS 'Ship the attacker flew.';
COMMENT ON COLUMN analytics.attackers.ship_name IS 'Name of that ship.';
COMMENT ON COLUMN analytics.attackers.ship_group_id IS 'Group of that ship.';
COMMENT ON COLUMN analytics.attackers.ship_group_name IS 'Name of that group.';
COMMENT ON COLUMN analytics.attackers.weapon_type_id IS 'Weapon, or the ship again where none was recorded.';
COMMENT ON COLUMN analytics.attackers.weapon_name IS 'Name of that weapon.';
COMMENT ON COLUMN analytics.attackers.damage_done IS 'Hit points of damage done.';
COMMENT ON COLUMN analytics.attackers.security_status IS 'Security status of the pilot at the time, -10 to 10.';
COMMENT ON COLUMN analytics.attackers.final_blow IS 'True for the one who struck last.';

CREATE VIEW analytics.items AS
SELECT
    i.killmail_id,
    i.killmail_time,
    i.item_index,
    i.parent_index,
    i.item_type_id,
    t.name AS item_name,
    t.group_id AS item_group_id,
    t.group_name AS item_group_name,
    t.category_name AS item_category_name,
    i.flag,
    i.singleton,
    i.quantity_dropped,
    i.quantity_destroyed
FROM killmail_items AS i
LEFT JOIN ship_types AS t ON t.type_id = i.item_type_id;

COMMENT ON VIEW analytics.items IS 'One row per stack of items of a killmail, nested ones included, with names.';
COMMENT ON COLUMN analytics.items.killmail_id IS 'The killmail; join on killmail_id and killmail_time.';
COMMENT ON COLUMN analytics.items.killmail_time IS 'When the loss happened. A condition on it chooses the partitions that are read.';
COMMENT ON COLUMN analytics.items.item_index IS 'Place in the killmail, from 1, containers before their content.';
COMMENT ON COLUMN analytics.items.parent_index IS 'item_index of the container it was in; NULL for the ship itself.';
COMMENT ON COLUMN analytics.items.item_type_id IS 'Type of the item.';
COMMENT ON COLUMN analytics.items.item_name IS 'Name of that type.';
COMMENT ON COLUMN analytics.items.item_group_id IS 'Group of that type.';
COMMENT ON COLUMN analytics.items.item_group_name IS 'Name of that group.';
COMMENT ON COLUMN analytics.items.item_category_name IS 'Name of the group''s category, such as Module or Charge.';
COMMENT ON COLUMN analytics.items.flag IS 'Slot, cargo hold or bay (CCP''s invFlags).';
COMMENT ON COLUMN analytics.items.singleton IS '0 stackable, 1 single, 2 blueprint copy.';
COMMENT ON COLUMN analytics.items.quantity_dropped IS 'How many dropped; NULL for none.';
COMMENT ON COLUMN analytics.items.quantity_destroyed IS 'How many were destroyed; NULL for none.';

-- The limit keeps the planner from reading all killmails of the window to join them.
CREATE FUNCTION analytics.kills_of_character(character_id bigint, since timestamptz, until timestamptz)
RETURNS TABLE (
    killmail_id bigint, killmail_time timestamptz, side text, solar_system_id bigint, solar_system_name text,
    ship_type_id bigint, ship_name text, victim_character_name text, victim_corporation_name text,
    victim_alliance_name text, attacker_count integer, total_value double precision)
LANGUAGE sql STABLE
AS $$
    SELECT k.killmail_id, k.killmail_time, 'victim', k.solar_system_id, k.solar_system_name, k.ship_type_id,
        k.ship_name, k.victim_character_name, k.victim_corporation_name, k.victim_alliance_name, k.attacker_count,
        k.total_value
    FROM analytics.kills AS k
    WHERE k.victim_character_id = $1 AND k.killmail_time >= $2 AND k.killmail_time < $3
    UNION ALL
    SELECT k.killmail_id, k.killmail_time, 'attacker', k.solar_system_id, k.solar_system_name, k.ship_type_id,
        k.ship_name, k.victim_character_name, k.victim_corporation_name, k.victim_alliance_name, k.attacker_count,
        k.total_value
    FROM (
        SELECT DISTINCT a.killmail_time, a.killmail_id
        FROM public.attackers AS a
        WHERE a.character_id = $1 AND a.killmail_time >= $2 AND a.killmail_time < $3
    ) AS d
    CROSS JOIN LATERAL (
        SELECT k.*
        FROM analytics.kills AS k
        WHERE k.killmail_id = d.killmail_id AND k.killmail_time = d.killmail_time
            AND k.killmail_time >= $2 AND k.killmail_time < $3
        LIMIT 1
    ) AS k
$$;
COMMENT ON FUNCTION analytics.kills_of_character(bigint, timestamptz, timestamptz) IS
    'Killmails of a character at or after since and before until; side is victim or attacker, and one that was both comes twice.';

CREATE FUNCTION analytics.kills_of_corporation(corporation_id bigint, since timestamptz, until timestamptz)
RETURNS TABLE (
    killmail_id bigint, killmail_time timestamptz, side text, solar_system_id bigint, solar_system_name text,
    ship_type_id bigint, ship_name text, victim_character_name text, victim_corporation_name text,
    victim_alliance_name text, attacker_count integer, total_value double precision)
LANGUAGE sql STABLE
AS $$
    SELECT k.killmail_id, k.killmail_time, 'victim', k.solar_system_id, k.solar_system_name, k.ship_type_id,
        k.ship_name, k.victim_character_name, k.victim_corporation_name, k.victim_alliance_name, k.attacker_count,
        k.total_value
    FROM analytics.kills AS k
    WHERE k.victim_corporation_id = $1 AND k.killmail_time >= $2 AND k.killmail_time < $3
    UNION ALL
    SELECT k.killmail_id, k.killmail_time, 'attacker', k.solar_system_id, k.solar_system_name, k.ship_type_id,
        k.ship_name, k.victim_character_name, k.victim_corporation_name, k.victim_alliance_name, k.attacker_count,
        k.total_value
    FROM (
        SELECT DISTINCT a.killmail_time, a.killmail_id
        FROM public.attackers AS a
        WHERE a.corporation_id = $1 AND a.killmail_time >= $2 AND a.killmail_time < $3
    ) AS d
    CROSS JOIN LATERAL (
        SELECT k.*
        FROM analytics.kills AS k
        WHERE k.killmail_id = d.killmail_id AND k.killmail_time = d.killmail_time
            AND k.killmail_time >= $2 AND k.killmail_time < $3
        LIMIT 1
    ) AS k
$$;
COMMENT ON FUNCTION analytics.kills_of_corporation(bigint, timestamptz, timestamptz) IS
    'Killmails of a corporation at or after since and before until; side is victim or attacker, and one that was both comes twice.';

CREATE FUNCTION analytics.kills_of_alliance(alliance_id bigint, since timestamptz, until timestamptz)
RETURNS TABLE (
    killmail_id bigint, killmail_time timestamptz, side text, solar_system_id bigint, solar_system_name text,
    ship_type_id bigint, ship_name text, victim_character_name text, victim_corporation_name text,
    victim_alliance_name text, attacker_count integer, total_value double precision)
LANGUAGE sql STABLE
AS $$
    SELECT k.killmail_id, k.killmail_time, 'victim', k.solar_system_id, k.solar_system_name, k.ship_type_id,
        k.ship_name, k.victim_character_name, k.victim_corporation_name, k.victim_alliance_name, k.attacker_count,
        k.total_value
    FROM analytics.kills AS k
    WHERE k.victim_alliance_id = $1 AND k.killmail_time >= $2 AND k.killmail_time < $3
    UNION ALL
    SELECT k.killmail_id, k.killmail_time, 'attacker', k.solar_system_id, k.solar_system_name, k.ship_type_id,
        k.ship_name, k.victim_character_name, k.victim_corporation_name, k.victim_alliance_name, k.attacker_count,
        k.total_value
    FROM (
        SELECT DISTINCT a.killmail_time, a.killmail_id
        FROM public.attackers AS a
        WHERE a.alliance_id = $1 AND a.killmail_time >= $2 AND a.killmail_time < $3
    ) AS d
    CROSS JOIN LATERAL (
        SELECT k.*
        FROM analytics.kills AS k
        WHERE k.killmail_id = d.killmail_id AND k.killmail_time = d.killmail_time
            AND k.killmail_time >= $2 AND k.killmail_time < $3
        LIMIT 1
    ) AS k
$$;
COMMENT ON FUNCTION analytics.kills_of_alliance(bigint, timestamptz, timestamptz) IS
    'Killmails of an alliance at or after since and before until; side is victim or attacker, and one that was both comes twice.';

-- The killmail's own place and time are read first; the partitions of that time are then the only ones that are read.
CREATE FUNCTION analytics.battle(killmail bigint, minutes integer)
RETURNS SETOF analytics.kills
LANGUAGE sql STABLE
AS $$
    SELECT k.*
    FROM analytics.kills AS k
    WHERE k.solar_system_id = (SELECT c.solar_system_id FROM public.killmails AS c WHERE c.killmail_id = $1 LIMIT 1)
      AND k.killmail_time
        >= (SELECT c.killmail_time FROM public.killmails AS c WHERE c.killmail_id = $1 LIMIT 1) - make_interval(mins => $2)
      AND k.killmail_time
        <= (SELECT c.killmail_time FROM public.killmails AS c WHERE c.killmail_id = $1 LIMIT 1) + make_interval(mins => $2)
$$;
COMMENT ON FUNCTION analytics.battle(bigint, integer) IS
    'Killmails in the same system within so many minutes before and after a killmail, itself included.';

CREATE FUNCTION analytics.losses_by_ship(since timestamptz, until timestamptz)
RETURNS TABLE (
    ship_type_id bigint, ship_name text, ship_group_name text, losses bigint, total_value double precision)
LANGUAGE sql STABLE
AS $$
    SELECT l.ship_type_id, t.name, t.group_name, l.losses, l.total_value
    FROM (
        SELECT k.ship_type_id, count(*) AS losses, coalesce(sum(k.total_value), 0) AS total_value
        FROM public.killmails AS k
        WHERE k.killmail_time >= $1 AND k.killmail_time < $2
        GROUP BY k.ship_type_id
    ) AS l
    LEFT JOIN public.ship_types AS t ON t.type_id = l.ship_type_id
$$;
COMMENT ON FUNCTION analytics.losses_by_ship(timestamptz, timestamptz) IS
    'How many of each type were lost at or after since and before until, and the ISK they were worth.';

CREATE FUNCTION analytics.isk_by_system_and_hour(since timestamptz, until timestamptz)
RETURNS TABLE (
    hour timestamptz, solar_system_id bigint, solar_system_name text, region_id bigint, region_name text,
    kills bigint, total_value double precision)
LANGUAGE sql STABLE
AS $$
    SELECT h.hour, h.solar_system_id, s.name, s.region_id, s.region_name, h.kills, h.total_value
    FROM (
        SELECT date_trunc('hour', k.killmail_time, 'UTC') AS hour, k.solar_system_id, count(*) AS kills,
            coalesce(sum(k.total_value), 0) AS total_value
        FROM public.killmails AS k
        WHERE k.killmail_time >= $1 AND k.killmail_time < $2
        GROUP BY 1, 2
    ) AS h
    LEFT JOIN public.solar_systems AS s ON s.solar_system_id = h.solar_system_id
$$;
COMMENT ON FUNCTION analytics.isk_by_system_and_hour(timestamptz, timestamptz) IS
    'Kills and their ISK per system and hour (UTC) at or after since and before until; hours without kills are left out.';
