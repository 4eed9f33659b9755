//! One number that R2Z2 never shows, from the moment it is passed over until history closes its gap: the live source,
//! the ladder, the daily reconciliation, a listener of the feed, and what the API tells.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow};
use tokio_util::sync::CancellationToken;
use wanderer_kills::ingest::backfill::jobs::JobSources;
use wanderer_kills::ingest::backfill::{BackfillDeps, Source};
use wanderer_kills::ingest::reconcile::{self, ReconcileDeps};
use wanderer_kills::runtime::clock::{Clock as _, SystemClock};
use wanderer_kills::runtime::config::{BackfillConfig, LiveSource};
use wanderer_kills::simulator::{Fault, FaultRule, Habits, Published, SimulatorConfig};
use wanderer_kills::upstream::zkb::history::History;

use crate::store_samples::time;
use crate::support::app::{Socket, TestApp};
use crate::support::backfill::day;
use crate::support::live::{Scene, scene_with};

/// When a number that was passed over is asked for again, each time after the one before.
const LADDER: [Duration; 4] = [
    Duration::from_mins(2),
    Duration::from_mins(15),
    Duration::from_hours(2),
    Duration::from_hours(20),
];
/// Killmails of 1 November: a quarter of an hour apart, from noon to midnight.
const EVENING: usize = 48;
/// The one that R2Z2 never shows: of 23:00.
const MISSING: usize = 44;
/// Killmails of the next morning.
const MORNING: usize = 30;
/// Killmails of 31 October, which nobody followed.
const DAY_BEFORE: u32 = 20;

/// Everything that takes part.
struct Story {
    scene: Scene,
    app: TestApp,
    listener: Socket,
    missing: Published,
}

impl Story {
    /// Ten minutes before midnight; the evening's numbers are there, all but one.
    async fn begin() -> (Self, Vec<Published>) {
        let mut scene = scene_with(
            LiveSource::R2z2,
            SimulatorConfig {
                habits: Habits::NONE,
                pace: Duration::from_mins(15),
                history_days: 1,
                history_per_day: DAY_BEFORE,
                ..SimulatorConfig::default()
            },
        )
        .await;
        scene.deps.live.r2z2_start = Some(SimulatorConfig::default().first_sequence);
        scene.clock.advance(Duration::from_mins(12 * 60 - 10));
        let mut evening = scene.simulator.publish(EVENING);
        let missing = evening.remove(MISSING);
        let never = FaultRule::sequence(missing.sequence, Fault::GapForever);
        scene.simulator.fault(never);
        // On the scene's clock the server's own waits would make time fly.
        let app = TestApp::serving(scene.database.url(), SystemClock::shared()).await;
        let mut listener = app.websocket("after=0").await;
        assert_eq!(listener.next().await["type"], "hello");
        let story = Self {
            scene,
            app,
            listener,
            missing,
        };
        (story, evening)
    }

    /// Moves the clock on to this time, unless it is later: while the source is followed, time flies.
    fn wait_until(&self, time: DateTime<Utc>) {
        let left = time - self.scene.clock.now();
        self.scene.clock.advance(left.to_std().unwrap_or_default());
    }

    /// Follows the source until these are stored and heard, and the missing number was asked for again so many times.
    async fn follow(&mut self, published: &[Published], tries: i32) {
        let running = self.scene.follow();
        let ids: Vec<i64> = published.iter().map(|it| it.killmail_id).collect();
        self.scene.stores(&ids).await;
        loop {
            let (done, due): (i32, Option<DateTime<Utc>>) =
                self.gap("attempts, next_attempt_at").await;
            let Some(due) = due.filter(|_| done < tries) else {
                break;
            };
            self.wait_until(due);
            let number = self.missing.sequence;
            let one_more =
                format!("SELECT attempts - {done} FROM source_gaps WHERE position = {number}");
            self.scene.until(&one_more).await;
        }
        running.stop().await;
        self.hears(&ids).await;
    }

    /// The listener is told of these next, and that they are new.
    async fn hears(&mut self, ids: &[i64]) {
        let mut heard = Vec::new();
        for _ in ids {
            let frame = self.listener.next().await;
            let event = &frame["event"];
            assert_eq!(event["kind"], "new", "{frame}");
            heard.push(event["killmail"]["killmail_id"].as_i64().unwrap());
        }
        heard.sort_unstable();
        assert_eq!(heard, ids);
    }

    /// Lets the daily duty do a run.
    async fn reconcile(&self) {
        let ended = "SELECT count(*) FROM reconcile_runs WHERE finished_at IS NOT NULL";
        let before = self.scene.count(ended).await;
        let stop = CancellationToken::new();
        let running = tokio::spawn(reconcile::run(duty(&self.scene), stop.clone()));
        let one_more = ended.replace("count(*)", &format!("count(*) - {before}"));
        self.scene.until(&one_more).await;
        stop.cancel();
        running.await.unwrap().unwrap();
    }

    /// What the API tells of the newest run and of 1 November.
    async fn completeness(&self) -> (Value, Value) {
        let mut told = self.app.get("/api/stats/completeness").await.json();
        let days = told["days"].as_array().unwrap();
        let found = days.iter().find(|it| it["day"] == "2026-11-01");
        let day = found.unwrap_or_else(|| panic!("{told}")).clone();
        (told["run"].take(), day)
    }

    /// Killmails of a day that were ever published.
    fn published_on(&self, day: NaiveDate) -> usize {
        let published = self.scene.simulator.published();
        let on_it = |it: &&Published| it.killmail_time.date_naive() == day;
        published.iter().filter(on_it).count()
    }

    /// Once passed over, the number was asked for at the steps of its ladder and never else.
    async fn asked_by_the_ladder(&self) {
        let (recorded,): (DateTime<Utc>,) = self.gap("recorded_at").await;
        assert_eq!(recorded.date_naive(), day("2026-11-01"));
        let path = format!("/r2z2/ephemeral/{}.json", self.missing.sequence);
        let asked = self.scene.simulator.requests().into_iter();
        let tries: Vec<DateTime<Utc>> = asked
            .filter(|request| request.path == path && request.time > recorded)
            .map(|request| request.time)
            .collect();
        assert_eq!(
            tries.len(),
            LADDER.len(),
            "passed over {recorded}: {tries:?}"
        );
        let mut due = recorded;
        for (time, pause) in tries.into_iter().zip(LADDER) {
            due += pause;
            assert!(time >= due, "{time} is before {due}");
        }
    }

    /// Columns of the gap.
    async fn gap<T>(&self, columns: &str) -> T
    where
        T: for<'row> FromRow<'row, PgRow> + Send + Unpin,
    {
        let query = format!("SELECT {columns} FROM source_gaps WHERE position = $1");
        sqlx::query_as(AssertSqlSafe(query))
            .bind(self.missing.sequence)
            .fetch_one(&self.scene.store.pool)
            .await
            .unwrap()
    }

    /// Whether the source is still asked, and what closed the gap.
    async fn standing(&self) -> (bool, Option<String>) {
        self.gap("next_attempt_at IS NOT NULL, closing").await
    }
}

/// The duty as the service starts it, but that R2Z2 alone is asked: its files are those that close gaps.
fn duty(scene: &Scene) -> ReconcileDeps {
    let live = &scene.deps.live;
    let http = scene.deps.http.clone();
    let r2z2 = History::new(http, live.r2z2_url.clone(), live.interval(), live.idle());
    ReconcileDeps {
        backfill: BackfillDeps {
            store: scene.store.clone(),
            clock: scene.deps.clock.clone(),
            resolver: scene.deps.resolver.clone(),
            ingest: scene.deps.ingest.clone(),
            backfill: BackfillConfig::default(),
        },
        sources: JobSources {
            everef: Err("not asked".to_owned()),
            r2z2: Ok(Source::history(r2z2)),
        },
        begin_after: Duration::ZERO,
    }
}

#[rstest]
#[case::while_it_is_news(true)]
#[case::when_it_is_too_old_to_be_told(false)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_never_comes_is_found_in_history(#[case] next_morning: bool) {
    let (mut story, evening) = Story::begin().await;
    story.follow(&evening, 3).await;

    story.wait_until(time("2026-11-02T08:00:00Z"));
    if next_morning {
        story.reconcile().await;
        story.hears(&[story.missing.killmail_id]).await;
        let (run, day) = story.completeness().await;
        let numbers = json!([run["stored"], run["gaps_closed"], run["lacking"]]);
        assert_eq!(numbers, json!([1, 0, 0]), "{run}");
        let expected = json!([EVENING, EVENING, null, "complete"]);
        assert_eq!(
            json!([day["own"], day["r2z2"], day["everef"], day["verdict"]]),
            expected
        );
        // What R2Z2 does not show by itself may still come: the ladder goes on.
        assert_eq!(story.standing().await, (true, None));
    }
    let morning = story.scene.simulator.publish(MORNING);
    story.follow(&morning, 4).await;
    assert_eq!(story.standing().await, (false, None));

    story.wait_until(time("2026-11-03T08:00:00Z"));
    story.reconcile().await;
    let closed = (false, Some("history_read".to_owned()));
    assert_eq!(story.standing().await, closed);
    check_settled(&story, !next_morning).await;

    // The listener's next killmail is the live source's next one, whatever history brought meanwhile.
    let next = story.scene.simulator.publish(1);
    story.follow(&next, 4).await;
    assert_eq!(story.scene.simulator.violations(), []);
    story.app.stop().await;
}

/// Everything is stored, and the API says so; `just_now` where the last run brought the missing killmail.
async fn check_settled(story: &Story, just_now: bool) {
    story.asked_by_the_ladder().await;
    for file in [
        "/r2z2/history/20261101.json",
        "/r2z2/history/raw/20261101.json",
    ] {
        assert!(story.scene.simulator.request_count(file) > 0, "{file}");
    }
    let path = format!("/api/killmails/{}", story.missing.killmail_id);
    assert_eq!(story.app.get(&path).await.status, 200);
    let (run, told) = story.completeness().await;
    let stored = u64::from(DAY_BEFORE) + u64::from(just_now);
    let numbers = json!([
        run["stored"],
        run["gaps_closed"],
        run["lacking"],
        run["error"]
    ]);
    assert_eq!(numbers, json!([stored, 1, 0, null]), "{run}");
    let all = story.published_on(day("2026-11-01"));
    assert_eq!(
        json!([told["own"], told["r2z2"], told["verdict"]]),
        json!([all, all, "complete"])
    );
}
