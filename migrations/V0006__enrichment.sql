-- What enrichment remembers: ids that nobody could name, where reference data came from, values still asked for.
--
-- Why this shape:
-- * unresolved_ids keeps one bad id from costing a request for every killmail that names it, over restarts too.
-- * reference_data has one row a table: what it was loaded from, and how large that was, so that a truncated
--   file is told from a new one.
-- * killmails_without_values holds only killmails from sources that have no values, newest first: the order in
--   which they are asked for.

CREATE TABLE unresolved_ids (
    kind             text        NOT NULL
        CHECK (kind IN ('character', 'corporation', 'alliance', 'faction', 'ship_type', 'solar_system')),
    id               bigint      NOT NULL,
    reason           text        NOT NULL,
    attempts         integer     NOT NULL DEFAULT 1,
    next_attempt_at  timestamptz,
    recorded_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, kind)
);

CREATE TABLE reference_data (
    subject     text        PRIMARY KEY CHECK (subject IN ('ship_types', 'solar_systems', 'names')),
    origin      text        NOT NULL,
    version     text,
    row_count   bigint      NOT NULL,
    loaded_at   timestamptz NOT NULL DEFAULT now(),
    checked_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE value_attempts (
    killmail_id      bigint      PRIMARY KEY,
    attempts         integer     NOT NULL DEFAULT 1,
    next_attempt_at  timestamptz,
    recorded_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX killmails_without_values ON killmails (killmail_time DESC, killmail_id DESC)
    WHERE total_value IS NULL AND npc IS NULL;

-- Systems with kills since a moment, the busiest first.
CREATE FUNCTION active_systems(since timestamptz)
RETURNS TABLE (
    solar_system_id bigint, name text, constellation_id bigint, constellation_name text, region_id bigint,
    region_name text, security_status double precision, kills bigint, total_value double precision,
    last_kill_time timestamptz)
LANGUAGE sql STABLE
AS $$
    SELECT k.solar_system_id, s.name, s.constellation_id, s.constellation_name, s.region_id, s.region_name,
        s.security_status, k.kills, k.total_value, k.last_kill_time
    FROM (
        SELECT solar_system_id, count(*) AS kills, coalesce(sum(total_value), 0) AS total_value,
            max(killmail_time) AS last_kill_time
        FROM killmails
        WHERE killmail_time >= since
        GROUP BY solar_system_id
    ) AS k
    LEFT JOIN solar_systems AS s USING (solar_system_id)
    ORDER BY k.kills DESC, k.solar_system_id
$$;

COMMENT ON TABLE unresolved_ids IS 'Ids that could not be named, and when they are asked for again.';
COMMENT ON COLUMN unresolved_ids.kind IS 'character, corporation, alliance, faction, ship_type or solar_system.';
COMMENT ON COLUMN unresolved_ids.id IS 'The id.';
COMMENT ON COLUMN unresolved_ids.reason IS 'What the answer was.';
COMMENT ON COLUMN unresolved_ids.attempts IS 'How often it was asked for.';
COMMENT ON COLUMN unresolved_ids.next_attempt_at IS 'When to ask next; NULL once given up.';
COMMENT ON COLUMN unresolved_ids.recorded_at IS 'When it first could not be named.';

COMMENT ON TABLE reference_data IS 'Where ship types, solar systems and fixed names were loaded from.';
COMMENT ON COLUMN reference_data.subject IS 'The table: ship_types, solar_systems or names.';
COMMENT ON COLUMN reference_data.origin IS 'The URL or file.';
COMMENT ON COLUMN reference_data.version IS 'Build number or ETag of what was loaded.';
COMMENT ON COLUMN reference_data.row_count IS 'Rows that it had.';
COMMENT ON COLUMN reference_data.loaded_at IS 'When it was loaded.';
COMMENT ON COLUMN reference_data.checked_at IS 'When its origin was last asked for a newer one.';

COMMENT ON TABLE value_attempts IS 'Killmails whose values zKillboard did not have when asked.';
COMMENT ON COLUMN value_attempts.killmail_id IS 'The killmail.';
COMMENT ON COLUMN value_attempts.attempts IS 'How often it was asked for.';
COMMENT ON COLUMN value_attempts.next_attempt_at IS 'When to ask next; NULL once given up.';
COMMENT ON COLUMN value_attempts.recorded_at IS 'When it was first asked for in vain.';

COMMENT ON FUNCTION active_systems(timestamptz) IS 'Systems with kills since a moment, the busiest first.';
