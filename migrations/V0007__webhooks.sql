-- What webhooks need beside a place in the feed and an address: a secret to sign with, a form, the batch that
-- is under way, pauses that say why, and a journal that also holds what is still to be sent.

ALTER TABLE subscriptions RENAME COLUMN disabled_at TO paused_at;

ALTER TABLE subscriptions
    ADD COLUMN paused_reason text,
    ADD COLUMN format        text NOT NULL DEFAULT 'killmail_update'
        CHECK (format IN ('killmail_update', 'events', 'discord')),
    ADD COLUMN secret        bytea,
    ADD COLUMN batch_end     bigint,
    ADD COLUMN created_by    text;

-- Two random uuids make 32 bytes.
UPDATE subscriptions
SET secret = decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');

ALTER TABLE subscriptions
    ALTER COLUMN secret SET NOT NULL,
    ADD CONSTRAINT subscriptions_secret_size CHECK (octet_length(secret) = 32);

CREATE INDEX subscriptions_created ON subscriptions (created_at, subscription_id);

ALTER TABLE webhook_deliveries
    ADD COLUMN kind             text NOT NULL DEFAULT 'events'
        CHECK (kind IN ('events', 'test', 'redelivery', 'skipped')),
    ADD COLUMN outcome          text NOT NULL DEFAULT 'failed'
        CHECK (outcome IN ('queued', 'delivered', 'failed', 'skipped')),
    ADD COLUMN message_id       text NOT NULL DEFAULT '',
    ADD COLUMN solar_system_id  bigint;

UPDATE webhook_deliveries SET outcome = 'delivered' WHERE status BETWEEN 200 AND 299;

CREATE INDEX webhook_deliveries_queued ON webhook_deliveries (delivery_id) WHERE outcome = 'queued';
CREATE INDEX webhook_deliveries_delivered ON webhook_deliveries (subscription_id, last_sequence)
    WHERE outcome = 'delivered';
CREATE INDEX webhook_deliveries_attempted ON webhook_deliveries (attempted_at);

COMMENT ON COLUMN subscriptions.paused_at IS 'When deliveries were paused, by the owner or after failures; NULL while they go on.';
COMMENT ON COLUMN subscriptions.paused_reason IS 'Why deliveries are paused.';
COMMENT ON COLUMN subscriptions.format IS 'The form of the bodies: killmail_update, events or discord.';
COMMENT ON COLUMN subscriptions.secret IS 'The 32 bytes that deliveries are signed with.';
COMMENT ON COLUMN subscriptions.batch_end IS 'Last sequence of the batch under way, so that a retry sends the same messages; NULL between batches.';
COMMENT ON COLUMN subscriptions.created_by IS 'The address that made the subscription.';
COMMENT ON COLUMN subscriptions.updated_at IS 'When its owner last changed, paused or resumed it.';
COMMENT ON TABLE webhook_deliveries IS 'Deliveries to webhook subscriptions: attempts, what is queued, and ranges that were skipped.';
COMMENT ON COLUMN webhook_deliveries.kind IS 'events, test, redelivery, or skipped for a range that was no longer kept.';
COMMENT ON COLUMN webhook_deliveries.outcome IS 'queued, delivered, failed or skipped.';
COMMENT ON COLUMN webhook_deliveries.message_id IS 'The webhook-id of the message, the same for every attempt at it.';
COMMENT ON COLUMN webhook_deliveries.solar_system_id IS 'The system of the message, where its form has one.';
