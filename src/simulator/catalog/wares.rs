//! Modules, charges, cargo, containers and implants: what is on board.

/// Where on a ship a thing belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// High slots: weapons, launchers, cloaks.
    High,
    /// Medium slots: shields, propulsion, tackle.
    Medium,
    /// Low slots: armour, damage and cargo modules.
    Low,
    /// Rig slots.
    Rig,
    /// The drone bay.
    Drone,
    /// The cargo hold, in stacks.
    Cargo,
    /// The cargo hold, with other things inside.
    Container,
    /// The cargo hold, as a copy (`singleton` 2).
    Blueprint,
    /// The pilot's head.
    Implant,
}

/// One type of thing on board.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ware {
    /// Where it belongs.
    pub(crate) place: Place,
    /// The type's id.
    pub(crate) type_id: i64,
    /// Its English name.
    pub(crate) name: &'static str,
    /// Its group's id.
    pub(crate) group_id: i64,
    /// Price of one, ISK.
    pub(crate) price: f64,
}

const fn ware(place: Place, type_id: i64, name: &'static str, group_id: i64, price: f64) -> Ware {
    Ware {
        place,
        type_id,
        name,
        group_id,
        price,
    }
}

/// By place, then by id. Drones stand in [`HULLS`](super::hulls::HULLS) as well where they are lost alone.
#[rustfmt::skip]
pub(crate) const WARES: &[Ware] = &[
    ware(Place::High, 482, "Miner II", 54, 1_350_000.0),
    ware(Place::High, 1_565, "Small EMP Smartbomb II", 72, 1_350_000.0),
    ware(Place::High, 1_877, "Rapid Light Missile Launcher II", 511, 1_350_000.0),
    ware(Place::High, 2_404, "Light Missile Launcher II", 509, 1_350_000.0),
    ware(Place::High, 2_410, "Heavy Missile Launcher II", 510, 1_350_000.0),
    ware(Place::High, 2_420, "Torpedo Launcher II", 508, 1_350_000.0),
    ware(Place::High, 2_889, "200mm AutoCannon II", 55, 1_350_000.0),
    ware(Place::High, 2_913, "425mm AutoCannon II", 55, 1_350_000.0),
    ware(Place::High, 2_961, "1400mm Howitzer Artillery II", 55, 1_350_000.0),
    ware(Place::High, 2_969, "720mm Howitzer Artillery II", 55, 1_350_000.0),
    ware(Place::High, 3_033, "Small Focused Beam Laser II", 53, 1_350_000.0),
    ware(Place::High, 3_057, "Mega Pulse Laser II", 53, 1_350_000.0),
    ware(Place::High, 3_082, "250mm Railgun II", 74, 1_350_000.0),
    ware(Place::High, 3_090, "425mm Railgun II", 74, 1_350_000.0),
    ware(Place::High, 3_146, "Heavy Neutron Blaster II", 74, 1_350_000.0),
    ware(Place::High, 3_178, "Light Neutron Blaster II", 74, 1_350_000.0),
    ware(Place::High, 3_285, "Quad Light Beam Laser II", 53, 1_350_000.0),
    ware(Place::High, 3_520, "Heavy Pulse Laser II", 53, 1_350_000.0),
    ware(Place::High, 4_258, "Core Probe Launcher II", 481, 1_350_000.0),
    ware(Place::High, 10_631, "Rocket Launcher II", 507, 1_350_000.0),
    ware(Place::High, 11_578, "Covert Ops Cloaking Device II", 330, 6_900_000.0),
    ware(Place::High, 19_739, "Cruise Missile Launcher II", 506, 1_350_000.0),
    ware(Place::High, 21_096, "Cynosural Field Generator I", 658, 1_350_000.0),
    ware(Place::High, 22_782, "Interdiction Sphere Launcher I", 589, 1_350_000.0),
    ware(Place::High, 25_715, "Heavy Assault Missile Launcher II", 771, 1_350_000.0),
    ware(Place::High, 25_861, "Salvager I", 1_122, 1_350_000.0),
    ware(Place::High, 28_758, "Sisters Core Probe Launcher", 481, 21_000_000.0),
    ware(Place::High, 35_921, "Standup Anticapital Missile Launcher I", 1_327, 42_000_000.0),
    ware(Place::High, 37_302, "Ion Siege Blaster II", 74, 95_000_000.0),
    ware(Place::Medium, 438, "1MN Afterburner II", 46, 1_600_000.0),
    ware(Place::Medium, 440, "5MN Microwarpdrive II", 46, 1_600_000.0),
    ware(Place::Medium, 448, "Warp Scrambler II", 52, 1_600_000.0),
    ware(Place::Medium, 527, "Stasis Webifier II", 65, 1_600_000.0),
    ware(Place::Medium, 1_952, "Sensor Booster II", 212, 1_600_000.0),
    ware(Place::Medium, 1_978, "Tracking Computer II", 213, 1_600_000.0),
    ware(Place::Medium, 2_281, "Multispectrum Shield Hardener II", 77, 1_600_000.0),
    ware(Place::Medium, 3_244, "Warp Disruptor II", 52, 1_600_000.0),
    ware(Place::Medium, 3_831, "Medium Shield Extender II", 38, 1_600_000.0),
    ware(Place::Medium, 3_841, "Large Shield Extender II", 38, 1_600_000.0),
    ware(Place::Medium, 12_076, "50MN Microwarpdrive II", 46, 1_600_000.0),
    ware(Place::Medium, 12_084, "500MN Microwarpdrive II", 46, 1_600_000.0),
    ware(Place::Low, 519, "Gyrostabilizer II", 59, 1_150_000.0),
    ware(Place::Low, 1_183, "Small Armor Repairer II", 62, 1_150_000.0),
    ware(Place::Low, 1_319, "Expanded Cargohold II", 765, 1_150_000.0),
    ware(Place::Low, 1_447, "Capacitor Power Relay II", 767, 1_150_000.0),
    ware(Place::Low, 2_048, "Damage Control II", 60, 1_150_000.0),
    ware(Place::Low, 2_364, "Heat Sink II", 205, 1_150_000.0),
    ware(Place::Low, 2_605, "Nanofiber Internal Structure II", 763, 1_150_000.0),
    ware(Place::Low, 3_540, "Large Armor Repairer II", 62, 1_150_000.0),
    ware(Place::Low, 10_190, "Magnetic Field Stabilizer II", 302, 1_150_000.0),
    ware(Place::Low, 10_998, "Warp Core Stabilizer I", 315, 1_150_000.0),
    ware(Place::Low, 11_269, "Multispectrum Energized Membrane II", 326, 1_150_000.0),
    ware(Place::Low, 20_353, "1600mm Steel Plates II", 329, 4_100_000.0),
    ware(Place::Low, 22_291, "Ballistic Control System II", 367, 1_150_000.0),
    ware(Place::Low, 41_500, "Capital Armor Repairer II", 62, 48_000_000.0),
    ware(Place::Low, 47_911, "Entropic Radiation Sink II", 1_988, 14_000_000.0),
    ware(Place::Rig, 25_894, "Large Trimark Armor Pump I", 773, 7_900_000.0),
    ware(Place::Rig, 31_055, "Medium Trimark Armor Pump I", 773, 1_900_000.0),
    ware(Place::Rig, 31_788, "Small Core Defense Field Extender I", 774, 1_900_000.0),
    ware(Place::Rig, 31_790, "Medium Core Defense Field Extender I", 774, 1_900_000.0),
    ware(Place::Drone, 2_185, "Hammerhead II", 100, 620_000.0),
    ware(Place::Drone, 2_446, "Ogre II", 100, 620_000.0),
    ware(Place::Drone, 2_456, "Hobgoblin II", 100, 620_000.0),
    ware(Place::Drone, 2_488, "Warrior II", 100, 620_000.0),
    ware(Place::Cargo, 34, "Tritanium", 18, 4.50),
    ware(Place::Cargo, 35, "Pyerite", 18, 21.30),
    ware(Place::Cargo, 2_508, "Nova Torpedo", 89, 820.50),
    ware(Place::Cargo, 2_512, "Mjolnir Rocket", 387, 820.50),
    ware(Place::Cargo, 2_629, "Scourge Fury Heavy Missile", 655, 820.50),
    ware(Place::Cargo, 11_287, "Cap Booster 400", 87, 820.50),
    ware(Place::Cargo, 12_608, "Hail S", 372, 820.50),
    ware(Place::Cargo, 12_814, "Conflagration M", 375, 820.50),
    ware(Place::Cargo, 16_272, "Heavy Water", 423, 95.70),
    ware(Place::Cargo, 16_273, "Liquid Ozone", 423, 180.25),
    ware(Place::Cargo, 16_274, "Helium Isotopes", 423, 760.40),
    ware(Place::Cargo, 21_898, "Republic Fleet EMP S", 83, 820.50),
    ware(Place::Cargo, 22_778, "Warp Disrupt Probe", 548, 820.50),
    ware(Place::Cargo, 23_025, "Caldari Navy Antimatter Charge M", 85, 820.50),
    ware(Place::Cargo, 28_668, "Nanite Repair Paste", 916, 31_000.0),
    ware(Place::Cargo, 30_013, "Core Scanner Probe I", 479, 820.50),
    ware(Place::Cargo, 40_520, "Large Skill Injector", 1_739, 920_000_000.0),
    ware(Place::Cargo, 44_992, "PLEX", 1_875, 5_600_000.0),
    ware(Place::Cargo, 62_516, "Compressed Veldspar", 462, 1_600.0),
    ware(Place::Container, 3_293, "Medium Standard Container", 12, 48_000.0),
    ware(Place::Container, 3_467, "Small Secure Container", 340, 48_000.0),
    ware(Place::Container, 11_489, "Giant Secure Container", 340, 48_000.0),
    ware(Place::Container, 24_445, "Giant Freight Container", 649, 1_150_000.0),
    ware(Place::Blueprint, 688, "Raven Blueprint", 107, 0.01),
    ware(Place::Blueprint, 691, "Rifter Blueprint", 105, 0.01),
    ware(Place::Implant, 10_208, "Memory Augmentation - Standard", 745, 2_400_000.0),
    ware(Place::Implant, 10_216, "Ocular Filter - Standard", 745, 2_400_000.0),
    ware(Place::Implant, 20_499, "High-grade Amulet Alpha", 300, 310_000_000.0),
];
