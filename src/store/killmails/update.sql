UPDATE killmails AS k
SET hash = u.hash,
    location_id = u.location_id,
    fitted_value = u.fitted_value,
    dropped_value = u.dropped_value,
    destroyed_value = u.destroyed_value,
    total_value = u.total_value,
    total_droppable_value = u.total_droppable_value,
    points = u.points,
    npc = u.npc,
    solo = u.solo,
    awox = u.awox,
    labels = string_to_array(u.labels, E'\x1f'),
    document = NULL,
    packed_document = u.packed_document,
    updated_at = now()
FROM unnest(
    $1::bigint[], $2::timestamptz[], $3::text[], $4::bigint[], $5::double precision[], $6::double precision[],
    $7::double precision[], $8::double precision[], $9::double precision[], $10::bigint[], $11::boolean[],
    $12::boolean[], $13::boolean[], $14::text[], $15::bytea[]
) AS u (
    killmail_id, killmail_time, hash, location_id, fitted_value, dropped_value, destroyed_value, total_value,
    total_droppable_value, points, npc, solo, awox, labels, packed_document)
WHERE k.killmail_id = u.killmail_id AND k.killmail_time = u.killmail_time
