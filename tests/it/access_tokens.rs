//! Tokens that an operator hands out, over the command line and HTTP of the real binary.

use reqwest::Method;
use serde_json::json;

use crate::support::app::{Answer, JITA, read};
use crate::support::served::RealApp;

const EVERYTHING: &str = "/api/killmails?limit=all";

/// What the command printed.
async fn token(app: &RealApp, arguments: &[&str]) -> Result<String, String> {
    let arguments = [&["token"], arguments].concat();
    let output = app.run(&arguments).await;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

async fn get(app: &RealApp, path: &str, token: Option<&str>) -> Answer {
    let mut request = app
        .request(Method::GET, path)
        .header("accept", "application/x-ndjson");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    read(request).await
}

/// Status, and the code where there is one, of making a subscription.
async fn subscribe(app: &RealApp, token: Option<&str>) -> (u16, String) {
    let body = json!({ "callback_url": "https://hooks.invalid/" });
    let mut request = app.request(Method::POST, "/api/subscriptions").json(&body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = read(request).await;
    let code = answer.json()["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    (answer.status, code)
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A service that asks for tokens, and two of them: for subscriptions, and for exports.
async fn guarded() -> (RealApp, [String; 2]) {
    let app = RealApp::with_env(&[
        ("WK_API_TOKENS", "required"),
        ("WK_ADMIN_TOKEN", "operator"),
    ])
    .await;
    let tool = ["create", "--name", "tool", "--scope", "subscriptions"];
    let tool = token(&app, &tool).await.unwrap();
    let export = [
        "create", "--name", "analyst", "--scope", "export", "--days", "7",
    ];
    let export = token(&app, &export).await.unwrap();
    assert!(tool.starts_with("wk_") && tool != export, "{tool}");
    (app, [tool, export])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_takes_a_token_for_it() {
    let (app, [tool, export]) = guarded().await;
    let required = refused(401, "token_required");
    assert_eq!(subscribe(&app, None).await, required);
    assert_eq!(subscribe(&app, Some("wk_unknown")).await, required);
    let lacking = refused(403, "token_lacks_scope");
    assert_eq!(subscribe(&app, Some(&export)).await, lacking);
    for good in [tool.as_str(), "operator"] {
        assert_eq!(subscribe(&app, Some(good)).await, (201, String::new()));
    }
    let old = |token: Option<&str>| {
        let request = app.request(Method::GET, "/api/v1/subscriptions");
        let request = token
            .into_iter()
            .fold(request, reqwest::RequestBuilder::bearer_auth);
        read(request)
    };
    let refusal = old(None).await;
    let plain = json!({ "error": "Unauthorized", "status": "401" });
    assert_eq!((refusal.status, refusal.json()), (401, plain));
    assert_eq!(old(Some(&tool)).await.json()["data"]["count"], 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_at_once_takes_a_token_for_it() {
    let (app, [tool, export]) = guarded().await;
    app.append([1, 2], JITA).await;
    for (shown, status) in [
        (None, 401),
        (Some(tool.as_str()), 403),
        (Some(export.as_str()), 200),
    ] {
        let answer = get(&app, EVERYTHING, shown).await;
        assert_eq!(answer.status, status, "{shown:?}");
    }
    let all = get(&app, EVERYTHING, Some(&export)).await.body;
    assert_eq!(all.lines().count(), 2);
    let page = get(&app, "/api/killmails?limit=1", None).await;
    assert_eq!(page.status, 200, "reads are open");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_listed_without_themselves_and_good_until_they_are_revoked() {
    let (app, [tool, _]) = guarded().await;
    assert_eq!(subscribe(&app, Some(&tool)).await.0, 201);
    let listed = token(&app, &["list"]).await.unwrap();
    let lines: Vec<&str> = listed.lines().collect();
    for (line, part) in [
        (lines[0], "tool\tsubscriptions\tmade "),
        (lines[0], "\tused "),
        (lines[1], "\texpires "),
    ] {
        assert!(line.contains(part), "{listed}");
    }
    assert!(!listed.contains(&tool), "{listed}");

    let revoke = ["revoke", "--name", "tool"];
    token(&app, &revoke).await.unwrap();
    assert_eq!(
        subscribe(&app, Some(&tool)).await,
        refused(401, "token_required")
    );
    let again = token(&app, &revoke).await.unwrap_err();
    assert!(again.contains("revoked already"), "{again}");
    let twice = ["create", "--name", "analyst", "--scope", "export"];
    let twice = token(&app, &twice).await.unwrap_err();
    assert!(twice.contains("revoke it first"), "{twice}");
    let anew = ["create", "--name", "tool", "--scope", "subscriptions"];
    token(&app, &anew).await.unwrap();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_for_a_token_that_is_not_required() {
    let app = RealApp::start().await;
    assert_eq!(subscribe(&app, None).await.0, 201);
    let everything = get(&app, EVERYTHING, None).await;
    assert_eq!(
        (everything.status, &everything.json()["code"]),
        (403, &json!("admin_off"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_token_is_good_for_nothing() {
    let app = RealApp::with_env(&[("WK_API_TOKENS", "required")]).await;
    let create = [
        "create", "--name", "tool", "--scope", "export", "--days", "1",
    ];
    let tool = token(&app, &create).await.unwrap();
    assert_eq!(get(&app, EVERYTHING, Some(&tool)).await.status, 200);
    sqlx::query("UPDATE api_tokens SET expires_at = now()")
        .execute(&app.store.pool)
        .await
        .unwrap();
    assert_eq!(get(&app, EVERYTHING, Some(&tool)).await.status, 401);
    app.stop().await;
}
