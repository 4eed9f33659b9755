//! Which killmails are exported.

use crate::domain::Filter;
use crate::store::killmails::query::{HistoricalQuery, MAX_QUERY_IDS, Order};

/// The filter of the historical query, in the same words; lists are separated by commas.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Filter")]
pub struct FilterArgs {
    /// Solar systems.
    #[arg(long, value_name = "IDS")]
    pub system: Vec<String>,
    /// Constellations.
    #[arg(long, value_name = "IDS")]
    pub constellation: Vec<String>,
    /// Regions.
    #[arg(long, value_name = "IDS")]
    pub region: Vec<String>,
    /// Characters.
    #[arg(long, value_name = "IDS")]
    pub character: Vec<String>,
    /// Corporations.
    #[arg(long, value_name = "IDS")]
    pub corporation: Vec<String>,
    /// Alliances.
    #[arg(long, value_name = "IDS")]
    pub alliance: Vec<String>,
    /// Factions.
    #[arg(long, value_name = "IDS")]
    pub faction: Vec<String>,
    /// Types of ships flown or lost.
    #[arg(long, value_name = "IDS")]
    pub ship_type: Vec<String>,
    /// Groups of ships flown or lost.
    #[arg(long, value_name = "IDS")]
    pub ship_group: Vec<String>,
    /// Wars.
    #[arg(long, value_name = "IDS", value_delimiter = ',', value_parser = clap::value_parser!(i64).range(1..))]
    pub war: Vec<i64>,
    /// How the lists above combine: all or any.
    #[arg(long = "match", value_name = "MODE")]
    pub match_mode: Option<String>,
    /// Where participants and ships are looked for: any, victim, attacker or `final_blow`.
    #[arg(long)]
    pub role: Option<String>,
    /// At least this total value, ISK.
    #[arg(long, value_name = "ISK")]
    pub min_value: Option<String>,
    /// At most this total value, ISK.
    #[arg(long, value_name = "ISK")]
    pub max_value: Option<String>,
    /// Only NPC kills (true), or none (false).
    #[arg(long, value_name = "BOOL")]
    pub npc: Option<String>,
    /// Only solo kills, or none.
    #[arg(long, value_name = "BOOL")]
    pub solo: Option<String>,
    /// Only awoxes, or none.
    #[arg(long, value_name = "BOOL")]
    pub awox: Option<String>,
    /// In one of these kinds of space: highsec, lowsec, nullsec, wormhole, abyssal.
    #[arg(long, value_name = "BANDS")]
    pub security: Vec<String>,
    /// With one of these labels.
    #[arg(long, value_name = "LABELS")]
    pub label: Vec<String>,
}

impl FilterArgs {
    /// The query, over all time; the oldest come first.
    pub(super) fn query(&self) -> anyhow::Result<HistoricalQuery> {
        let lists = [
            ("systems", &self.system),
            ("constellations", &self.constellation),
            ("regions", &self.region),
            ("characters", &self.character),
            ("corporations", &self.corporation),
            ("alliances", &self.alliance),
            ("factions", &self.faction),
            ("ship_types", &self.ship_type),
            ("ship_groups", &self.ship_group),
            ("security", &self.security),
            ("labels", &self.label),
        ];
        let single = [
            ("match", &self.match_mode),
            ("role", &self.role),
            ("min_value", &self.min_value),
            ("max_value", &self.max_value),
            ("npc", &self.npc),
            ("solo", &self.solo),
            ("awox", &self.awox),
        ];
        let lists = lists
            .into_iter()
            .flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
        let single = single
            .into_iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| (key, value)));
        let pairs = lists
            .chain(single)
            .map(|(key, value)| (key.to_owned(), value.clone()));
        let (filter, _) = Filter::from_pairs(pairs)?;
        for (kind, set) in filter.id_sets() {
            anyhow::ensure!(
                set.len() <= MAX_QUERY_IDS,
                "{kind} are {}, allowed are {MAX_QUERY_IDS}",
                set.len()
            );
        }
        Ok(HistoricalQuery {
            filter,
            wars: self.war.iter().copied().collect(),
            order: Order::Oldest,
            ..HistoricalQuery::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_historical_query() {
        let arguments = FilterArgs {
            system: vec!["1,2".to_owned(), "3".to_owned()],
            war: vec![7],
            solo: Some("true".to_owned()),
            ..FilterArgs::default()
        };
        let query = arguments.query().unwrap();
        assert_eq!(query.filter.systems, [1, 2, 3].into());
        assert_eq!((query.filter.solo, query.wars), (Some(true), [7].into()));
        let wrong = FilterArgs {
            role: Some("both".to_owned()),
            ..FilterArgs::default()
        };
        assert!(wrong.query().is_err());
    }
}
