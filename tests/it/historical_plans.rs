//! How the database answers historical queries over tens of thousands of killmails in several years: along one
//! index, from the right end, and not much further than the answer goes.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rstest::rstest;
use serde_json::Value as Json;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::sync::OnceCell;
use wanderer_kills::domain::{Filter, MatchMode, Role};
use wanderer_kills::runtime::config::DatabaseConfig;
use wanderer_kills::store::Store;
use wanderer_kills::store::killmails::query::{self, HistoricalQuery, Order, Statement, Value};

use crate::store_samples::{store, time};
use crate::support::postgres::{TestDatabase, execute};

/// 60,000 killmails from 2023 to the end of 2026, 35 minutes apart, each with three attackers. Multiplying by a prime
/// spreads the ids.
pub(crate) const FILL: &str = "
    SELECT ensure_year_partitions(ARRAY[2023, 2024, 2025, 2026]);
    INSERT INTO killmails (killmail_id, killmail_time, solar_system_id, constellation_id, region_id, war_id,
        victim_character_id, victim_corporation_id, victim_alliance_id, ship_type_id, ship_group_id,
        damage_taken, total_value, attacker_count, npc, solo, awox, labels, document, ship_group_codes)
    SELECT n, '2023-01-01T00:00:00Z'::timestamptz + n * interval '35 minutes',
        30000000 + n * 7919 % 1500, 20000000 + n * 7919 % 1500 / 7, 10000000 + n * 7919 % 1500 / 25,
        CASE WHEN n % 40 = 0 THEN n / 40 % 30 + 1 END,
        90000000 + n * 104729 % 3000, 98000000 + n * 104729 % 3000 / 10, 99000000 + n * 104729 % 3000 / 100,
        600 + n % 97, 20 + n % 97 / 5, 1, n % 1000 * 1e6, 3, false, n % 3 = 0, false, ARRAY['pvp'], '{}',
        decode(format('80%s80%s80%s80%s', to_hex(20 + n % 97 / 5), to_hex(20 + n * 17 % 97 / 5),
            to_hex(20 + (n * 17 + 31) % 97 / 5), to_hex(20 + (n * 17 + 62) % 97 / 5)), 'hex')
    FROM generate_series(1::bigint, 60000) AS n;
    INSERT INTO attackers (killmail_id, killmail_time, character_id, corporation_id, alliance_id, ship_type_id,
        ship_group_id, damage_done, security_status, ordinal, final_blow)
    SELECT n, '2023-01-01T00:00:00Z'::timestamptz + n * interval '35 minutes',
        90000000 + (n * 31 + o * 1013) % 3000, 98000000 + (n * 31 + o * 1013) % 3000 / 10,
        99000000 + (n * 31 + o * 1013) % 3000 / 100, 600 + (n * 17 + o * 31) % 97, 20 + (n * 17 + o * 31) % 97 / 5, 1, 0, o, o = 0
    FROM generate_series(1::bigint, 60000) AS n, generate_series(0::bigint, 2) AS o;
    ANALYZE killmails; ANALYZE attackers;
";

/// Rows of both clauses that are merged at most for ten killmails: those clauses have 13,000 rows or more.
const MOST_MERGED: f64 = 3_000.0;

/// Partitions that have killmails: 2023 to 2026.
const PARTITIONS: usize = 4;

/// Rows that a plan may look at and throw away for each that it returns.
const WASTE: f64 = 50.0;

/// What a row that two clauses are merged by counts for: it is read from an index, and one of the others is looked up
/// in tables.
const MERGED_ROW: f64 = 0.05;

static FILLED: OnceCell<(TestDatabase, String)> = OnceCell::const_new();

/// One database for all of these; each test has its own connections.
async fn filled() -> Store {
    let (_, url) = FILLED
        .get_or_init(|| async {
            let (database, _) = store().await;
            let url = database.url().to_owned();
            execute(&url, FILL).await.unwrap();
            (database, url)
        })
        .await;
    Store::connect(url, &DatabaseConfig::default())
        .await
        .unwrap()
}

fn literal(value: &Value) -> String {
    let list = |items: Vec<String>| format!("'{{{}}}'", items.join(","));
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Time(time) => format!("to_timestamp({})", time.timestamp()),
        Value::Ids(ids) => list(ids.iter().map(ToString::to_string).collect()),
        Value::Texts(texts) => list(texts.clone()),
        Value::Bytes(bytes) => format!("decode('{}', 'base64')", BASE64_STANDARD.encode(bytes)),
    }
}

/// The plan that a pooled connection uses, run for real.
async fn explain(conn: &mut PgConnection, statement: &Statement) -> Json {
    let types: Vec<&str> = statement.values.iter().map(Value::sql_type).collect();
    let values: Vec<String> = statement.values.iter().map(literal).collect();
    let prepare = format!("PREPARE asked ({}) AS {}", types.join(", "), statement.sql);
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut *conn)
        .await
        .unwrap();
    let explain = format!(
        "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ({})",
        values.join(", ")
    );
    let plan: Json = sqlx::query_scalar(AssertSqlSafe(explain))
        .persistent(false)
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    sqlx::raw_sql("DEALLOCATE asked")
        .execute(conn)
        .await
        .unwrap();
    assert!(plan[0]["JIT"].is_null(), "compiled: {plan:#}");
    plan[0]["Plan"].clone()
}

/// What a plan did.
#[derive(Debug, Default)]
struct Work {
    /// Partitions of `killmails` that were read, beside look-ups of one row.
    partitions: BTreeSet<String>,
    read: f64,
    thrown_away: f64,
    /// Rows that were read to be merged with others.
    merged: f64,
    kinds: BTreeSet<String>,
}

impl Work {
    fn of(plan: &Json) -> Self {
        let mut work = Self::default();
        work.add(plan, false);
        work
    }

    fn add(&mut self, node: &Json, is_merged: bool) {
        let number = |key: &str| node[key].as_f64().unwrap_or_default();
        let loops = number("Actual Loops");
        let kind = node["Node Type"].as_str().unwrap_or_default();
        self.kinds.insert(kind.to_owned());
        let is_merged = is_merged || kind == "Merge Join";
        if let Some(relation) = node["Relation Name"].as_str() {
            let rows = number("Actual Rows") * loops;
            let read = if is_merged {
                &mut self.merged
            } else {
                &mut self.read
            };
            *read += rows;
            if loops > 0.0 {
                self.partitions.insert(relation.to_owned());
            }
        }
        for key in ["Rows Removed by Filter", "Rows Removed by Index Recheck"] {
            self.thrown_away += number(key) * loops;
        }
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.add(child, is_merged);
        }
    }

    fn years(&self, table: &str) -> usize {
        let year = |name: &&String| {
            let year = name.strip_prefix(table).unwrap_or_default();
            ["_2023", "_2024", "_2025", "_2026"].contains(&year)
        };
        self.partitions.iter().filter(year).count()
    }
}

/// A query that was run, and how.
struct Asked {
    returned: f64,
    statement: Statement,
    plan: Json,
    work: Work,
}

impl Asked {
    async fn of(query: &HistoricalQuery, limit: i64) -> Self {
        let store = filled().await;
        let mut conn = query::connection(&store.reads.primary().history)
            .await
            .unwrap();
        let places = query::places(&mut conn, query, None, limit).await;
        let returned = f64::from(u32::try_from(places.unwrap().len()).unwrap());
        assert!(returned > 0.0, "nothing found");
        let statement = query::statement(&mut conn, query, None, limit).await;
        let statement = statement.unwrap();
        let plan = explain(&mut conn, &statement).await;
        Self {
            returned,
            work: Work::of(&plan),
            plan,
            statement,
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            statement,
            plan,
            work,
            ..
        } = self;
        write!(formatter, "{work:?}\n{}\n{plan:#}", statement.sql)
    }
}

fn set(id: i64) -> BTreeSet<i64> {
    [id].into()
}

fn of(filter: Filter) -> HistoricalQuery {
    HistoricalQuery {
        filter,
        ..HistoricalQuery::default()
    }
}

fn system_of_one_day() -> HistoricalQuery {
    HistoricalQuery {
        from: Some(time("2026-11-20T00:00:00Z")),
        to: Some(time("2026-12-20T00:00:00Z")),
        ..of(Filter {
            systems: set(30_000_000),
            ..Filter::default()
        })
    }
}

fn newest_of_a_character() -> HistoricalQuery {
    of(Filter {
        characters: set(90_000_007),
        ..Filter::default()
    })
}

fn corporation_as_attacker() -> HistoricalQuery {
    of(Filter {
        corporations: set(98_000_012),
        role: Role::Attacker,
        ..Filter::default()
    })
}

fn alliance_as_attacker_of_a_type() -> HistoricalQuery {
    of(Filter {
        alliances: set(99_000_003),
        ship_types: set(612),
        role: Role::Attacker,
        ..Filter::default()
    })
}

fn region_value_and_group() -> HistoricalQuery {
    of(Filter {
        regions: set(10_000_002),
        ship_groups: set(25),
        min_value: Some(5e8),
        ..Filter::default()
    })
}

fn region_and_attackers_of_a_group() -> HistoricalQuery {
    of(Filter {
        regions: set(10_000_002),
        ship_groups: set(25),
        role: Role::Attacker,
        ..Filter::default()
    })
}

fn oldest_of_two_regions_and_groups() -> HistoricalQuery {
    HistoricalQuery {
        order: Order::Oldest,
        ..of(Filter {
            regions: [10_000_002, 10_000_003].into(),
            ship_groups: [25, 26].into(),
            ..Filter::default()
        })
    }
}

fn oldest_of_two_regions_and_corporations() -> HistoricalQuery {
    HistoricalQuery {
        order: Order::Oldest,
        ..of(Filter {
            regions: [10_000_002, 10_000_003].into(),
            corporations: [98_000_012, 98_000_013].into(),
            ..Filter::default()
        })
    }
}

fn system_and_group() -> HistoricalQuery {
    of(Filter {
        systems: set(30_000_100),
        ship_groups: set(25),
        ..Filter::default()
    })
}

fn ship_type() -> HistoricalQuery {
    of(Filter {
        ship_types: set(650),
        ..Filter::default()
    })
}

fn constellation() -> HistoricalQuery {
    of(Filter {
        constellations: set(20_000_011),
        role: Role::Victim,
        ..Filter::default()
    })
}

fn time_alone() -> HistoricalQuery {
    HistoricalQuery {
        from: Some(time("2024-03-01T00:00:00Z")),
        to: Some(time("2024-03-15T00:00:00Z")),
        ..HistoricalQuery::default()
    }
}

fn war() -> HistoricalQuery {
    HistoricalQuery {
        wars: set(5),
        ..HistoricalQuery::default()
    }
}

fn oldest_of_a_region() -> HistoricalQuery {
    HistoricalQuery {
        order: Order::Oldest,
        ..of(Filter {
            regions: set(10_000_005),
            ..Filter::default()
        })
    }
}

fn a_system_or_a_character() -> HistoricalQuery {
    of(Filter {
        systems: set(30_000_100),
        characters: set(90_000_010),
        match_mode: MatchMode::Any,
        ..Filter::default()
    })
}

fn everything() -> HistoricalQuery {
    HistoricalQuery::default()
}

#[rstest]
#[case::system_of_one_day(system_of_one_day(), 100, 1)]
#[case::newest_of_a_character(newest_of_a_character(), 10, 2)]
#[case::corporation_as_attacker(corporation_as_attacker(), 50, 1)]
#[case::alliance_as_attacker_of_a_type(alliance_as_attacker_of_a_type(), 20, 3)]
#[case::region_value_and_group(region_value_and_group(), 20, 3)]
#[case::ship_type(ship_type(), 50, 1)]
#[case::constellation(constellation(), 20, 1)]
#[case::time_alone(time_alone(), 100, 1)]
#[case::war(war(), 10, 1)]
#[case::oldest_of_a_region(oldest_of_a_region(), 50, 1)]
#[case::a_system_or_a_character(a_system_or_a_character(), 10, 2)]
#[case::everything(everything(), 100, 1)]
#[tokio::test]
async fn a_query_reads_little_more_than_it_answers(
    #[case] query: HistoricalQuery,
    #[case] limit: i64,
    #[case] years: usize,
) {
    let asked = Asked::of(&query, limit).await;
    let Asked { returned, work, .. } = &asked;
    assert!(!work.kinds.contains("Seq Scan"), "{asked}");
    assert!(work.thrown_away <= WASTE * returned, "{asked}");
    assert!(
        MERGED_ROW.mul_add(work.merged, work.read) <= WASTE * returned,
        "{asked}"
    );
    for table in ["killmails", "attackers"] {
        assert!(work.years(table) <= years, "{table}: {asked}");
        assert!(years < PARTITIONS);
    }
}

#[rstest]
#[case::oldest_of_two_regions_and_corporations(oldest_of_two_regions_and_corporations(), true)]
#[case::system_and_group(system_and_group(), false)]
#[tokio::test]
async fn clauses_that_are_about_as_sparse_are_merged_in_their_order(
    #[case] query: HistoricalQuery,
    #[case] is_merged: bool,
) {
    let asked = Asked::of(&query, 10).await;
    let work = &asked.work;
    assert_eq!(work.kinds.contains("Merge Join"), is_merged, "{asked}");
    if is_merged {
        for kind in ["Sort", "Incremental Sort", "Materialize", "Hash"] {
            assert!(!work.kinds.contains(kind), "{kind}: {asked}");
        }
        assert!(work.merged <= MOST_MERGED, "{asked}");
        assert_eq!(work.years("attackers"), 1, "{asked}");
    }
}

#[rstest]
#[case::region_value_and_group(region_value_and_group(), 1.0)]
#[case::oldest_of_two_regions_and_groups(oldest_of_two_regions_and_groups(), 1.0)]
#[case::region_and_attackers_of_a_group(region_and_attackers_of_a_group(), 4.0)]
#[tokio::test]
async fn regions_tell_of_groups_so_that_at_most_what_has_them_is_looked_at(
    #[case] query: HistoricalQuery,
    #[case] rows_each: f64,
) {
    let asked = Asked::of(&query, 10).await;
    let Asked { returned, work, .. } = &asked;
    assert!(!work.kinds.contains("Merge Join"), "{asked}");
    // Of each region as many killmails as are returned; where roles matter, also those whose victim is of the group, and
    // for each its row and an attacker.
    let regions = f64::from(u32::try_from(query.filter.regions.len()).unwrap());
    assert!(work.read <= rows_each * regions * returned, "{asked}");
}
