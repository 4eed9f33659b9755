//! What a lost hull of each group is worth, and what it bears.

/// The figures of one group, typical rather than exact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Class {
    /// The group's id.
    pub(crate) group_id: i64,
    /// Price of a hull, ISK.
    pub(crate) price: f64,
    /// Hit points of all layers together.
    pub(crate) hit_points: i64,
    /// High, medium, low and rig slots.
    pub(crate) slots: [usize; 4],
}

const fn class(group_id: i64, price: f64, hit_points: i64, slots: [usize; 4]) -> Class {
    Class {
        group_id,
        price,
        hit_points,
        slots,
    }
}

/// Every group of [`HULLS`](super::hulls::HULLS).
#[rustfmt::skip]
pub(crate) const CLASSES: &[Class] = &[
    class(29, 10_000.0, 500, [0, 0, 0, 0]), // Capsule
    class(237, 12_000.0, 900, [2, 2, 1, 0]), // Corvette
    class(31, 20_000.0, 400, [0, 0, 0, 0]), // Shuttle
    class(25, 600_000.0, 2_600, [3, 3, 3, 3]), // Frigate
    class(420, 2_500_000.0, 4_800, [7, 3, 3, 3]), // Destroyer
    class(26, 14_000_000.0, 12_000, [5, 4, 5, 3]), // Cruiser
    class(419, 62_000_000.0, 38_000, [7, 5, 5, 3]), // Combat Battlecruiser
    class(1_201, 85_000_000.0, 22_000, [8, 5, 4, 3]), // Attack Battlecruiser
    class(27, 230_000_000.0, 75_000, [7, 5, 6, 3]), // Battleship
    class(831, 28_000_000.0, 4_200, [4, 3, 3, 2]), // Interceptor
    class(541, 62_000_000.0, 9_500, [7, 4, 3, 2]), // Interdictor
    class(834, 34_000_000.0, 3_800, [5, 3, 3, 2]), // Stealth Bomber
    class(830, 26_000_000.0, 3_400, [3, 5, 3, 2]), // Covert Ops
    class(324, 32_000_000.0, 8_500, [4, 4, 4, 2]), // Assault Frigate
    class(358, 240_000_000.0, 42_000, [6, 5, 5, 2]), // Heavy Assault Cruiser
    class(906, 260_000_000.0, 34_000, [4, 6, 4, 2]), // Combat Recon Ship
    class(833, 250_000_000.0, 28_000, [4, 7, 3, 2]), // Force Recon Ship
    class(894, 300_000_000.0, 52_000, [4, 5, 4, 2]), // Heavy Interdiction Cruiser
    class(963, 260_000_000.0, 70_000, [6, 5, 5, 3]), // Strategic Cruiser
    class(832, 210_000_000.0, 36_000, [5, 5, 4, 2]), // Logistics
    class(540, 390_000_000.0, 90_000, [6, 5, 5, 2]), // Command Ship
    class(900, 1_600_000_000.0, 110_000, [7, 6, 5, 2]), // Marauder
    class(898, 1_200_000_000.0, 60_000, [5, 5, 5, 2]), // Black Ops
    class(1_305, 52_000_000.0, 12_000, [6, 4, 3, 3]), // Tactical Destroyer
    class(28, 1_600_000.0, 6_800, [2, 4, 4, 3]), // Hauler
    class(380, 190_000_000.0, 60_000, [2, 5, 3, 2]), // Deep Space Transport
    class(1_202, 160_000_000.0, 9_000, [2, 4, 3, 2]), // Blockade Runner
    class(513, 1_500_000_000.0, 320_000, [0, 0, 3, 0]), // Freighter
    class(902, 8_500_000_000.0, 420_000, [0, 0, 3, 0]), // Jump Freighter
    class(463, 38_000_000.0, 16_000, [2, 3, 3, 3]), // Mining Barge
    class(543, 260_000_000.0, 26_000, [2, 4, 3, 2]), // Exhumer
    class(941, 620_000_000.0, 120_000, [6, 5, 2, 3]), // Industrial Command Ship
    class(883, 4_200_000_000.0, 900_000, [8, 7, 3, 3]), // Capital Industrial Ship
    class(485, 3_100_000_000.0, 2_100_000, [4, 5, 6, 3]), // Dreadnought
    class(1_538, 2_400_000_000.0, 1_900_000, [5, 5, 6, 3]), // Force Auxiliary
    class(547, 2_300_000_000.0, 1_600_000, [5, 5, 6, 3]), // Carrier
    class(659, 24_000_000_000.0, 9_500_000, [6, 6, 6, 3]), // Supercarrier
    class(30, 110_000_000_000.0, 22_000_000, [8, 7, 6, 3]), // Titan
    class(1_657, 1_900_000_000.0, 18_000_000, [6, 5, 4, 3]), // Citadel
    class(1_404, 1_300_000_000.0, 9_000_000, [3, 3, 2, 3]), // Engineering Complex
    class(1_406, 1_600_000_000.0, 9_500_000, [3, 3, 2, 3]), // Refinery
    class(1_408, 2_100_000_000.0, 4_000_000, [0, 1, 1, 0]), // Upwell Jump Bridge
    class(2_017, 950_000_000.0, 3_000_000, [0, 1, 1, 0]), // Upwell Cyno Beacon
    class(1_250, 9_500_000.0, 60_000, [0, 0, 0, 0]), // Mobile Tractor Unit
    class(1_246, 1_400_000.0, 40_000, [0, 0, 0, 0]), // Mobile Depot
    class(361, 7_800_000.0, 55_000, [0, 0, 0, 0]), // Mobile Warp Disruptor
    class(1_249, 61_000_000.0, 180_000, [0, 0, 0, 0]), // Mobile Cyno Inhibitor
    class(365, 210_000_000.0, 28_000_000, [0, 0, 0, 0]), // Control Tower
    class(1_025, 48_000_000.0, 11_000_000, [0, 0, 0, 0]), // Orbital Infrastructure
    class(1_652, 6_200_000.0, 9_000, [0, 0, 0, 0]), // Light Fighter
    class(100, 650_000.0, 900, [0, 0, 0, 0]), // Combat Drone
];
