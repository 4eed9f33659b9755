//! Pollers of WandererKills' first killfeed, against the real binary. The number is that of the compatibility checks.

use serde_json::{Value, json};

use crate::support::app::{Answer, JITA};
use crate::support::served::RealApp;

const PERIMETER: i64 = 30_000_144;

/// Event ids of a poll.
fn events(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = answer.json();
    let events = body["events"].as_array().unwrap();
    events.iter().map(event).collect()
}

/// The number of an event that has the three known members.
fn event(event: &Value) -> i64 {
    let keys: Vec<&String> = event.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["event_id", "killmail", "system_id"], "{event}");
    assert_eq!(event["killmail"]["system_id"], event["system_id"]);
    event["event_id"].as_i64().unwrap()
}

fn assert_nothing(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_27_a_client_id_is_a_durable_place_per_system() {
    let app = RealApp::start().await;
    let poll = |client: &str, systems: &str| format!("/api/killfeed?client_id={client}&{systems}");
    let next =
        |client: &str, systems: &str| format!("/api/killfeed/next?client_id={client}&{systems}");
    let both = format!("systems[]={JITA}&systems[]={PERIMETER}");
    app.append([100], JITA).await;
    app.append([101], PERIMETER).await;
    assert_eq!(events(&app.get(&poll("bot-1", &both)).await), [1, 2]);
    assert_nothing(&app.get(&poll("bot-1", &both)).await);

    // One event at a time; the other system's place stays where it is.
    app.append([102], PERIMETER).await;
    app.append([103], JITA).await;
    let one = app.get(&next("bot-1", &both)).await.json();
    assert_eq!((event(&one), &one["system_id"]), (3, &json!(PERIMETER)));
    assert_eq!(one["killmail"]["killmail_id"], 102);
    assert_nothing(
        &app.get(&next("bot-1", &format!("systems={PERIMETER}")))
            .await,
    );
    let jita = format!("systems={JITA}");
    assert_eq!(events(&app.get(&poll("bot-1", &jita)).await), [4]);

    // Another client has a place of its own, and a new one gets everything that is kept.
    let list = format!("systems={JITA},{PERIMETER}");
    assert_eq!(event(&app.get(&next("bot_2", &list)).await.json()), 1);
    let app = app.restart().await;
    assert_nothing(&app.get(&poll("bot-1", &both)).await);
    assert_eq!(events(&app.get(&poll("bot_2", &list)).await), [2, 3, 4]);
    assert_eq!(events(&app.get(&poll("bot-3", &jita)).await), [1, 4]);
    assert_nothing(&app.get(&poll("bot-3", "systems[]=")).await);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_27_a_wrong_poll_is_refused_in_the_known_words() {
    let app = RealApp::start().await;
    let long = format!("client_id={}&systems[]=1", "x".repeat(101));
    for (query, message) in [
        ("systems[]=1&client_id=", "Client ID cannot be empty"),
        (long.as_str(), "Client ID exceeds maximum length"),
        (
            "client_id=a%20b&systems[]=1",
            "Client ID contains invalid characters",
        ),
        ("client_id=a", "Missing required parameter: systems"),
        (
            "client_id=a&systems[]=Jita",
            "Invalid systems parameter format",
        ),
        (
            "client_id=a&systems[]=0",
            "Invalid systems parameter format",
        ),
    ] {
        for path in ["/api/killfeed", "/api/killfeed/next"] {
            let answer = app.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, 400, "{path}?{query}");
            assert_eq!(answer.json(), json!({ "error": message }));
        }
    }
    let nobody = app.get("/api/killfeed/next?systems[]=1").await;
    let message = "Missing required parameter: client_id";
    assert_eq!(nobody.status, 400);
    assert_eq!(nobody.json(), json!({ "error": message }));
    app.stop().await;
}
