-- Attackers without a key of their own: it was a fifth of the bytes of their indexes.
--
-- Why this shape:
-- * They are written together with their killmail and never again, so its key keeps them from being there twice.

ALTER TABLE attackers DROP CONSTRAINT attackers_pkey;
