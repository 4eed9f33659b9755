-- Killmails and their attackers, the heart of the service.
--
-- Why this shape:
-- * Partitions by year of killmail_time: six million rows a year stay small enough to vacuum, reindex and drop,
--   and newest-first queries read one partition and stop.
-- * `document` is the canonical JSON, written once and served as it is; the columns are there to filter on.
--   Every fact of a killmail can be read back from `document` and `items`.
-- * Each index below serves a question users ask, newest first; (…, killmail_time, killmail_id) is also the
--   keyset of the answer's next page. What has no index on purpose: values (an index there would turn the
--   update of zKillboard's values into an index write; heavy values are filtered along time), labels,
--   factions (two dozen, so no index is selective) and constellations (a handful of systems each).
-- * No foreign key from attackers to killmails: both are written by one function in one transaction.

CREATE TABLE killmails (
    killmail_id                bigint           NOT NULL,
    killmail_time              timestamptz      NOT NULL,
    solar_system_id            bigint           NOT NULL,
    constellation_id           bigint,
    region_id                  bigint,
    moon_id                    bigint,
    war_id                     bigint,
    location_id                bigint,
    victim_character_id        bigint,
    victim_corporation_id      bigint,
    victim_alliance_id         bigint,
    victim_faction_id          bigint,
    ship_type_id               bigint,
    ship_group_id              bigint,
    final_blow_character_id    bigint,
    final_blow_corporation_id  bigint,
    final_blow_alliance_id     bigint,
    final_blow_ship_type_id    bigint,
    damage_taken               bigint           NOT NULL,
    position_x                 double precision,
    position_y                 double precision,
    position_z                 double precision,
    security_status            double precision,
    fitted_value               double precision,
    dropped_value              double precision,
    destroyed_value            double precision,
    total_value                double precision,
    total_droppable_value      double precision,
    points                     bigint,
    stored_at                  timestamptz      NOT NULL DEFAULT now(),
    updated_at                 timestamptz      NOT NULL DEFAULT now(),
    attacker_count             integer          NOT NULL,
    npc                        boolean,
    solo                       boolean,
    awox                       boolean,
    pending_names              boolean          NOT NULL DEFAULT false,
    hash                       text,
    labels                     text[],
    items                      jsonb,
    document                   text             NOT NULL,
    PRIMARY KEY (killmail_id, killmail_time)
) PARTITION BY RANGE (killmail_time);

CREATE TABLE attackers (
    killmail_id      bigint           NOT NULL,
    killmail_time    timestamptz      NOT NULL,
    character_id     bigint,
    corporation_id   bigint,
    alliance_id      bigint,
    faction_id       bigint,
    ship_type_id     bigint,
    ship_group_id    bigint,
    weapon_type_id   bigint,
    damage_done      bigint           NOT NULL,
    security_status  double precision NOT NULL,
    ordinal          integer          NOT NULL,
    final_blow       boolean          NOT NULL,
    PRIMARY KEY (killmail_id, ordinal, killmail_time)
) PARTITION BY RANGE (killmail_time);

-- A server may be built without lz4 (the archives that some installers fetch are); pglz then serves as well.
DO $$
BEGIN
    IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
        ALTER TABLE killmails ALTER COLUMN document SET COMPRESSION lz4;
        ALTER TABLE killmails ALTER COLUMN items SET COMPRESSION lz4;
    END IF;
END
$$;

CREATE INDEX killmails_time ON killmails (killmail_time DESC, killmail_id DESC);
CREATE INDEX killmails_system ON killmails (solar_system_id, killmail_time DESC, killmail_id DESC);
CREATE INDEX killmails_region ON killmails (region_id, killmail_time DESC, killmail_id DESC)
    WHERE region_id IS NOT NULL;
CREATE INDEX killmails_victim_character ON killmails (victim_character_id, killmail_time DESC, killmail_id DESC)
    WHERE victim_character_id IS NOT NULL;
CREATE INDEX killmails_victim_corporation ON killmails (victim_corporation_id, killmail_time DESC, killmail_id DESC)
    WHERE victim_corporation_id IS NOT NULL;
CREATE INDEX killmails_victim_alliance ON killmails (victim_alliance_id, killmail_time DESC, killmail_id DESC)
    WHERE victim_alliance_id IS NOT NULL;
CREATE INDEX killmails_ship_type ON killmails (ship_type_id, killmail_time DESC, killmail_id DESC)
    WHERE ship_type_id IS NOT NULL;
CREATE INDEX killmails_ship_group ON killmails (ship_group_id, killmail_time DESC, killmail_id DESC)
    WHERE ship_group_id IS NOT NULL;
CREATE INDEX killmails_war ON killmails (war_id, killmail_time DESC, killmail_id DESC)
    WHERE war_id IS NOT NULL;
CREATE INDEX killmails_pending_names ON killmails (killmail_id)
    WHERE pending_names;

CREATE INDEX attackers_character ON attackers (character_id, killmail_time DESC, killmail_id DESC)
    WHERE character_id IS NOT NULL;
CREATE INDEX attackers_corporation ON attackers (corporation_id, killmail_time DESC, killmail_id DESC)
    WHERE corporation_id IS NOT NULL;
CREATE INDEX attackers_alliance ON attackers (alliance_id, killmail_time DESC, killmail_id DESC)
    WHERE alliance_id IS NOT NULL;
CREATE INDEX attackers_ship_type ON attackers (ship_type_id, killmail_time DESC, killmail_id DESC)
    WHERE ship_type_id IS NOT NULL;

-- The two ends of time. They are ordinary partitions, not default ones: attaching a year next to a default
-- partition would lock that one against every reader.
CREATE TABLE killmails_before_2003 PARTITION OF killmails FOR VALUES FROM (MINVALUE) TO ('2003-01-01 00:00:00+00');
CREATE TABLE killmails_from_2100 PARTITION OF killmails FOR VALUES FROM ('2100-01-01 00:00:00+00') TO (MAXVALUE);
CREATE TABLE attackers_before_2003 PARTITION OF attackers FOR VALUES FROM (MINVALUE) TO ('2003-01-01 00:00:00+00');
CREATE TABLE attackers_from_2100 PARTITION OF attackers FOR VALUES FROM ('2100-01-01 00:00:00+00') TO (MAXVALUE);

-- Creates the partitions of the given years, where they are missing, inside the caller's transaction.
-- A table is made alone and then attached: that shuts out neither readers nor writers of the other years.
-- The advisory lock makes a second process wait for the first instead of failing with a duplicate.
CREATE FUNCTION ensure_year_partitions(years integer[]) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    wanted  integer;
    parent  text;
    made    integer := 0;
BEGIN
    FOR wanted IN SELECT DISTINCT u.y FROM unnest(years) AS u (y) WHERE u.y BETWEEN 2003 AND 2099 ORDER BY u.y LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'attackers'::regclass AND c.relname = 'attackers_' || wanted);
        PERFORM pg_advisory_xact_lock(hashtext('wanderer_kills'), hashtext('partitions'));
        CONTINUE WHEN EXISTS (
            SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'attackers'::regclass AND c.relname = 'attackers_' || wanted);
        FOREACH parent IN ARRAY ARRAY['killmails', 'attackers'] LOOP
            EXECUTE format(
                'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS)',
                parent || '_' || wanted, parent);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, parent || '_' || wanted,
                make_timestamptz(wanted, 1, 1, 0, 0, 0, 'UTC'),
                make_timestamptz(wanted + 1, 1, 1, 0, 0, 0, 'UTC'));
        END LOOP;
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION ensure_year_partitions(integer[]) IS
    'Creates the missing yearly partitions of killmails and attackers; years outside 2003 to 2099 have the two end partitions. Returns how many years were added.';

-- One row per stack of items. parent_index names the container a stack was in, NULL for the ship itself.
CREATE VIEW killmail_items AS
SELECT
    k.killmail_id,
    k.killmail_time,
    i.item_index,
    i.parent_index,
    i.item_type_id,
    i.flag,
    i.singleton,
    i.quantity_dropped,
    i.quantity_destroyed
FROM killmails AS k
CROSS JOIN LATERAL (
    WITH RECURSIVE stacks AS (
        SELECT ARRAY[top.place] AS path, top.item
        FROM jsonb_array_elements(k.items) WITH ORDINALITY AS top (item, place)
        UNION ALL
        SELECT stacks.path || content.place, content.item
        FROM stacks
        CROSS JOIN LATERAL jsonb_array_elements(stacks.item -> 'items') WITH ORDINALITY AS content (item, place)
    ), numbered AS (
        SELECT path, item, (row_number() OVER (ORDER BY path))::integer AS item_index FROM stacks
    )
    SELECT
        n.item_index,
        container.item_index AS parent_index,
        (n.item ->> 'item_type_id')::bigint AS item_type_id,
        (n.item ->> 'flag')::bigint AS flag,
        (n.item ->> 'singleton')::bigint AS singleton,
        (n.item ->> 'quantity_dropped')::bigint AS quantity_dropped,
        (n.item ->> 'quantity_destroyed')::bigint AS quantity_destroyed
    FROM numbered AS n
    LEFT JOIN numbered AS container ON container.path = n.path[:cardinality(n.path) - 1]
) AS i;

COMMENT ON TABLE killmails IS 'One row per killmail: a ship, structure or deployable that was lost. Partitioned by year of killmail_time.';
COMMENT ON COLUMN killmails.killmail_id IS 'ESI''s id of the killmail.';
COMMENT ON COLUMN killmails.killmail_time IS 'When the loss happened, UTC.';
COMMENT ON COLUMN killmails.solar_system_id IS 'Where it happened; see solar_systems.';
COMMENT ON COLUMN killmails.constellation_id IS 'Constellation of the system, NULL when the system was unknown on arrival.';
COMMENT ON COLUMN killmails.region_id IS 'Region of the system, NULL when the system was unknown on arrival.';
COMMENT ON COLUMN killmails.moon_id IS 'Moon of a starbase.';
COMMENT ON COLUMN killmails.war_id IS 'War the killmail belongs to.';
COMMENT ON COLUMN killmails.location_id IS 'Nearest celestial, as zKillboard found it.';
COMMENT ON COLUMN killmails.victim_character_id IS 'Pilot who lost the ship; NULL for structures and NPCs.';
COMMENT ON COLUMN killmails.victim_corporation_id IS 'Corporation of the victim.';
COMMENT ON COLUMN killmails.victim_alliance_id IS 'Alliance of the victim.';
COMMENT ON COLUMN killmails.victim_faction_id IS 'Faction of the victim.';
COMMENT ON COLUMN killmails.ship_type_id IS 'Type that was lost; see ship_types.';
COMMENT ON COLUMN killmails.ship_group_id IS 'Group of the lost type, NULL when the type was unknown on arrival.';
COMMENT ON COLUMN killmails.final_blow_character_id IS 'Pilot with the final blow.';
COMMENT ON COLUMN killmails.final_blow_corporation_id IS 'Corporation with the final blow.';
COMMENT ON COLUMN killmails.final_blow_alliance_id IS 'Alliance with the final blow.';
COMMENT ON COLUMN killmails.final_blow_ship_type_id IS 'Ship of the attacker with the final blow.';
COMMENT ON COLUMN killmails.damage_taken IS 'Hit points of damage the victim took; negative in some historic mails.';
COMMENT ON COLUMN killmails.position_x IS 'Metres from the sun along x.';
COMMENT ON COLUMN killmails.position_y IS 'Metres from the sun along y.';
COMMENT ON COLUMN killmails.position_z IS 'Metres from the sun along z.';
COMMENT ON COLUMN killmails.security_status IS 'Security status of the system in full precision, -1 to 1.';
COMMENT ON COLUMN killmails.fitted_value IS 'ISK value of hull and fitted modules, from zKillboard.';
COMMENT ON COLUMN killmails.dropped_value IS 'ISK value of what dropped, from zKillboard.';
COMMENT ON COLUMN killmails.destroyed_value IS 'ISK value of what was destroyed, from zKillboard.';
COMMENT ON COLUMN killmails.total_value IS 'ISK value of everything, from zKillboard; NULL when no source gave it.';
COMMENT ON COLUMN killmails.total_droppable_value IS 'ISK value of what could have dropped, from zKillboard.';
COMMENT ON COLUMN killmails.points IS 'zKillboard''s points.';
COMMENT ON COLUMN killmails.stored_at IS 'When this row was first written.';
COMMENT ON COLUMN killmails.updated_at IS 'When values, labels, hash or document last changed.';
COMMENT ON COLUMN killmails.attacker_count IS 'How many rows of attackers belong to it.';
COMMENT ON COLUMN killmails.npc IS 'zKillboard''s flag: only NPCs took part. NULL when no source gave it.';
COMMENT ON COLUMN killmails.solo IS 'zKillboard''s flag: exactly one player attacked. NULL when no source gave it.';
COMMENT ON COLUMN killmails.awox IS 'zKillboard''s flag: killed by the own corporation. NULL when no source gave it.';
COMMENT ON COLUMN killmails.pending_names IS 'Names, types or places were still unknown when the document was rendered.';
COMMENT ON COLUMN killmails.hash IS 'ESI''s hash, 40 lower-case hexadecimal digits; NULL when no source gave it.';
COMMENT ON COLUMN killmails.labels IS 'zKillboard''s labels, such as loc:nullsec; NULL when no source gave any.';
COMMENT ON COLUMN killmails.items IS 'Items of the victim as ESI writes them, NULL when there are none; the view killmail_items shows them as rows.';
COMMENT ON COLUMN killmails.document IS 'The canonical JSON of the killmail, names included, items left out.';

COMMENT ON TABLE attackers IS 'One row per attacker of a killmail. Partitioned by year of killmail_time.';
COMMENT ON COLUMN attackers.killmail_id IS 'The killmail; join on killmail_id and killmail_time.';
COMMENT ON COLUMN attackers.killmail_time IS 'When the loss happened, copied from the killmail.';
COMMENT ON COLUMN attackers.character_id IS 'Pilot; NULL for NPCs and structures.';
COMMENT ON COLUMN attackers.corporation_id IS 'Corporation of the attacker.';
COMMENT ON COLUMN attackers.alliance_id IS 'Alliance of the attacker.';
COMMENT ON COLUMN attackers.faction_id IS 'Faction of the attacker.';
COMMENT ON COLUMN attackers.ship_type_id IS 'Ship the attacker flew; see ship_types.';
COMMENT ON COLUMN attackers.ship_group_id IS 'Group of that ship, NULL when the type was unknown on arrival.';
COMMENT ON COLUMN attackers.weapon_type_id IS 'Weapon, or the ship again where none was recorded.';
COMMENT ON COLUMN attackers.damage_done IS 'Hit points of damage done; negative in some historic mails.';
COMMENT ON COLUMN attackers.security_status IS 'Security status of the pilot at the time, -10 to 10.';
COMMENT ON COLUMN attackers.ordinal IS 'Place in the killmail''s list, from 0.';
COMMENT ON COLUMN attackers.final_blow IS 'True for the one who struck last.';

COMMENT ON VIEW killmail_items IS 'One row per stack of items of a killmail, nested ones included.';
COMMENT ON COLUMN killmail_items.killmail_id IS 'The killmail.';
COMMENT ON COLUMN killmail_items.killmail_time IS 'When the loss happened; filter on it to read few partitions.';
COMMENT ON COLUMN killmail_items.item_index IS 'Place in the killmail, from 1, containers before their content.';
COMMENT ON COLUMN killmail_items.parent_index IS 'item_index of the container it was in; NULL for the ship itself.';
COMMENT ON COLUMN killmail_items.item_type_id IS 'Type of the item; see ship_types.';
COMMENT ON COLUMN killmail_items.flag IS 'Slot, cargo hold or bay (CCP''s invFlags).';
COMMENT ON COLUMN killmail_items.singleton IS '0 stackable, 1 single, 2 blueprint copy.';
COMMENT ON COLUMN killmail_items.quantity_dropped IS 'How many dropped.';
COMMENT ON COLUMN killmail_items.quantity_destroyed IS 'How many were destroyed.';
