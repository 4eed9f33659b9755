-- Listeners whose place in the feed is kept here: pollers known by a client id, and webhook subscriptions.

CREATE TABLE killfeed_clients (
    client_id   text        PRIMARY KEY,
    created_at  timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX killfeed_clients_seen ON killfeed_clients (seen_at);

-- One row per client and system in which it has been given something.
CREATE TABLE killfeed_offsets (
    client_id        text   NOT NULL REFERENCES killfeed_clients ON DELETE CASCADE,
    solar_system_id  bigint NOT NULL,
    last_sequence    bigint NOT NULL,
    PRIMARY KEY (client_id, solar_system_id)
) WITH (fillfactor = 80);

CREATE TABLE subscriptions (
    subscription_id  text        PRIMARY KEY,
    subscriber_id    text        NOT NULL,
    callback_url     text,
    filter           jsonb       NOT NULL DEFAULT '{}',
    cursor           bigint      NOT NULL,
    failures         integer     NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz,
    disabled_at      timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX subscriptions_subscriber ON subscriptions (subscriber_id);

CREATE TABLE webhook_deliveries (
    delivery_id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscription_id  text        NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    first_sequence   bigint      NOT NULL,
    last_sequence    bigint      NOT NULL,
    attempt          integer     NOT NULL,
    status           integer,
    error            text,
    attempted_at     timestamptz NOT NULL DEFAULT now(),
    duration_ms      integer
);
CREATE INDEX webhook_deliveries_subscription ON webhook_deliveries (subscription_id, delivery_id DESC);

COMMENT ON TABLE killfeed_clients IS 'Pollers that let the server remember what they have been given.';
COMMENT ON COLUMN killfeed_clients.client_id IS 'The name the client chose.';
COMMENT ON COLUMN killfeed_clients.created_at IS 'When it first asked.';
COMMENT ON COLUMN killfeed_clients.seen_at IS 'When it last asked; forgotten a month after that.';

COMMENT ON TABLE killfeed_offsets IS 'How far each client has been given the events of each system.';
COMMENT ON COLUMN killfeed_offsets.client_id IS 'The client.';
COMMENT ON COLUMN killfeed_offsets.solar_system_id IS 'The system.';
COMMENT ON COLUMN killfeed_offsets.last_sequence IS 'The newest event of that system it has been given.';

COMMENT ON TABLE subscriptions IS 'Webhook subscriptions: a place in the feed, a filter and an address.';
COMMENT ON COLUMN subscriptions.subscription_id IS 'The subscription.';
COMMENT ON COLUMN subscriptions.subscriber_id IS 'Who made it.';
COMMENT ON COLUMN subscriptions.callback_url IS 'Where events are posted; NULL for none.';
COMMENT ON COLUMN subscriptions.filter IS 'What is wanted.';
COMMENT ON COLUMN subscriptions.cursor IS 'The newest feed sequence that was delivered or did not match.';
COMMENT ON COLUMN subscriptions.failures IS 'Failed attempts in a row.';
COMMENT ON COLUMN subscriptions.next_attempt_at IS 'When to try again after a failure.';
COMMENT ON COLUMN subscriptions.disabled_at IS 'When deliveries were given up.';
COMMENT ON COLUMN subscriptions.created_at IS 'When it was made.';
COMMENT ON COLUMN subscriptions.updated_at IS 'When it last changed.';

COMMENT ON TABLE webhook_deliveries IS 'Attempts to deliver events to webhook subscriptions.';
COMMENT ON COLUMN webhook_deliveries.delivery_id IS 'Order of attempts.';
COMMENT ON COLUMN webhook_deliveries.subscription_id IS 'The subscription.';
COMMENT ON COLUMN webhook_deliveries.first_sequence IS 'First feed sequence of the delivery.';
COMMENT ON COLUMN webhook_deliveries.last_sequence IS 'Last feed sequence of the delivery.';
COMMENT ON COLUMN webhook_deliveries.attempt IS 'Which attempt at these events it was, from 1.';
COMMENT ON COLUMN webhook_deliveries.status IS 'HTTP status of the answer; NULL without one.';
COMMENT ON COLUMN webhook_deliveries.error IS 'Why it failed.';
COMMENT ON COLUMN webhook_deliveries.attempted_at IS 'When it was tried.';
COMMENT ON COLUMN webhook_deliveries.duration_ms IS 'Milliseconds until the answer.';
