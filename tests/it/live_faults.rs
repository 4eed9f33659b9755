//! The live source against the simulator's faults: real sockets and a real database, but waits that pass at
//! once. Whatever goes wrong, every killmail is stored in the end and the server's rules are kept.

use std::time::Duration;

use rstest::rstest;
use wanderer_kills::runtime::clock::Clock as _;
use wanderer_kills::runtime::config::LiveSource;
use wanderer_kills::simulator::{Fault, FaultRule, Request};

use crate::support::live::{TOO_LONG, scene, seconds};

#[rstest]
#[case::ghost_404(Fault::NotFoundGhost { for_requests: 8 }, 48)]
#[case::server_error(Fault::ServerError(503), 7)]
#[case::html(Fault::Html, 7)]
#[case::empty_body(Fault::EmptyBody, 7)]
#[case::truncated(Fault::TruncatedJson, 7)]
#[case::cut_connection(Fault::CutConnection, 7)]
#[case::rate_limited(Fault::TooManyRequests { retry_after: Some(40) }, 120)]
#[case::rate_limited_without_a_word(Fault::TooManyRequests { retry_after: None }, 60)]
#[case::banned(Fault::Forbidden, 3 * 3600)]
#[case::stalled(Fault::Stall(Duration::from_secs(20)), 7)]
#[case::no_body(Fault::NullBody, 0)]
#[tokio::test]
async fn a_passing_fault_costs_time_but_no_killmail(#[case] fault: Fault, #[case] waited: u64) {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(30);
    let ids: Vec<i64> = published.iter().map(|kill| kill.killmail_id).collect();
    let rule = FaultRule::sequence(published[12].sequence, fault).times(3);
    scene.simulator.fault(rule);
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    assert!(scene.clock.monotonic() >= seconds(waited));
    assert_eq!(scene.simulator.violations(), []);
    assert_eq!(scene.count("SELECT count(*) FROM feed").await, 30);
}

#[tokio::test]
async fn a_permanent_gap_is_passed_over_and_noted() {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(30);
    let missing = published[12].sequence;
    scene
        .simulator
        .fault(FaultRule::sequence(missing, Fault::GapForever));
    let ids: Vec<i64> = published
        .iter()
        .filter(|kill| kill.sequence != missing)
        .map(|kill| kill.killmail_id)
        .collect();
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    assert!(scene.clock.monotonic() >= seconds(66));
    assert_eq!(scene.simulator.violations(), []);
    let noted = format!("SELECT count(*) FROM source_gaps WHERE position = {missing}");
    assert_eq!(scene.count(&noted).await, 1);
}

#[tokio::test]
async fn a_gap_that_fills_later_is_closed_by_its_ladder() {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(30);
    let late = published[12].sequence;
    let ids: Vec<i64> = published.iter().map(|kill| kill.killmail_id).collect();
    // Missing for longer than it is waited for, so that it is passed over first.
    let rule = FaultRule::sequence(late, Fault::NotFoundGhost { for_requests: 13 });
    scene.simulator.fault(rule);
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    let open = format!("SELECT count(*) FROM source_gaps WHERE position = {late}");
    assert_eq!(scene.count(&open).await, 0);
    assert_eq!(scene.simulator.violations(), []);
}

#[tokio::test]
async fn a_restart_goes_on_after_the_last_stored_number() {
    let scene = scene(LiveSource::R2z2).await;
    let first = scene.simulator.publish(10);
    let ids: Vec<i64> = first.iter().map(|kill| kill.killmail_id).collect();
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    let asked = scene.simulator.request_count("/r2z2/ephemeral/");
    let second = scene.simulator.publish(5);
    let ids: Vec<i64> = second.iter().map(|kill| kill.killmail_id).collect();
    let running = scene.follow();
    scene.stores(&ids).await;
    running.stop().await;
    let again = scene.simulator.requests().split_off(asked);
    let first_path = format!("/{}.json", first[9].sequence);
    assert!(
        again
            .iter()
            .all(|request| !request.path.ends_with(&first_path))
    );
}

#[tokio::test]
async fn a_number_uploaded_again_is_read_again() {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(10);
    let running = scene.follow();
    scene.stores(&[published[9].killmail_id]).await;
    assert!(scene.simulator.relabel(published[3].sequence, "ganked"));
    scene.simulator.publish(1);
    let query = format!(
        "SELECT count(*) FROM killmails WHERE killmail_id = {} AND 'ganked' = ANY(labels)",
        published[3].killmail_id
    );
    let updated = async {
        while scene.count(&query).await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, updated).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn an_update_told_by_a_document_that_was_passed_over_is_not_lost() {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(10);
    let running = scene.follow();
    scene.stores(&[published[9].killmail_id]).await;
    let teller = published[9].sequence + 1;
    scene
        .simulator
        .fault(FaultRule::sequence(teller, Fault::GapForever));
    assert!(scene.simulator.relabel(published[3].sequence, "ganked"));
    scene.simulator.publish(10);
    let noted = format!("SELECT count(*) FROM source_gaps WHERE position = {teller}");
    scene.until(&noted).await;
    scene.simulator.clear_faults();
    let updated = format!(
        "SELECT count(*) FROM killmails WHERE killmail_id = {} AND 'ganked' = ANY(labels)",
        published[3].killmail_id
    );
    scene.until(&updated).await;
    running.stop().await;
}

#[tokio::test]
async fn a_number_reused_for_another_killmail_gives_both() {
    let scene = scene(LiveSource::R2z2).await;
    let published = scene.simulator.publish(10);
    let running = scene.follow();
    scene.stores(&[published[9].killmail_id]).await;
    let last = published[9].sequence;
    scene
        .simulator
        .fault(FaultRule::sequence(last, Fault::ReusedNumber).times(1));
    scene.until("SELECT count(*) - 10 FROM killmails").await;
    running.stop().await;
    assert_eq!(scene.count("SELECT count(*) FROM feed").await, 11);
    assert_eq!(scene.simulator.violations(), []);
}

#[tokio::test]
async fn a_rewound_sequence_json_takes_nobody_back() {
    let scene = scene(LiveSource::R2z2).await;
    let first = scene.simulator.publish(60);
    let running = scene.follow();
    scene.stores(&[first[59].killmail_id]).await;
    let rewound = Fault::RewoundSequence { by: 40 };
    scene
        .simulator
        .fault(FaultRule::path("*/sequence.json", rewound));
    let missing = FaultRule::sequence(first[59].sequence + 2, Fault::GapForever);
    scene.simulator.fault(missing);
    let second = scene.simulator.publish(5);
    let consulted = async {
        let rewound = |request: &Request| request.fault == Some("rewound_sequence");
        while !scene.simulator.requests().iter().any(rewound) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, consulted).await.unwrap();
    scene.simulator.clear_faults();
    let ids: Vec<i64> = second.iter().map(|kill| kill.killmail_id).collect();
    scene.stores(&ids).await;
    running.stop().await;
    let early = format!("/r2z2/ephemeral/{}.json", first[30].sequence);
    assert_eq!(scene.simulator.request_count(&early), 1);
    assert_eq!(scene.count("SELECT count(*) FROM feed").await, 65);
}

#[tokio::test]
async fn redisq_hands_over_everything_bodies_from_esi() {
    let scene = scene(LiveSource::Redisq).await;
    let running = scene.follow();
    let first_poll = async {
        while scene.simulator.request_count("/redisq/listen.php") == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, first_poll).await.unwrap();
    let published = scene.simulator.publish(8);
    let ids: Vec<i64> = published.iter().map(|kill| kill.killmail_id).collect();
    scene.stores(&ids).await;
    running.stop().await;
    assert_eq!(scene.count("SELECT count(*) FROM feed").await, 8);
}
