-- The attackers of a killmail in one entry of an index, which takes the place of their key (see the next migration).
--
-- Why this shape:
-- * A migration of its own: the table is read while the index is built, and only then given up for a moment.

CREATE INDEX attackers_killmail ON attackers (killmail_id);

COMMENT ON INDEX attackers_killmail IS 'The attackers of a killmail.';
