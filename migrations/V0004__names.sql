-- What ids mean: names of participants, types with group and category, systems with constellation and region.
-- Kept here so that a restart asks no upstream for what was known before, and for joins in SQL.

CREATE TABLE names (
    kind        text        NOT NULL CHECK (kind IN ('character', 'corporation', 'alliance', 'faction')),
    id          bigint      NOT NULL,
    name        text        NOT NULL,
    ticker      text,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, kind)
);

CREATE TABLE ship_types (
    type_id        bigint      PRIMARY KEY,
    name           text        NOT NULL,
    group_id       bigint      NOT NULL,
    group_name     text        NOT NULL,
    category_id    bigint      NOT NULL,
    category_name  text        NOT NULL,
    published      boolean     NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ship_types_group ON ship_types (group_id);

CREATE TABLE solar_systems (
    solar_system_id     bigint           PRIMARY KEY,
    name                text             NOT NULL,
    constellation_id    bigint           NOT NULL,
    constellation_name  text             NOT NULL,
    region_id           bigint           NOT NULL,
    region_name         text             NOT NULL,
    security_status     double precision NOT NULL,
    wormhole_class      bigint,
    updated_at          timestamptz      NOT NULL DEFAULT now()
);
CREATE INDEX solar_systems_constellation ON solar_systems (constellation_id);
CREATE INDEX solar_systems_region ON solar_systems (region_id);

COMMENT ON TABLE names IS 'Names of characters, corporations, alliances and factions.';
COMMENT ON COLUMN names.kind IS 'character, corporation, alliance or faction.';
COMMENT ON COLUMN names.id IS 'The id the name belongs to.';
COMMENT ON COLUMN names.name IS 'The full name.';
COMMENT ON COLUMN names.ticker IS 'Ticker of a corporation or alliance, without brackets.';
COMMENT ON COLUMN names.updated_at IS 'When the name was last confirmed.';

COMMENT ON TABLE ship_types IS 'Every type that killmails name: ships, structures, modules, charges.';
COMMENT ON COLUMN ship_types.type_id IS 'The type.';
COMMENT ON COLUMN ship_types.name IS 'Its English name.';
COMMENT ON COLUMN ship_types.group_id IS 'Its group, such as 25, frigates.';
COMMENT ON COLUMN ship_types.group_name IS 'English name of the group.';
COMMENT ON COLUMN ship_types.category_id IS 'The group''s category; 6 is ships.';
COMMENT ON COLUMN ship_types.category_name IS 'English name of the category.';
COMMENT ON COLUMN ship_types.published IS 'Whether players can own it.';
COMMENT ON COLUMN ship_types.updated_at IS 'When it was last written.';

COMMENT ON TABLE solar_systems IS 'Solar systems with constellation and region.';
COMMENT ON COLUMN solar_systems.solar_system_id IS 'The system.';
COMMENT ON COLUMN solar_systems.name IS 'Its name.';
COMMENT ON COLUMN solar_systems.constellation_id IS 'Its constellation.';
COMMENT ON COLUMN solar_systems.constellation_name IS 'Name of the constellation.';
COMMENT ON COLUMN solar_systems.region_id IS 'Its region.';
COMMENT ON COLUMN solar_systems.region_name IS 'Name of the region.';
COMMENT ON COLUMN solar_systems.security_status IS 'Security status in full precision, -1 to 1.';
COMMENT ON COLUMN solar_systems.wormhole_class IS 'Wormhole class, where it has one.';
COMMENT ON COLUMN solar_systems.updated_at IS 'When it was last written.';
