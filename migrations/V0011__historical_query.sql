-- Indexes for the historical query: every kind of id that may be asked for alone is walked along an index.
--
-- * A constellation has a thousandth of the killmails: without an index of its own its newest fifty lie behind
--   fifty thousand others.
-- * Groups of attackers' ships differ in the same way: there is a titan among a few thousand attackers.
-- * Factions stay without: two dozen share all killmails.

CREATE INDEX killmails_constellation ON killmails (constellation_id, killmail_time DESC, killmail_id DESC)
    WHERE constellation_id IS NOT NULL;
CREATE INDEX attackers_ship_group ON attackers (ship_group_id, killmail_time DESC, killmail_id DESC)
    WHERE ship_group_id IS NOT NULL;

COMMENT ON INDEX killmails_constellation IS 'Killmails of a constellation, newest first.';
COMMENT ON INDEX attackers_ship_group IS 'Killmails with an attacker in a group of ships, newest first.';
