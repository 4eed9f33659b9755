//! Server-sent events.

use super::support::app::{JITA, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_resumes_by_last_event_id_with_nothing_lost_or_doubled() {
    let app = TestApp::start().await;
    app.append(1..=10, JITA).await;
    let mut seen = Vec::new();
    let mut last = None;
    for round in 0..4 {
        // The URL's `after` is the one of the first connection, as browsers repeat it.
        let mut stream = app.stream("after=0", last).await;
        for _ in 0..5 {
            let event = stream.next().await.unwrap();
            let data: serde_json::Value = serde_json::from_str(&event.data).unwrap();
            assert_eq!(data["event_id"].as_i64(), event.id);
            last = event.id;
            seen.push(event.id.unwrap());
        }
        drop(stream);
        if round < 2 {
            let from = 11 + round * 5;
            app.append(from..from + 5, JITA).await;
        }
    }
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cursor_it_starts_now_and_shutdown_ends_it() {
    let app = TestApp::start().await;
    app.append(1..=3, JITA).await;
    let mut stream = app.stream("", None).await;
    app.append(4..=4, JITA).await;
    assert_eq!(stream.next().await.unwrap().id, Some(4));
    let (ended, _) = tokio::join!(stream.next(), app.stop());
    assert_eq!(ended, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrow_filter_is_told_how_far_it_is() {
    let limits = wanderer_kills::api::Limits {
        keep_alive: std::time::Duration::from_millis(50),
        ..wanderer_kills::api::Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    let mut stream = app.stream("systems=30000144", None).await;
    app.append(1..=5, JITA).await;
    let event = stream.next().await.unwrap();
    assert_eq!(event.event, "cursor");
    assert!(event.id.unwrap() <= 5);
    app.stop().await;
}
