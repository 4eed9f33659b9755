//! The invented people: pilots, corporations and alliances, the same in every run.

use std::sync::LazyLock;

use super::npcs::NPC_CORPORATIONS;
use super::words::{ADJECTIVES, BANNERS, FIRST_SYLLABLES, LAST_SYLLABLES, NOUNS, SURNAMES, UNIONS};

/// A pilot.
#[derive(Debug)]
pub(crate) struct Pilot {
    /// Character id.
    pub(crate) id: i64,
    /// Full name.
    pub(crate) name: String,
    /// The corporation's id, of players or of NPCs.
    pub(crate) corporation_id: i64,
    /// Its alliance, where it has one.
    pub(crate) alliance_id: Option<i64>,
    /// The faction that the corporation belongs to or fights for.
    pub(crate) faction_id: Option<i64>,
    /// Security status, -10 to 5, one decimal.
    pub(crate) security_status: f64,
}

/// A player corporation.
#[derive(Debug)]
pub(crate) struct Corporation {
    /// Corporation id.
    pub(crate) id: i64,
    /// Full name.
    pub(crate) name: String,
    /// Ticker, without brackets.
    pub(crate) ticker: String,
    /// Its alliance, where it has one.
    pub(crate) alliance_id: Option<i64>,
    /// The militia that it fights for.
    pub(crate) faction_id: Option<i64>,
    /// Positions of its pilots in [`Population::pilots`].
    pub(crate) members: Vec<usize>,
}

/// An alliance.
#[derive(Debug)]
pub(crate) struct Alliance {
    /// Alliance id.
    pub(crate) id: i64,
    /// Full name.
    pub(crate) name: String,
    /// Ticker, without brackets.
    pub(crate) ticker: String,
    /// Positions of its pilots in [`Population::pilots`].
    pub(crate) members: Vec<usize>,
}

/// Everyone.
#[derive(Debug)]
pub(crate) struct Population {
    /// Pilots, by id.
    pub(crate) pilots: Vec<Pilot>,
    /// Corporations, by id; the first ones are the largest.
    pub(crate) corporations: Vec<Corporation>,
    /// Alliances, by id; the first ones are the largest.
    pub(crate) alliances: Vec<Alliance>,
}

const PILOTS: usize = 6_000;
const CORPORATIONS: usize = 400;
const ALLIANCES: usize = 60;
const FIRST_PILOT: i64 = 2_118_400_001;
const FIRST_CORPORATION: i64 = 98_600_001;
const FIRST_ALLIANCE: i64 = 99_010_001;
/// Every so many-th pilot sits in an NPC corporation.
const NPC_PILOT_EVERY: usize = 14;
/// Every so many-th corporation stands alone.
const INDEPENDENT_EVERY: usize = 4;
const MILITIAS: [i64; 4] = [500_001, 500_002, 500_003, 500_004];

/// Everyone, made on first use.
pub(crate) fn population() -> &'static Population {
    static POPULATION: LazyLock<Population> = LazyLock::new(Population::invent);
    &POPULATION
}

impl Population {
    fn invent() -> Self {
        let mut alliances: Vec<Alliance> = (0..ALLIANCES).map(alliance).collect();
        let mut corporations: Vec<Corporation> = (0..CORPORATIONS)
            .map(|index| corporation(index, &alliances))
            .collect();
        let pilots: Vec<Pilot> = (0..PILOTS)
            .map(|index| pilot(index, &corporations))
            .collect();
        for (index, pilot) in pilots.iter().enumerate() {
            if let Some(it) = corporations
                .iter_mut()
                .find(|it| it.id == pilot.corporation_id)
            {
                it.members.push(index);
            }
            if let Some(it) = alliances
                .iter_mut()
                .find(|it| Some(it.id) == pilot.alliance_id)
            {
                it.members.push(index);
            }
        }
        Self {
            pilots,
            corporations,
            alliances,
        }
    }

    /// A pilot by id.
    pub(crate) fn pilot(&self, id: i64) -> Option<&Pilot> {
        let index = usize::try_from(id.checked_sub(FIRST_PILOT)?).ok()?;
        self.pilots.get(index)
    }

    /// A player corporation by id.
    pub(crate) fn corporation(&self, id: i64) -> Option<&Corporation> {
        let index = usize::try_from(id.checked_sub(FIRST_CORPORATION)?).ok()?;
        self.corporations.get(index)
    }

    /// An alliance by id.
    pub(crate) fn alliance(&self, id: i64) -> Option<&Alliance> {
        let index = usize::try_from(id.checked_sub(FIRST_ALLIANCE)?).ok()?;
        self.alliances.get(index)
    }
}

fn alliance(index: usize) -> Alliance {
    let banner = word(&BANNERS, index);
    let union = word(&UNIONS, index / BANNERS.len());
    Alliance {
        id: FIRST_ALLIANCE + offset(index),
        name: format!("{banner} {union}"),
        ticker: ticker(banner, union),
        members: Vec::new(),
    }
}

fn corporation(index: usize, alliances: &[Alliance]) -> Corporation {
    let adjective = word(&ADJECTIVES, index);
    let noun = word(&NOUNS, index / ADJECTIVES.len() + index);
    let alliance_id = (!index.is_multiple_of(INDEPENDENT_EVERY))
        .then(|| alliances.get(skewed(index, ALLIANCES)).map(|it| it.id))
        .flatten();
    let militia = index.is_multiple_of(INDEPENDENT_EVERY) && index.is_multiple_of(8);
    Corporation {
        id: FIRST_CORPORATION + offset(index),
        name: format!("{adjective} {noun}"),
        ticker: ticker(adjective, noun),
        alliance_id,
        faction_id: militia
            .then(|| MILITIAS.get(index / 8 % 4).copied())
            .flatten(),
        members: Vec::new(),
    }
}

fn pilot(index: usize, corporations: &[Corporation]) -> Pilot {
    let first = format!(
        "{}{}",
        word(&FIRST_SYLLABLES, index),
        word(&LAST_SYLLABLES, index / FIRST_SYLLABLES.len())
    );
    let surname = word(
        &SURNAMES,
        index / (FIRST_SYLLABLES.len() * LAST_SYLLABLES.len()),
    );
    let steps = i32::try_from(scatter(index) % 150).unwrap_or_default();
    let security_status = f64::from(steps - 100) / 10.0;
    let corporation = corporations.get(skewed(index, CORPORATIONS));
    let (corporation_id, alliance_id, faction_id) =
        if let Some(it) = corporation.filter(|_| !index.is_multiple_of(NPC_PILOT_EVERY)) {
            (it.id, it.alliance_id, it.faction_id)
        } else {
            let at = scatter(index) % NPC_CORPORATIONS.len();
            let id = NPC_CORPORATIONS.get(at).map_or(1_000_044, |it| it.0);
            (id, None, None)
        };
    Pilot {
        id: FIRST_PILOT + offset(index),
        name: format!("{first} {surname}"),
        corporation_id,
        alliance_id,
        faction_id,
        security_status,
    }
}

fn word(words: &[&'static str], index: usize) -> &'static str {
    words.get(index % words.len()).copied().unwrap_or_default()
}

/// Two letters of each word: distinct, because the words differ in their first letters.
fn ticker(first: &str, second: &str) -> String {
    first
        .chars()
        .take(2)
        .chain(second.chars().take(2))
        .collect::<String>()
        .to_uppercase()
}

fn offset(index: usize) -> i64 {
    i64::try_from(index).unwrap_or_default()
}

/// Spreads neighbouring numbers far apart.
fn scatter(index: usize) -> usize {
    index.wrapping_mul(2_654_435_761) >> 7
}

/// A number below `limit` that is small much more often than large, as sizes of corporations are.
fn skewed(index: usize, limit: usize) -> usize {
    let even = scatter(index) % limit;
    even * even / limit
}
