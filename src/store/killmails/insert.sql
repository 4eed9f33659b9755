INSERT INTO killmails (
    killmail_id, killmail_time, solar_system_id, constellation_id, region_id, security_status, moon_id, war_id,
    victim_character_id, victim_corporation_id, victim_alliance_id, victim_faction_id, ship_type_id,
    ship_group_id, damage_taken, position_x, position_y, position_z, final_blow_character_id,
    final_blow_corporation_id, final_blow_alliance_id, final_blow_ship_type_id, attacker_count, location_id,
    fitted_value, dropped_value, destroyed_value, total_value, total_droppable_value, points, npc, solo, awox,
    labels, hash, pending_names, items, item_stacks, packed_document,
    ship_group_codes)
SELECT
    i.killmail_id, i.killmail_time, i.solar_system_id, i.constellation_id, i.region_id, i.security_status,
    i.moon_id, i.war_id, i.victim_character_id, i.victim_corporation_id, i.victim_alliance_id,
    i.victim_faction_id, i.ship_type_id, i.ship_group_id, i.damage_taken, i.position_x, i.position_y,
    i.position_z, i.final_blow_character_id, i.final_blow_corporation_id, i.final_blow_alliance_id,
    i.final_blow_ship_type_id, i.attacker_count, i.location_id, i.fitted_value, i.dropped_value,
    i.destroyed_value, i.total_value, i.total_droppable_value, i.points, i.npc, i.solo, i.awox,
    string_to_array(i.labels, E'\x1f'), i.hash, i.pending_names, i.items::jsonb,
    i.item_stacks::integer[], i.packed_document, i.ship_group_codes
FROM unnest(
    $1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::double precision[],
    $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
    $14::bigint[], $15::bigint[], $16::double precision[], $17::double precision[], $18::double precision[],
    $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::integer[], $24::bigint[],
    $25::double precision[], $26::double precision[], $27::double precision[], $28::double precision[],
    $29::double precision[], $30::bigint[], $31::boolean[], $32::boolean[], $33::boolean[], $34::text[],
    $35::text[], $36::boolean[], $37::text[], $38::text[], $39::bytea[], $40::bytea[]
) AS i (
    killmail_id, killmail_time, solar_system_id, constellation_id, region_id, security_status, moon_id, war_id,
    victim_character_id, victim_corporation_id, victim_alliance_id, victim_faction_id, ship_type_id,
    ship_group_id, damage_taken, position_x, position_y, position_z, final_blow_character_id,
    final_blow_corporation_id, final_blow_alliance_id, final_blow_ship_type_id, attacker_count, location_id,
    fitted_value, dropped_value, destroyed_value, total_value, total_droppable_value, points, npc, solo, awox,
    labels, hash, pending_names, items, item_stacks, packed_document, ship_group_codes)
ON CONFLICT (killmail_id, killmail_time) DO NOTHING
RETURNING killmail_id
