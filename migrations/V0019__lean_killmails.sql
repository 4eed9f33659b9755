-- Killmails in two thirds of their bytes: less to keep, to read and to send.
--
-- Why this shape:
-- * packed_document: a document is compressed before it is sent here, with a dictionary that every process brings
--   along (src/store/document). 1.4 kB become 0.5, on disk and on the way back; PostgreSQL's own compression looks at
--   one value alone.
-- * item_stacks: three numbers say what an object of five keys said. What they can't say (a container with something
--   in it, say) stays in items, as ESI writes it. The view shows both as it always did.
-- * Columns of their own beside the old ones: what is stored stays where it is, and no table is written anew while
--   somebody reads it.

ALTER TABLE killmails
    ALTER COLUMN document DROP NOT NULL,
    ADD COLUMN packed_document bytea,
    ADD COLUMN item_stacks integer[];
-- What is compressed is not compressed again.
ALTER TABLE killmails ALTER COLUMN packed_document SET STORAGE EXTERNAL;

DO $$
BEGIN
    IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
        ALTER TABLE killmails ALTER COLUMN item_stacks SET COMPRESSION lz4;
    END IF;
END
$$;

CREATE OR REPLACE VIEW killmail_items AS
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
    SELECT
        place AS item_index,
        NULL::integer AS parent_index,
        stacks.numbers[3 * place - 2]::bigint AS item_type_id,
        (stacks.numbers[3 * place - 1] / 4)::bigint AS flag,
        (stacks.numbers[3 * place - 1] % 4)::bigint AS singleton,
        CASE WHEN stacks.numbers[3 * place] > 0 THEN stacks.numbers[3 * place]::bigint END AS quantity_dropped,
        CASE WHEN stacks.numbers[3 * place] < 0 THEN -stacks.numbers[3 * place]::bigint END AS quantity_destroyed
    -- Put together with nothing, a long array is read once and not for each of its numbers.
    FROM (SELECT k.item_stacks || '{}'::integer[] AS numbers OFFSET 0) AS stacks
    CROSS JOIN LATERAL generate_series(1, cardinality(stacks.numbers) / 3) AS place
    UNION ALL
    SELECT *
    FROM (
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
    ) AS nested
) AS i;

COMMENT ON COLUMN killmails.document IS 'The canonical JSON of the killmail, names included, items left out; NULL where packed_document has it.';
COMMENT ON COLUMN killmails.packed_document IS 'The same as a Zstandard frame with the dictionary that the program brings; NULL in rows of before.';
COMMENT ON COLUMN killmails.items IS 'Items of the victim as ESI writes them, where item_stacks has no room for them; the view killmail_items shows both as rows.';
COMMENT ON COLUMN killmails.item_stacks IS 'Items of the victim, three numbers a stack: type; flag times 4 plus singleton; how many, below 0 where they were destroyed. NULL without items, and where items has them.';
