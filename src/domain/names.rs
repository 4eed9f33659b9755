//! Names of those who take part, and the bundle of look-ups a killmail is rendered with.

use std::collections::HashMap;
use std::sync::Arc;

use super::killmail::{Attacker, Killmail};
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

    /// True where the id may stand for something: no server is asked what 0 means.
    pub fn can_be_asked(self) -> bool {
        self.id() > 0
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

impl FromIterator<Subject> for Wanted {
    /// Each once, in ascending order.
    fn from_iter<I: IntoIterator<Item = Subject>>(subjects: I) -> Self {
        let mut wanted = Self::default();
        for subject in subjects {
            match subject {
                Subject::Entity(key) => wanted.entities.push(key),
                Subject::ShipType(id) => wanted.types.push(id),
                Subject::SolarSystem(id) => wanted.solar_systems.push(id),
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
        killmails.into_iter().flat_map(Killmail::subjects).collect()
    }
}

impl Killmail {
    /// Every id that has a name, as often as it occurs.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        let attackers = self.attackers.iter().flat_map(attacker_subjects);
        self.place_and_victim().chain(attackers)
    }

    /// What a notification shows: the place, the victim and the final blow.
    pub fn foremost_subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        let last = self.attackers.iter().filter(|it| it.final_blow);
        self.place_and_victim()
            .chain(last.flat_map(attacker_subjects))
    }

    fn place_and_victim(&self) -> impl Iterator<Item = Subject> + use<> {
        let victim = &self.victim;
        let ids = [
            victim.character_id,
            victim.corporation_id,
            victim.alliance_id,
            victim.faction_id,
        ];
        std::iter::once(Subject::SolarSystem(self.solar_system_id))
            .chain(party_subjects(ids, [victim.ship_type_id, None]))
    }
}

fn attacker_subjects(attacker: &Attacker) -> impl Iterator<Item = Subject> + use<> {
    let ids = [
        attacker.character_id,
        attacker.corporation_id,
        attacker.alliance_id,
        attacker.faction_id,
    ];
    party_subjects(ids, [attacker.ship_type_id, attacker.weapon_type_id])
}

/// `ids` are those of character, corporation, alliance and faction.
fn party_subjects(
    ids: [Option<i64>; 4],
    types: [Option<i64>; 2],
) -> impl Iterator<Item = Subject> + use<> {
    const KINDS: [EntityKind; 4] = [
        EntityKind::Character,
        EntityKind::Corporation,
        EntityKind::Alliance,
        EntityKind::Faction,
    ];
    let entities = KINDS
        .into_iter()
        .zip(ids)
        .filter_map(|(kind, id)| id.map(|id| Subject::Entity(EntityKey { kind, id })));
    entities.chain(types.into_iter().flatten().map(Subject::ShipType))
}
