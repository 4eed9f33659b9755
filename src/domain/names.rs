//! Names of those who take part, and the bundle of look-ups a killmail is rendered with.

use std::collections::HashMap;
use std::sync::Arc;

use super::killmail::Killmail;
use super::{ShipType, SolarSystem};

/// What kind of participant an id is looked up as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntityKind {
    /// A pilot.
    Character,
    /// A corporation, of players or of NPCs.
    Corporation,
    /// An alliance.
    Alliance,
    /// A faction.
    Faction,
}

/// Kind and id together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityKey {
    /// What it is.
    pub kind: EntityKind,
    /// Its id.
    pub id: i64,
}

/// A name, with the ticker where corporations and alliances have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityName {
    /// The full name.
    pub name: String,
    /// Ticker, without brackets.
    pub ticker: Option<String>,
}

/// Anything an id can stand for on a killmail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A participant.
    Entity(EntityKey),
    /// A ship or weapon type.
    ShipType(i64),
    /// A solar system.
    SolarSystem(i64),
}

/// Everything known about the ids of one batch of killmails. What is absent is not known (yet).
#[derive(Debug, Clone, Default)]
pub struct Enrichment {
    /// Names by participant.
    pub names: HashMap<EntityKey, Arc<EntityName>>,
    /// Types by type id: ships, structures, weapons.
    pub ship_types: HashMap<i64, Arc<ShipType>>,
    /// Systems by id.
    pub solar_systems: HashMap<i64, Arc<SolarSystem>>,
}

/// The ids a batch of killmails needs looked up, each once.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Participants.
    pub entities: Vec<EntityKey>,
    /// Ship and weapon types.
    pub types: Vec<i64>,
    /// Solar systems.
    pub solar_systems: Vec<i64>,
}

impl EntityKind {
    /// The word used in storage and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Character => "character",
            Self::Corporation => "corporation",
            Self::Alliance => "alliance",
            Self::Faction => "faction",
        }
    }

    /// The kind a word of [`Self::as_str`] stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "character" => Some(Self::Character),
            "corporation" => Some(Self::Corporation),
            "alliance" => Some(Self::Alliance),
            "faction" => Some(Self::Faction),
            _ => None,
        }
    }
}

impl Subject {
    /// The word used in storage.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Entity(key) => key.kind.as_str(),
            Self::ShipType(_) => "ship_type",
            Self::SolarSystem(_) => "solar_system",
        }
    }

    /// The id.
    pub fn id(self) -> i64 {
        match self {
            Self::Entity(key) => key.id,
            Self::ShipType(id) | Self::SolarSystem(id) => id,
        }
    }

    /// The subject that a word of [`Self::kind`] and an id stand for.
    pub fn from_parts(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "ship_type" => Some(Self::ShipType(id)),
            "solar_system" => Some(Self::SolarSystem(id)),
            word => EntityKind::from_word(word).map(|kind| Self::Entity(EntityKey { kind, id })),
        }
    }
}

impl Enrichment {
    /// True where nothing more can be learnt of `subject`. A corporation or alliance without its ticker is
    /// known in part only.
    pub fn knows(&self, subject: Subject) -> bool {
        match subject {
            Subject::Entity(key) => self.names.get(&key).is_some_and(|known| {
                known.ticker.is_some()
                    || !matches!(key.kind, EntityKind::Corporation | EntityKind::Alliance)
            }),
            Subject::ShipType(id) => self.ship_types.contains_key(&id),
            Subject::SolarSystem(id) => self.solar_systems.contains_key(&id),
        }
    }

    /// Adds all of `other`; where both know something, `other` counts.
    pub fn extend(&mut self, other: Self) {
        self.names.extend(other.names);
        self.ship_types.extend(other.ship_types);
        self.solar_systems.extend(other.solar_systems);
    }
}

impl Wanted {
    /// True when nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.types.is_empty() && self.solar_systems.is_empty()
    }

    /// Every id with its kind.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        let entities = self.entities.iter().map(|key| Subject::Entity(*key));
        let types = self.types.iter().map(|id| Subject::ShipType(*id));
        let systems = self
            .solar_systems
            .iter()
            .map(|id| Subject::SolarSystem(*id));
        entities.chain(types).chain(systems)
    }

    /// Collects the distinct ids of `killmails`, in ascending order.
    pub fn of<'a>(killmails: impl IntoIterator<Item = &'a Killmail>) -> Self {
        let mut wanted = Self::default();
        for killmail in killmails {
            wanted.solar_systems.push(killmail.solar_system_id);
            let victim = &killmail.victim;
            wanted.add_party([
                (EntityKind::Character, victim.character_id),
                (EntityKind::Corporation, victim.corporation_id),
                (EntityKind::Alliance, victim.alliance_id),
                (EntityKind::Faction, victim.faction_id),
            ]);
            wanted.types.extend(victim.ship_type_id);
            for attacker in &killmail.attackers {
                wanted.add_party([
                    (EntityKind::Character, attacker.character_id),
                    (EntityKind::Corporation, attacker.corporation_id),
                    (EntityKind::Alliance, attacker.alliance_id),
                    (EntityKind::Faction, attacker.faction_id),
                ]);
                wanted.types.extend(attacker.ship_type_id);
                wanted.types.extend(attacker.weapon_type_id);
            }
        }
        wanted.entities.sort_unstable();
        wanted.entities.dedup();
        wanted.types.sort_unstable();
        wanted.types.dedup();
        wanted.solar_systems.sort_unstable();
        wanted.solar_systems.dedup();
        wanted
    }

    fn add_party(&mut self, party: [(EntityKind, Option<i64>); 4]) {
        self.entities.extend(
            party
                .into_iter()
                .filter_map(|(kind, id)| id.map(|id| EntityKey { kind, id })),
        );
    }
}
