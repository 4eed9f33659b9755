-- What is known of the past of single systems, regions, characters, corporations and alliances, and whose past
-- is wanted: written by whoever wants it, worked off by the preloader, which stores here how far it has read,
-- so that a restart goes on there. And since when a live source has been followed without a break, which is
-- what makes a past known without asking anybody.

ALTER TABLE source_cursors ADD COLUMN followed_since timestamptz;

CREATE TABLE history_wishes (
    kind             text        NOT NULL
        CHECK (kind IN ('system', 'region', 'character', 'corporation', 'alliance')),
    entity_id        bigint      NOT NULL CHECK (entity_id > 0),
    state            text        NOT NULL CHECK (state IN ('requested', 'running', 'complete', 'failed')),
    requested_by     text        NOT NULL CHECK (requested_by IN ('api', 'configured', 'subscription', 'operator')),
    requested_at     timestamptz NOT NULL,
    wanted_from      timestamptz NOT NULL,
    known_from       timestamptz,
    known_until      timestamptz,
    truncated        boolean     NOT NULL DEFAULT false,
    attempts         integer     NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz NOT NULL,
    last_error       text,
    walk_from        timestamptz,
    walk_as_of       timestamptz,
    walk_oldest      timestamptz,
    walk_month       date,
    walk_page        integer     NOT NULL DEFAULT 1,
    walk_pages       integer     NOT NULL DEFAULT 0,
    pages_read       bigint      NOT NULL DEFAULT 0,
    killmails_new    bigint      NOT NULL DEFAULT 0,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (kind, entity_id),
    CHECK ((known_from IS NULL) = (known_until IS NULL)),
    CHECK ((walk_from IS NULL) = (walk_as_of IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX history_wishes_open ON history_wishes (next_attempt_at) WHERE state IN ('requested', 'running');

COMMENT ON COLUMN source_cursors.followed_since IS 'Since when the source has been read without skipping anything; NULL before the first position.';

COMMENT ON TABLE history_wishes IS 'Whose past is wanted from zKillboard, and what is known of it.';
COMMENT ON COLUMN history_wishes.kind IS 'system, region, character, corporation or alliance.';
COMMENT ON COLUMN history_wishes.entity_id IS 'The id of the system, region, character, corporation or alliance.';
COMMENT ON COLUMN history_wishes.state IS 'requested, running once something was read, complete, or failed when it was given up.';
COMMENT ON COLUMN history_wishes.requested_by IS 'Who wanted it last: api, configured, subscription or operator.';
COMMENT ON COLUMN history_wishes.requested_at IS 'Since when it is wanted; of the last wish where there were several.';
COMMENT ON COLUMN history_wishes.wanted_from IS 'The beginning of the widest span that was wanted.';
COMMENT ON COLUMN history_wishes.known_from IS 'From this time on the past is stored; NULL before anything was read to its end.';
COMMENT ON COLUMN history_wishes.known_until IS 'Up to this time the past is stored.';
COMMENT ON COLUMN history_wishes.truncated IS 'There were more killmails than are read for one wish: known_from is later than wanted_from.';
COMMENT ON COLUMN history_wishes.attempts IS 'Failed attempts in a row.';
COMMENT ON COLUMN history_wishes.next_attempt_at IS 'Not before this time the next page is asked for.';
COMMENT ON COLUMN history_wishes.last_error IS 'Why the last attempt failed; NULL after one that worked.';
COMMENT ON COLUMN history_wishes.walk_from IS 'The time down to which the present reading goes; NULL while none is under way.';
COMMENT ON COLUMN history_wishes.walk_as_of IS 'The oldest age of the lists of the present reading: what is newer is not promised by it.';
COMMENT ON COLUMN history_wishes.walk_oldest IS 'The oldest kill that the present reading has found.';
COMMENT ON COLUMN history_wishes.walk_month IS 'The month whose list is read; NULL for the list of the last seconds.';
COMMENT ON COLUMN history_wishes.walk_page IS 'The page to ask for next.';
COMMENT ON COLUMN history_wishes.walk_pages IS 'Pages that the present reading has taken.';
COMMENT ON COLUMN history_wishes.pages_read IS 'Pages read for this entity, ever.';
COMMENT ON COLUMN history_wishes.killmails_new IS 'Killmails that were stored through them and not known before.';
COMMENT ON COLUMN history_wishes.updated_at IS 'When this row last changed; who was served longest ago is served next.';
