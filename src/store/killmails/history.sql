-- Newest first: each system and character contributes its newest killmails by index, each at most a page, and
-- the newest of all of them are the page.
-- $1 systems, $2 characters, $3 least value, $4 since, ($5, $6) before, $7 limit, $8 whether everything is wanted.
SELECT k.solar_system_id AS "solar_system_id!", k.killmail_id AS "killmail_id!",
    k.killmail_time AS "killmail_time!", k.document AS "document!: Document"
FROM (
    SELECT killmail_id, killmail_time
    FROM (
        SELECT n.killmail_id, n.killmail_time
        FROM unnest($1::bigint[]) AS s (id)
        CROSS JOIN LATERAL (
            SELECT killmail_id, killmail_time FROM killmails
            WHERE solar_system_id = s.id AND killmail_time >= $4 AND (killmail_time, killmail_id) < ($5, $6)
                AND ($3::double precision IS NULL OR total_value >= $3)
            ORDER BY killmail_time DESC, killmail_id DESC
            LIMIT $7
        ) AS n
        UNION
        SELECT n.killmail_id, n.killmail_time
        FROM unnest($2::bigint[]) AS c (id)
        CROSS JOIN LATERAL (
            SELECT killmail_id, killmail_time FROM killmails
            WHERE victim_character_id = c.id AND killmail_time >= $4
                AND (killmail_time, killmail_id) < ($5, $6)
                AND ($3::double precision IS NULL OR total_value >= $3)
            ORDER BY killmail_time DESC, killmail_id DESC
            LIMIT $7
        ) AS n
        UNION
        SELECT n.killmail_id, n.killmail_time
        FROM unnest($2::bigint[]) AS c (id)
        CROSS JOIN LATERAL (
            SELECT DISTINCT a.killmail_time, a.killmail_id FROM attackers AS a
            WHERE a.character_id = c.id AND a.killmail_time >= $4
                AND (a.killmail_time, a.killmail_id) < ($5, $6)
                AND ($3::double precision IS NULL OR EXISTS (
                    SELECT FROM killmails AS v
                    WHERE v.killmail_id = a.killmail_id AND v.killmail_time = a.killmail_time
                        AND v.total_value >= $3))
            ORDER BY a.killmail_time DESC, a.killmail_id DESC
            LIMIT $7
        ) AS n
        UNION
        (
            SELECT killmail_id, killmail_time FROM killmails
            WHERE $8 AND killmail_time >= $4 AND (killmail_time, killmail_id) < ($5, $6)
                AND ($3::double precision IS NULL OR total_value >= $3)
            ORDER BY killmail_time DESC, killmail_id DESC
            LIMIT $7
        )
    ) AS wanted
    ORDER BY killmail_time DESC, killmail_id DESC
    LIMIT $7
) AS w
CROSS JOIN LATERAL (
    SELECT solar_system_id, killmail_id, killmail_time,
        coalesce(packed_document, convert_to(document, 'UTF8')) AS document
    FROM killmails
    WHERE killmail_id = w.killmail_id AND killmail_time = w.killmail_time
    LIMIT 1
) AS k
ORDER BY w.killmail_time DESC, w.killmail_id DESC
