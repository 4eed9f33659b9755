-- A batch has a number of its own. It is in the ids of the batch's messages, so that they are the same however
-- often they are sent, and whoever writes down how a batch went names it, so that nobody writes about another.

ALTER TABLE subscriptions ADD COLUMN batch bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN subscriptions.batch IS 'Counts the batches that were begun or given up; the number of the one under way while batch_end is set.';
