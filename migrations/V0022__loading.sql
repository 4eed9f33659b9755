-- Years of history that are loaded apart: their indexes are built once, in order, instead of being written to for each
-- killmail in the order of time, which is half of what storing a killmail costs, and all of it once they no longer fit
-- into memory.
--
-- Why this shape:
-- * A schema for each such year, with tables of the same names: with that schema first in the search path, the
--   statements that write history are the same in both places.
-- * Nothing of it is seen before the year is attached, and then all at once. The tables outlive a crash.
-- * Who writes history holds an advisory lock shared until its transaction ends; who begins or ends the loading of a
--   year holds it alone. Nobody else needs to know: killmails that come otherwise make the usual partition, and are
--   taken over when the year is attached.

CREATE FUNCTION begin_loading_year(loaded integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    place     text := 'loading_' || loaded;
    parent    text;
    is_filled boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('wanderer_kills'), hashtext('loading'));
    IF to_regnamespace(place) IS NOT NULL THEN
        RETURN true;
    END IF;
    IF loaded NOT BETWEEN 2003 AND 2099 THEN
        RETURN false;
    END IF;
    IF to_regclass('killmails_' || loaded) IS NOT NULL THEN
        -- Looked at twice: readers and writers are locked out only for a year that seems to be empty.
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', 'killmails_' || loaded) INTO is_filled;
        IF is_filled THEN
            RETURN false;
        END IF;
        LOCK TABLE ONLY killmails, ONLY attackers IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', 'killmails_' || loaded) INTO is_filled;
        IF is_filled THEN
            RETURN false;
        END IF;
        EXECUTE format('DROP TABLE %I, %I', 'killmails_' || loaded, 'attackers_' || loaded);
    END IF;
    EXECUTE format('CREATE SCHEMA %I', place);
    FOREACH parent IN ARRAY ARRAY['killmails', 'attackers'] LOOP
        -- The check spares the look at every row when the table is attached.
        EXECUTE format(
            'CREATE TABLE %I.%I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING COMMENTS, '
            'CONSTRAINT loaded_year CHECK (killmail_time >= %L AND killmail_time < %L))',
            place, parent, parent,
            make_timestamptz(loaded, 1, 1, 0, 0, 0, 'UTC'),
            make_timestamptz(loaded + 1, 1, 1, 0, 0, 0, 'UTC'));
    END LOOP;
    EXECUTE format(
        'ALTER TABLE %I.killmails ADD CONSTRAINT %I PRIMARY KEY (killmail_id, killmail_time)',
        place, 'killmails_' || loaded || '_pkey');
    RETURN true;
END
$$;

CREATE FUNCTION indexes_of_loaded_year(loaded integer) RETURNS TABLE (indexed text, statement text)
LANGUAGE sql STABLE AS $$
    SELECT parent.relname::text, format(
        'CREATE INDEX %I ON %I.%I %s',
        named.relname || '_' || loaded, 'loading_' || loaded, parent.relname, wanted.definition)
    FROM pg_index AS i
    JOIN pg_class AS named ON named.oid = i.indexrelid
    JOIN pg_class AS parent ON parent.oid = i.indrelid
    CROSS JOIN LATERAL (SELECT substring(pg_get_indexdef(i.indexrelid) FROM ' (USING .*)$') AS definition) AS wanted
    WHERE i.indrelid IN ('killmails'::regclass, 'attackers'::regclass)
        AND NOT i.indisprimary
        AND NOT EXISTS (
            SELECT FROM pg_index AS own
            WHERE own.indrelid = to_regclass(format('%I.%I', 'loading_' || loaded, parent.relname))
                AND substring(pg_get_indexdef(own.indexrelid) FROM ' (USING .*)$') = wanted.definition)
    ORDER BY i.indexrelid
$$;

CREATE FUNCTION attach_loaded_year(loaded integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    place  text := 'loading_' || loaded;
    parent text;
    named  text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('wanderer_kills'), hashtext('loading'));
    IF to_regnamespace(place) IS NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('wanderer_kills'), hashtext('partitions'));
    IF to_regclass('killmails_' || loaded) IS NOT NULL THEN
        -- What came otherwise meanwhile has been announced, and changed since: it counts.
        LOCK TABLE ONLY killmails, ONLY attackers IN ACCESS EXCLUSIVE MODE;
        FOREACH parent IN ARRAY ARRAY['attackers', 'killmails'] LOOP
            EXECUTE format(
                'DELETE FROM %I.%I AS l USING %I AS k WHERE l.killmail_id = k.killmail_id',
                place, parent, 'killmails_' || loaded);
            EXECUTE format('INSERT INTO %I.%I SELECT * FROM %I', place, parent, parent || '_' || loaded);
        END LOOP;
        EXECUTE format('DROP TABLE %I, %I', 'killmails_' || loaded, 'attackers_' || loaded);
    END IF;
    EXECUTE format(
        'INSERT INTO statistics_marks (day) '
        'SELECT DISTINCT (killmail_time AT TIME ZONE ''UTC'')::date FROM %I.killmails', place);
    FOREACH parent IN ARRAY ARRAY['killmails', 'attackers'] LOOP
        named := parent || '_' || loaded;
        EXECUTE format('ALTER TABLE %I.%I RENAME TO %I', place, parent, named);
        EXECUTE format(
            'ALTER TABLE %I.%I SET SCHEMA %I', place, named,
            (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = parent::regclass));
        EXECUTE format(
            'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            parent, named,
            make_timestamptz(loaded, 1, 1, 0, 0, 0, 'UTC'),
            make_timestamptz(loaded + 1, 1, 1, 0, 0, 0, 'UTC'));
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT loaded_year', named);
    END LOOP;
    EXECUTE format('DROP SCHEMA %I', place);
    RETURN true;
END
$$;

COMMENT ON FUNCTION begin_loading_year(integer) IS
    'Makes tables apart for a year from 2003 to 2099 that has no killmails yet. False where it has some.';
COMMENT ON FUNCTION indexes_of_loaded_year(integer) IS
    'Statements that build the indexes which the tables of a year that is loaded apart do not have yet, each with its table.';
COMMENT ON FUNCTION attach_loaded_year(integer) IS
    'Makes the tables of a year that was loaded apart its partitions and marks its days for statistics. False where there are none. Indexes that are lacking are built meanwhile.';
