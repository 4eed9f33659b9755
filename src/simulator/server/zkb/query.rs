//! The path of a REST list, understood.

use chrono::{DateTime, Datelike, Duration, Utc};

use crate::domain::{Attacker, Killmail, Zkb};
use crate::simulator::catalog;

/// What a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    side: Side,
    conditions: Vec<Condition>,
    /// From 1.
    pub(super) page: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Kills,
    Losses,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Killmail(i64),
    Party(Party, i64),
    System(i64),
    Constellation(i64),
    Region(i64),
    Location(i64),
    War(i64),
    Label(String),
    Npc(bool),
    Awox(bool),
    PastSeconds(i64),
    Year(i32),
    Month(u32),
    Value(i64),
}

impl Condition {
    fn is_past_seconds(&self) -> bool {
        matches!(self, Self::PastSeconds(_))
    }

    /// Somebody or some place, beside which other conditions may stand.
    fn is_entity(&self) -> bool {
        matches!(
            self,
            Self::Party(..)
                | Self::System(_)
                | Self::Constellation(_)
                | Self::Region(_)
                | Self::Location(_)
                | Self::War(_)
        )
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Party {
    Character,
    Corporation,
    Alliance,
    Faction,
    Ship,
    Group,
}

const MAX_PAGE: i64 = 100;
const WEEK: i64 = 604_800;
const HOUR: i64 = 3_600;

impl Query {
    /// Reads the part after `/api/`, such as `losses/systemID/30000142/page/2/`.
    pub(super) fn parse(path: &str) -> Result<Self, String> {
        let mut query = Self {
            side: Side::Both,
            conditions: Vec::new(),
            page: 1,
        };
        let mut words = path.split('/').filter(|it| !it.is_empty());
        while let Some(word) = words.next() {
            if !query.flag(word) {
                let value = words.next().ok_or_else(|| invalid(word))?;
                query.modifier(word, value)?;
            }
        }
        let needs_entity =
            query.page > 1 || (query.conditions.iter()).any(Condition::is_past_seconds);
        if needs_entity && !query.conditions.iter().any(Condition::is_entity) {
            return Err("page and pastSeconds need an entity".to_owned());
        }
        Ok(query)
    }

    fn flag(&mut self, word: &str) -> bool {
        let label = match word {
            "kills" => {
                self.side = Side::Kills;
                return true;
            }
            "losses" => {
                self.side = Side::Losses;
                return true;
            }
            "w-space" | "highsec" | "lowsec" | "nullsec" | "abyssal" => format!("loc:{word}"),
            "solo" | "ganked" => word.to_owned(),
            _ => return false,
        };
        self.conditions.push(Condition::Label(label));
        true
    }

    fn modifier(&mut self, word: &str, value: &str) -> Result<(), String> {
        if word == "label" {
            self.conditions.push(Condition::Label(value.to_owned()));
            return Ok(());
        }
        let id = integer(word, value)?;
        let party = |party| Condition::Party(party, id);
        let condition = match word {
            "characterID" => party(Party::Character),
            "corporationID" => party(Party::Corporation),
            "allianceID" => party(Party::Alliance),
            "factionID" => party(Party::Faction),
            "shipTypeID" | "shipID" => party(Party::Ship),
            "groupID" => party(Party::Group),
            "solarSystemID" | "systemID" => Condition::System(id),
            "constellationID" => Condition::Constellation(id),
            "regionID" => Condition::Region(id),
            "locationID" => Condition::Location(id),
            "warID" => Condition::War(id),
            "killID" => Condition::Killmail(id),
            "npc" if id < 2 => Condition::Npc(id == 1),
            "awox" if id < 2 => Condition::Awox(id == 1),
            "pastSeconds" if id <= WEEK && id % HOUR == 0 => Condition::PastSeconds(id),
            "year" => Condition::Year(i32::try_from(id).map_err(|_| invalid(word))?),
            "month" => Condition::Month(u32::try_from(id).map_err(|_| invalid(word))?),
            "iskValue" if id % 500_000_000 == 0 => Condition::Value(id),
            "page" if (1..=MAX_PAGE).contains(&id) => {
                self.page = usize::try_from(id).map_err(|_| invalid(word))?;
                return Ok(());
            }
            _ => return Err(invalid(word)),
        };
        self.conditions.push(condition);
        Ok(())
    }

    /// True where one killmail is asked for by its id.
    pub(super) fn is_for_one_killmail(&self) -> bool {
        let by_id = |it: &Condition| matches!(it, Condition::Killmail(_));
        self.conditions.iter().any(by_id)
    }

    /// True where the killmail belongs in the list.
    pub(super) fn matches(&self, killmail: &Killmail, now: DateTime<Utc>) -> bool {
        self.conditions
            .iter()
            .all(|it| self.holds(it, killmail, now))
    }

    fn holds(&self, condition: &Condition, killmail: &Killmail, now: DateTime<Utc>) -> bool {
        let flag = |of: fn(&Zkb) -> Option<bool>| killmail.zkb.as_ref().and_then(of);
        let time = killmail.killmail_time;
        match condition {
            Condition::Killmail(id) => killmail.killmail_id == *id,
            Condition::Party(party, id) => self.takes_part(*party, *id, killmail),
            Condition::System(id) => killmail.solar_system_id == *id,
            Condition::Constellation(id) => constellation(killmail) == Some(*id),
            Condition::Region(id) => region(killmail) == Some(*id),
            Condition::Location(id) => {
                killmail.zkb.as_ref().and_then(|it| it.location_id) == Some(*id)
            }
            Condition::War(id) => killmail.war_id == Some(*id),
            Condition::Label(label) => {
                let labels = killmail.zkb.as_ref().and_then(|it| it.labels.as_ref());
                labels.is_some_and(|it| it.contains(label))
            }
            Condition::Npc(wanted) => flag(|it| it.npc) == Some(*wanted),
            Condition::Awox(wanted) => flag(|it| it.awox) == Some(*wanted),
            Condition::PastSeconds(seconds) => now - time <= Duration::seconds(*seconds),
            Condition::Year(year) => time.year() == *year,
            Condition::Month(month) => time.month() == *month,
            Condition::Value(isk) => {
                let value = killmail.zkb.as_ref().and_then(|it| it.total_value);
                value.unwrap_or_default() >= crate::simulator::number::amount(*isk)
            }
        }
    }

    fn takes_part(&self, party: Party, id: i64, killmail: &Killmail) -> bool {
        let victim = &killmail.victim;
        let lost = is(
            party,
            id,
            [
                victim.character_id,
                victim.corporation_id,
                victim.alliance_id,
                victim.faction_id,
                victim.ship_type_id,
            ],
        );
        let attacked = || {
            killmail.attackers.iter().any(|it: &Attacker| {
                is(
                    party,
                    id,
                    [
                        it.character_id,
                        it.corporation_id,
                        it.alliance_id,
                        it.faction_id,
                        it.ship_type_id,
                    ],
                )
            })
        };
        match self.side {
            Side::Losses => lost,
            Side::Kills => attacked(),
            Side::Both => lost || attacked(),
        }
    }
}

fn is(party: Party, id: i64, ids: [Option<i64>; 5]) -> bool {
    let [character, corporation, alliance, faction, ship] = ids;
    let found = match party {
        Party::Character => character,
        Party::Corporation => corporation,
        Party::Alliance => alliance,
        Party::Faction => faction,
        Party::Ship => ship,
        Party::Group => ship.and_then(catalog::hull).map(|it| it.group_id),
    };
    found == Some(id)
}

fn constellation(killmail: &Killmail) -> Option<i64> {
    catalog::system(killmail.solar_system_id).map(|it| it.constellation_id)
}

fn region(killmail: &Killmail) -> Option<i64> {
    let (_, region) = catalog::constellation(constellation(killmail)?)?;
    Some(region)
}

/// One whole number, without leading zeros; comma lists are refused.
fn integer(word: &str, value: &str) -> Result<i64, String> {
    let plain = value.bytes().all(|it| it.is_ascii_digit());
    let zero = value.len() > 1 && value.starts_with('0');
    if !plain || zero {
        return Err(invalid(word));
    }
    value.parse().map_err(|_| invalid(word))
}

fn invalid(word: &str) -> String {
    format!("{word} is not a modifier, or its value is not allowed")
}
