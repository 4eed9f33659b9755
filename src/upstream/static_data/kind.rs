//! The tables that are read, and how their files name them.

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    ShipTypes,
    Groups,
    Categories,
    SolarSystems,
    Constellations,
    Regions,
    Factions,
    NpcCorporations,
    /// CSV only: the wormhole class of a region, constellation or system.
    WormholeClasses,
}

/// How files name a table and its columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) kind: Kind,
    /// The file's name in CCP's export, without `.jsonl`.
    pub(super) export: Option<&'static str>,
    /// One row, in words: `type`.
    pub(super) noun: &'static str,
    /// The column of ids.
    pub(super) id: &'static str,
    /// The column of names.
    pub(super) name: Option<&'static str>,
    /// The column of the id that a row belongs to: a type's group, a system's constellation.
    pub(super) parent: Option<&'static str>,
    /// One more column without which a CSV file is not this table.
    pub(super) also: Option<&'static str>,
}

const fn layout(
    kind: Kind,
    export: &'static str,
    noun: &'static str,
    [id, name]: [&'static str; 2],
    parent: Option<&'static str>,
) -> Layout {
    Layout {
        kind,
        export: Some(export),
        noun,
        id,
        name: Some(name),
        parent,
        also: None,
    }
}

/// Every table. A CSV file is the first one whose columns it has.
#[rustfmt::skip]
pub(super) const LAYOUTS: [Layout; 9] = [
    layout(Kind::ShipTypes, "types", "type", ["typeID", "typeName"], Some("groupID")),
    layout(Kind::Groups, "groups", "group", ["groupID", "groupName"], Some("categoryID")),
    layout(Kind::Categories, "categories", "category", ["categoryID", "categoryName"], None),
    Layout { also: Some(SECURITY), ..layout(Kind::SolarSystems, "mapSolarSystems", "system",
        ["solarSystemID", "solarSystemName"], Some("constellationID")) },
    layout(Kind::Constellations, "mapConstellations", "constellation",
        ["constellationID", "constellationName"], Some("regionID")),
    layout(Kind::Regions, "mapRegions", "region", ["regionID", "regionName"], None),
    layout(Kind::Factions, "factions", "faction", ["factionID", "factionName"], None),
    layout(Kind::NpcCorporations, "npcCorporations", "corporation", ["corporationID", "corporationName"], None),
    Layout { kind: Kind::WormholeClasses, export: None, noun: "location", id: "locationID", name: None, parent: None,
        also: Some(WORMHOLE_CLASS) },
];

/// Security status of a system.
pub(super) const SECURITY: &str = "security";
/// Wormhole class of a location.
pub(super) const WORMHOLE_CLASS: &str = "wormholeClassID";

impl Kind {
    /// How files name it.
    pub(super) fn layout(self) -> Layout {
        let [
            types,
            groups,
            categories,
            systems,
            constellations,
            regions,
            factions,
            corporations,
            classes,
        ] = LAYOUTS;
        match self {
            Self::ShipTypes => types,
            Self::Groups => groups,
            Self::Categories => categories,
            Self::SolarSystems => systems,
            Self::Constellations => constellations,
            Self::Regions => regions,
            Self::Factions => factions,
            Self::NpcCorporations => corporations,
            Self::WormholeClasses => classes,
        }
    }

    /// The table that a file of CCP's export holds.
    pub(super) fn of_export(file: &str) -> Option<Self> {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let stem = name.strip_suffix(".jsonl")?;
        LAYOUTS
            .iter()
            .find(|layout| layout.export == Some(stem))
            .map(|layout| layout.kind)
    }

    /// Groups and categories have a 0 that means something, and types may name it.
    pub(super) fn has_zero(self) -> bool {
        matches!(self, Self::Groups | Self::Categories)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_layout() {
        for layout in LAYOUTS {
            assert_eq!(layout.kind.layout().id, layout.id);
            assert_eq!(layout.kind.layout().kind, layout.kind);
        }
    }

    #[test]
    fn files_of_the_export_are_known_in_any_folder() {
        assert_eq!(Kind::of_export("types.jsonl"), Some(Kind::ShipTypes));
        assert_eq!(Kind::of_export("sde/mapRegions.jsonl"), Some(Kind::Regions));
        assert_eq!(Kind::of_export("typeDogma.jsonl"), None);
        assert_eq!(Kind::of_export("types.yaml"), None);
    }
}
