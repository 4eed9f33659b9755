//! Faults from all sides at once, and at the end nothing is lost and nothing is doubled. `docs/chaos.md` says what
//! happens in a run and how to read its report.
//!
//! Two service processes on one database follow a simulator whose servers fail at random, while the database's
//! connections are cut, its disk is full, it is killed, the processes are killed, and the clock of one of them jumps.
//! Listeners of every kind come and go on either process. What happens when comes from the seed.
//!
//! | variable | what it chooses | short form |
//! |---|---|---|
//! | `CHAOS_SECONDS` | how long the faults last | 40 |
//! | `CHAOS_LISTENERS` | how many listeners there are | 200 |
//! | `CHAOS_KILLMAILS` | killmails published meanwhile | 300 |
//! | `CHAOS_SEED` | which chaos it is | 1 |

mod blows;
mod crowd;
mod disk;
mod fake_clock;
mod kept;
mod report;
mod schedule;
mod stage;
mod truth;

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use self::crowd::Crowd;
use self::report::Report;
use self::schedule::Settings;
use self::stage::Stage;
use self::truth::Truth;

/// For what has to come after the last fault; the longest pauses of retries lie below it.
const RECOVERY_LIMIT: Duration = Duration::from_mins(5);
/// Killmails that appear at once, at most.
const MOST_AT_ONCE: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_loses_nothing_and_doubles_nothing() {
    let settings = Settings::read();
    let stage = Arc::new(Stage::set(&settings).await);
    let crowd = Crowd::gather(&stage, &settings).await;
    let begun = Instant::now();

    let mut random = StdRng::seed_from_u64(settings.seed);
    let mut blows = JoinSet::new();
    let seed = random.random();
    let ((), ()) = tokio::join!(publish(&stage, &settings, seed), async {
        for (at, blow) in schedule::blows(&mut random, settings.lasting()) {
            sleep_until(begun + at).await;
            blows.spawn(blows::strike(Arc::clone(&stage), blow));
        }
    });
    sleep_until(begun + settings.lasting()).await;
    blows.join_all().await;

    // Calm: whoever is here stays, and something happens in every system once more.
    stage.simulator.set_fault_plan(None);
    crowd.stay();
    stage.publish(stage.systems.len());
    let complete = timeout(RECOVERY_LIMIT, async {
        let truth = Truth::complete(&stage).await;
        crowd.complete(&truth).await;
    });
    let complete = complete.await;
    let listeners = crowd.leave();
    // Once more, because known killmails may have changed meanwhile.
    let truth = Truth::read(&stage).await;
    let exits = stage.end().await;
    let report = Report::new(&settings, &stage, &truth, &listeners);
    println!("{report}");
    report.check();
    assert!(complete.is_ok(), "not everything came in time");
    assert_eq!(exits, [Some(0); 2], "a clean end after SIGTERM");
}

/// Publishes the killmails in bursts, until the time is over.
async fn publish(stage: &Stage, settings: &Settings, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut left = settings.killmails;
    let each = settings.lasting() / u32::try_from(settings.killmails).unwrap();
    while left > 0 {
        let burst = random.random_range(1..=MOST_AT_ONCE).min(left);
        stage.publish(burst);
        left -= burst;
        let pause = each * u32::try_from(burst).unwrap();
        sleep(pause.mul_f64(random.random_range(0.5..1.5))).await;
    }
}
