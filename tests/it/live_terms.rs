//! Terms of the live source: begun from an old position, lost in the middle, and ended in order.

use std::collections::BTreeSet;
use std::time::Duration;

use rstest::rstest;
use tokio_postgres::NoTls;
use wanderer_kills::runtime::config::{DatabaseConfig, LiveSource};
use wanderer_kills::simulator::{Fault, FaultRule, SimulatorConfig};
use wanderer_kills::store::Store;
use wanderer_kills::upstream::http::{HttpClient, HttpSettings};

use crate::support::live::{Running, Scene, TOO_LONG, scene, scene_with};
use crate::support::postgres::{execute, text};
use crate::support::proxy::ChaosProxy;

/// The lock of the ingester of this database.
const INGESTER: &str = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND pid IN (SELECT pid FROM pg_stat_activity WHERE application_name = 'wanderer-kills ingester')";

/// A lost lock is noticed within a second; the client gives a poll up only later than this.
const LONGER_THAN_A_LOCK_IS_TRUSTED: Duration = Duration::from_secs(4);

/// The protocols that the live source speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Protocol {
    R2z2,
    Listen,
    ListenWithBodies,
    Relay,
}

async fn scene_of(protocol: Protocol) -> Scene {
    let source = match protocol {
        Protocol::R2z2 => LiveSource::R2z2,
        Protocol::Listen | Protocol::ListenWithBodies | Protocol::Relay => LiveSource::Redisq,
    };
    let config = SimulatorConfig {
        redisq_with_body: protocol == Protocol::ListenWithBodies,
        ..SimulatorConfig::default()
    };
    let mut scene = scene_with(source, config).await;
    if protocol == Protocol::Relay {
        scene.deps.live.redisq_url = scene.simulator.redisq_url().join("poll").unwrap();
    }
    scene
}

/// Starts to follow; returns once a queue exists that gets what is published from now on.
async fn follow(scene: &Scene, protocol: Protocol) -> Running {
    let running = scene.follow();
    let path = match protocol {
        Protocol::R2z2 => "/r2z2/",
        Protocol::Listen | Protocol::ListenWithBodies => "/redisq/listen.php",
        Protocol::Relay => "/redisq/poll/",
    };
    let asked = async {
        while scene.simulator.request_count(path) == 0 {
            tokio::task::yield_now().await;
        }
        // The second request shows that the first was answered: the queue is there.
        while protocol != Protocol::R2z2 && scene.simulator.request_count(path) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, asked).await.unwrap();
    running
}

/// Everything that was published is stored, and is on the feed once.
async fn holds_everything_once(scene: &Scene) {
    let published = i64::try_from(scene.simulator.published().len()).unwrap();
    assert_eq!(
        scene.count("SELECT count(*) FROM killmails").await,
        published
    );
    let new = "SELECT count(*) FROM feed WHERE kind = 'new'";
    assert_eq!(scene.count(new).await, published);
    let holes = "SELECT max(sequence) - count(*) FROM feed";
    assert_eq!(scene.count(holes).await, 0);
}

fn all_ids(scene: &Scene) -> Vec<i64> {
    let published = scene.simulator.published();
    published.iter().map(|kill| kill.killmail_id).collect()
}

#[rstest]
#[case::listen(Protocol::Listen)]
#[case::listen_with_bodies(Protocol::ListenWithBodies)]
#[case::relay(Protocol::Relay)]
#[tokio::test]
async fn a_queue_is_emptied_and_found_again_after_a_restart(#[case] protocol: Protocol) {
    let scene = scene_of(protocol).await;
    let running = follow(&scene, protocol).await;
    scene.simulator.publish(130);
    scene.stores(&all_ids(&scene)).await;
    running.stop().await;
    // Published while nobody polls: the queue keeps it.
    scene.simulator.publish(130);
    let running = scene.follow();
    scene.stores(&all_ids(&scene)).await;
    running.stop().await;
    holds_everything_once(&scene).await;
    let bodies = scene.simulator.request_count("/esi/");
    assert_eq!(bodies > 0, protocol == Protocol::Listen, "{bodies}");
}

#[rstest]
#[case::refused(Fault::TooManyRequests { retry_after: None })]
#[case::html(Fault::Html)]
#[case::gone(Fault::GapForever)]
#[case::broken(Fault::ServerError(502))]
#[case::shutting_down(Fault::Forbidden)]
#[tokio::test]
async fn a_queue_that_fails_for_a_while_is_polled_again(#[case] fault: Fault) {
    let scene = scene_of(Protocol::Relay).await;
    let running = follow(&scene, Protocol::Relay).await;
    scene
        .simulator
        .fault(FaultRule::path("/redisq/poll/*", fault).times(7));
    scene.simulator.publish(10);
    scene.stores(&all_ids(&scene)).await;
    running.stop().await;
    holds_everything_once(&scene).await;
}

#[rstest]
#[case::r2z2(Protocol::R2z2)]
#[case::relay(Protocol::Relay)]
#[tokio::test]
async fn a_lost_lock_ends_the_term_and_another_goes_on(#[case] protocol: Protocol) {
    let scene = scene_of(protocol).await;
    let running = follow(&scene, protocol).await;
    for round in 1..=2 {
        scene.simulator.publish(60);
        scene
            .until(&format!("SELECT count(*) FROM ({INGESTER}) AS held"))
            .await;
        let end = format!("SELECT pg_terminate_backend(pid)::text FROM ({INGESTER}) AS held");
        assert_eq!(text(scene.database.url(), &end).await.unwrap(), "true");
        scene.simulator.publish(60);
        let next_term = format!("SELECT count(*) FROM source_cursors WHERE epoch > {round}");
        scene.until(&next_term).await;
    }
    scene.stores(&all_ids(&scene)).await;
    running.stop().await;
    holds_everything_once(&scene).await;
}

/// A relay forgets what it hands out, so an answer that is under way must not be given up with the lock.
#[tokio::test]
async fn what_a_relay_has_handed_out_is_kept_when_the_lock_goes() {
    let mut scene = scene_of(Protocol::Relay).await;
    let settings = HttpSettings::default();
    scene.deps.http = HttpClient::new(&settings, scene.clock.clone()).unwrap();
    follow(&scene, Protocol::Relay).await.stop().await;
    // Waiting in the queue, so that the first answer of the next term has all of it.
    scene.simulator.publish(60);
    let late = Fault::LateAnswer(LONGER_THAN_A_LOCK_IS_TRUSTED);
    scene
        .simulator
        .fault(FaultRule::path("/redisq/poll/*", late).times(1));
    let running = scene.follow();
    let under_way = async {
        let requests = || scene.simulator.requests().into_iter();
        while !requests().any(|request| request.fault == Some("late_answer")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, under_way).await.unwrap();
    let end = format!("SELECT pg_terminate_backend(pid)::text FROM ({INGESTER}) AS held");
    assert_eq!(text(scene.database.url(), &end).await.unwrap(), "true");
    scene.stores(&all_ids(&scene)).await;
    let terms = scene.count("SELECT epoch FROM source_cursors").await;
    assert!(terms > 2, "the answer came in a term of its own: {terms}");
    running.stop().await;
    holds_everything_once(&scene).await;
}

#[rstest]
#[case::r2z2(Protocol::R2z2)]
#[case::relay(Protocol::Relay)]
#[tokio::test]
async fn a_database_that_goes_away_in_the_middle_of_a_term_loses_nothing(
    #[case] protocol: Protocol,
) {
    let mut scene = scene_of(protocol).await;
    let mut proxy = ChaosProxy::start(scene.database.url()).await;
    scene.deps.store = Store::connect(proxy.url(), &DatabaseConfig::default())
        .await
        .unwrap();
    let running = follow(&scene, protocol).await;
    for _ in 0..2 {
        scene.simulator.publish(60);
        proxy.cut();
        scene.simulator.publish(60);
        tokio::time::timeout(TOO_LONG, proxy.refuses())
            .await
            .unwrap();
        proxy.restore();
        scene.stores(&all_ids(&scene)).await;
    }
    running.stop().await;
    holds_everything_once(&scene).await;
}

#[rstest]
#[case::r2z2(Protocol::R2z2)]
#[case::relay(Protocol::Relay)]
#[tokio::test]
async fn a_stop_commits_what_was_fetched(#[case] protocol: Protocol) {
    let mut scene = scene_of(protocol).await;
    // Small queues: most of what is fetched has to wait outside of them.
    scene.deps.ingest.batch_size = std::num::NonZero::new(2).unwrap();
    let running = follow(&scene, protocol).await;
    scene.simulator.publish(1);
    scene.stores(&all_ids(&scene)).await;
    // Nothing can be stored while this transaction lasts.
    let (client, connection) = tokio_postgres::connect(scene.database.url(), NoTls)
        .await
        .unwrap();
    let connection = tokio::task::spawn(connection);
    client
        .batch_execute("BEGIN; LOCK TABLE killmails IN EXCLUSIVE MODE")
        .await
        .unwrap();
    scene.simulator.publish(100);
    scene
        .until(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'killmails'::regclass",
        )
        .await;
    let handed_out = |scene: &Scene| {
        let requests = scene.simulator.requests();
        let documents = requests.into_iter().filter(|request| {
            request.status == Some(200) && request.path.starts_with("/r2z2/ephemeral/9")
        });
        documents
            .map(|request| request.path)
            .collect::<BTreeSet<_>>()
            .len()
    };
    let least = async {
        while protocol == Protocol::R2z2 && handed_out(&scene) < 50 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, least).await.unwrap();
    running.ask_to_stop();
    client.batch_execute("COMMIT").await.unwrap();
    running.stop().await;
    drop(client);
    connection.await.unwrap().unwrap();
    let stored = scene.count("SELECT count(*) FROM killmails").await;
    if protocol == Protocol::R2z2 {
        let fetched = i64::try_from(handed_out(&scene)).unwrap();
        // One answer may have been on its way at the stop.
        assert!(
            (fetched - 1..=fetched).contains(&stored),
            "{stored} of {fetched}"
        );
        let first = SimulatorConfig::default().first_sequence;
        let position = "SELECT position FROM source_cursors WHERE source = 'r2z2'";
        // Virtual minutes pass between two publications, so that some numbers stand among the gaps.
        assert!(scene.count(position).await >= first + stored - 1);
    } else {
        assert_eq!(stored, 101, "the relay has forgotten what it handed out");
    }
    let running = scene.follow();
    scene.stores(&all_ids(&scene)).await;
    running.stop().await;
    holds_everything_once(&scene).await;
}

/// How far behind a saved position is.
enum Behind {
    Hours(u32),
    Numbers(i64),
}

#[rstest]
#[case::too_old(Behind::Hours(21), true)]
#[case::old(Behind::Hours(19), false)]
#[case::too_far(Behind::Numbers(20_000), true)]
#[tokio::test]
async fn what_is_too_far_behind_is_skipped_and_noted(
    #[case] behind: Behind,
    #[case] skipped: bool,
) {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(300);
    let first = published[0].sequence;
    let (position, hours) = match behind {
        Behind::Hours(hours) => (first - 1, hours),
        Behind::Numbers(numbers) => (first - numbers, 1),
    };
    let saved = format!(
        "INSERT INTO source_cursors (source, position, updated_at)
         VALUES ('r2z2', {position}, timestamptz '2026-11-01 12:00+00' - interval '{hours} hours')"
    );
    execute(scene.database.url(), &saved).await.unwrap();
    let running = scene.follow();
    let last = published[299].sequence;
    scene.stores(&[published[299].killmail_id]).await;
    running.stop().await;
    let at = "SELECT position FROM source_cursors WHERE source = 'r2z2'";
    assert_eq!(scene.count(at).await, last);
    let stored = scene.count("SELECT count(*) FROM killmails").await;
    let noted = "SELECT count(*) FROM source_cursors WHERE detail ? 'skipped'";
    assert_eq!(scene.count(noted).await, i64::from(skipped));
    if !skipped {
        assert_eq!(stored, 300);
        return;
    }
    let from = "SELECT (detail -> 'skipped' ->> 'from')::bigint FROM source_cursors";
    assert_eq!(scene.count(from).await, position + 1);
    let to = "SELECT (detail -> 'skipped' ->> 'to')::bigint FROM source_cursors";
    let to = scene.count(to).await;
    assert_eq!(
        stored,
        last - to,
        "all after the skipped range, and nothing in it"
    );
    assert!(stored < 300);
    assert_eq!(scene.simulator.violations(), []);
}
