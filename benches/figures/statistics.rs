//! Statistics over HTTP, with 16 clients at once.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::store::stats::rollup;

use super::Options;
use super::database::{Database, Server};
use super::http_load;
use super::query::{AIM, Asked, Dice, SAMPLE, sample, tell};
use super::report::Report;
use super::serving::Process;
use super::stored::{self, Stored};

/// Marks written to time one.
const MARKS: u32 = 1_000;

/// Days made to time one.
const DAYS: usize = 3;

/// How windows are asked for.
#[derive(Clone, Copy)]
enum Manner {
    /// Without one: the last 30 days. Many such answers are ready.
    Usual,
    /// 30 whole days, any.
    Days,
    /// 30 days to the second, any: the ends have to be counted.
    Seconds,
}

/// Measures on the database with `options.rows` killmails.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let stored = stored::open(server, options, report).await?;
    mark(&stored.database, report).await?;
    days(&stored, report).await?;
    let asked = Asked::of(&sample(&stored.database).await?, stored.newest);
    let service = Process::start(&stored.database).await?;
    for (name, paths) in paths(&stored, &asked) {
        let first = http_load::measure(service.address, &paths, options.seconds).await?;
        tell(report, &format!("{name}, first round"), &first, None);
        let load = http_load::measure(service.address, &paths, options.seconds).await?;
        tell(report, &name, &load, Some(AIM));
    }
    service.stop().await
}

/// What each batch of killmails pays.
async fn mark(database: &Database, report: &mut Report) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let connection = database.connect().await?;
    connection.client.batch_execute("BEGIN").await?;
    let insert = "INSERT INTO statistics_marks (day) SELECT * FROM unnest($1::text[]::date[])";
    let insert = connection.client.prepare(insert).await?;
    let day = vec!["2001-01-01"];
    let started = clock.monotonic();
    for _ in 0..MARKS {
        connection.client.execute(&insert, &[&day]).await?;
    }
    let took = clock.monotonic().saturating_sub(started) / MARKS;
    connection.client.batch_execute("ROLLBACK").await?;
    report.add("mark of a batch", took.as_secs_f64() * 1_000.0, "ms");
    Ok(())
}

/// What a day costs, however often it is made anew.
async fn days(stored: &Stored, report: &mut Report) -> anyhow::Result<()> {
    let clock = SystemClock::shared();
    let whole = stored.newest - TimeDelta::days(1);
    let days: Vec<NaiveDate> = (whole.date_naive().iter_days().rev()).take(DAYS).collect();
    let started = clock.monotonic();
    for day in &days {
        rollup::make(&stored.database.store.pool, *day).await?;
    }
    let took = clock.monotonic().saturating_sub(started).as_secs_f64();
    let number = f64::from(u32::try_from(DAYS)?);
    report.add("statistics of a day made", took * 1_000.0 / number, "ms");
    Ok(())
}

fn paths(stored: &Stored, asked: &Asked) -> Vec<(String, Vec<String>)> {
    let mut dice = Dice(StdRng::seed_from_u64(2));
    let mut lists = Vec::new();
    for (manner, of) in [
        (Manner::Usual, "the last 30 days"),
        (Manner::Days, "any 30 days"),
        (Manner::Seconds, "30 days to the second"),
    ] {
        let mut list = |name: &str, path: &dyn Fn(&mut Dice) -> String| {
            let paths = (0..SAMPLE).map(|_| path(&mut dice) + &window(&mut dice, stored, manner));
            lists.push((format!("{name}, {of}"), paths.collect()));
        };
        list("top ships of a region", &|dice| {
            let region = dice.any(&asked.regions);
            format!("/api/stats/top?list=ships_used&region={region}")
        });
        list("activity of a region", &|dice| {
            let region = dice.any(&asked.regions);
            format!("/api/stats/activity?region={region}&bucket=day")
        });
        list("summary of a character", &|dice| {
            let character = dice.any(&asked.characters);
            format!("/api/stats/characters/{character}?")
        });
    }
    lists
}

fn window(dice: &mut Dice, stored: &Stored, manner: Manner) -> String {
    let back = TimeDelta::seconds(dice.0.random_range(0..25 * 86_400));
    let mut to = stored.newest - back;
    match manner {
        Manner::Usual => return String::new(),
        Manner::Days => to = to.date_naive().and_time(NaiveTime::MIN).and_utc(),
        Manner::Seconds => {}
    }
    let form = "%Y-%m-%dT%H:%M:%SZ";
    let from = to - TimeDelta::days(30);
    format!("&from={}&to={}", from.format(form), to.format(form))
}
