//! NPC ships, corporations and factions.

/// One NPC ship with the organisation it flies for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NpcShip {
    /// The type's id.
    pub(crate) type_id: i64,
    /// Its English name.
    pub(crate) name: &'static str,
    /// Its group's id.
    pub(crate) group_id: i64,
    /// The faction it flies for, 0 for none.
    pub(crate) faction_id: i64,
    /// The corporation it flies for, 0 for none.
    pub(crate) corporation_id: i64,
}

const fn ship(
    type_id: i64,
    name: &'static str,
    group_id: i64,
    faction_id: i64,
    corporation_id: i64,
) -> NpcShip {
    NpcShip {
        type_id,
        name,
        group_id,
        faction_id,
        corporation_id,
    }
}

/// CONCORD's ships, which end every gank in high security space, stand last.
#[rustfmt::skip]
pub(crate) const NPC_SHIPS: &[NpcShip] = &[
    ship(10_284, "Serpentis Watchman", 572, 500_020, 1_000_135),
    ship(11_917, "Serpentis Chief Guard", 571, 500_020, 1_000_135),
    ship(2_386, "Guristas Plunderer", 562, 500_010, 1_000_127),
    ship(11_027, "Guristas Infiltrator", 562, 500_010, 1_000_127),
    ship(11_929, "Guristas Nullifier", 561, 500_010, 1_000_127),
    ship(11_033, "Sansha's Enslaver", 567, 500_019, 0),
    ship(11_024, "Angel Impaler", 550, 500_011, 0),
    ship(16_877, "Gistii Hijacker", 597, 500_011, 1_000_133),
    ship(16_890, "Arch Gistii Hijacker", 597, 500_011, 1_000_133),
    ship(13_323, "Rogue Drone", 287, 500_025, 1_000_287),
    ship(48_090, "Starving Damavik", 1_982, 500_026, 1_000_298),
    ship(48_236, "Ephialtes Spearfisher", 1_982, 500_024, 1_000_274),
    ship(30_199, "Sleepless Guardian", 959, 0, 0),
    ship(34_495, "Drifter Battleship", 1_310, 500_024, 1_000_274),
    ship(3_885, "CONCORD Police Captain", 301, 500_006, 1_000_125),
    ship(11_125, "CONCORD Police Commander", 301, 500_006, 1_000_125),
];

/// Id and name of factions.
pub(crate) const FACTIONS: &[(i64, &str)] = &[
    (500_001, "Caldari State"),
    (500_002, "Minmatar Republic"),
    (500_003, "Amarr Empire"),
    (500_004, "Gallente Federation"),
    (500_006, "CONCORD Assembly"),
    (500_010, "Guristas Pirates"),
    (500_011, "Angel Cartel"),
    (500_012, "Blood Raider Covenant"),
    (500_019, "Sansha's Nation"),
    (500_020, "Serpentis"),
    (500_024, "Drifters"),
    (500_025, "Rogue Drones"),
    (500_026, "Triglavian Collective"),
    (500_027, "EDENCOM"),
];

/// Id and name of NPC corporations, with the faction they belong to.
#[rustfmt::skip]
pub(crate) const NPC_CORPORATIONS: &[(i64, &str, i64)] = &[
    (1_000_044, "School of Applied Knowledge", 500_001),
    (1_000_045, "Science and Trade Institute", 500_001),
    (1_000_046, "Sebiestor Tribe", 500_002),
    (1_000_077, "Royal Amarr Institute", 500_003),
    (1_000_107, "The Scope", 500_004),
    (1_000_115, "University of Caille", 500_004),
    (1_000_125, "CONCORD", 500_006),
    (1_000_127, "Guristas", 500_010),
    (1_000_133, "Salvation Angels", 500_011),
    (1_000_134, "Blood Raiders", 500_012),
    (1_000_135, "Serpentis Corporation", 500_020),
    (1_000_137, "DED", 500_006),
    (1_000_161, "True Creations", 500_019),
    (1_000_165, "Hedion University", 500_003),
    (1_000_166, "Imperial Academy", 500_003),
    (1_000_167, "State War Academy", 500_001),
    (1_000_168, "Federal Navy Academy", 500_004),
    (1_000_169, "Center for Advanced Studies", 500_004),
    (1_000_170, "Republic Military School", 500_002),
    (1_000_171, "Republic University", 500_002),
    (1_000_172, "Pator Tech School", 500_002),
    (1_000_179, "24th Imperial Crusade", 500_003),
    (1_000_180, "State Protectorate", 500_001),
    (1_000_181, "Federal Defense Union", 500_004),
    (1_000_182, "Tribal Liberation Force", 500_002),
    (1_000_274, "Vigilant Tyrannos", 500_024),
    (1_000_287, "Infested Regions Hiveminds", 500_025),
    (1_000_298, "The Convocation of Triglav", 500_026),
];
