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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_open_what_their_scopes_say_until_they_are_revoked() {
    let app = RealApp::with_env(&[
        ("WK_API_TOKENS", "required"),
        ("WK_ADMIN_TOKEN", "operator"),
    ])
    .await;
    app.append([1, 2], JITA).await;
    let tool = token(
        &app,
        &["create", "--name", "tool", "--scope", "subscriptions"],
    )
    .await
    .unwrap();
    let export = [
        "create", "--name", "analyst", "--scope", "export", "--days", "7",
    ];
    let export = token(&app, &export).await.unwrap();
    assert!(tool.starts_with("wk_") && tool != export, "{tool}");

    assert_eq!(subscribe(&app, None).await, refused(401, "token_required"));
    assert_eq!(
        subscribe(&app, Some("wk_unknown")).await,
        refused(401, "token_required")
    );
    assert_eq!(
        subscribe(&app, Some(&export)).await,
        refused(403, "token_lacks_scope")
    );
    for good in [tool.as_str(), "operator"] {
        assert_eq!(subscribe(&app, Some(good)).await, (201, String::new()));
    }
    for (shown, status) in [
        (None, 401),
        (Some(tool.as_str()), 403),
        (Some(export.as_str()), 200),
    ] {
        assert_eq!(
            get(&app, EVERYTHING, shown).await.status,
            status,
            "{shown:?}"
        );
    }
    assert_eq!(
        get(&app, EVERYTHING, Some(&export))
            .await
            .body
            .lines()
            .count(),
        2
    );
    let list = "/api/v1/subscriptions";
    let old = |token: Option<&str>| {
        let request = app.request(Method::GET, list);
        let request = token
            .into_iter()
            .fold(request, reqwest::RequestBuilder::bearer_auth);
        read(request)
    };
    let refusal = old(None).await;
    let plain = json!({ "error": "Unauthorized", "status": "401" });
    assert_eq!((refusal.status, refusal.json()), (401, plain));
    assert_eq!(old(Some(&tool)).await.json()["data"]["count"], 2);
    assert_eq!(
        get(&app, "/api/killmails?limit=1", None).await.status,
        200,
        "reads are open"
    );

    let listed = token(&app, &["list"]).await.unwrap();
    let lines: Vec<&str> = listed.lines().collect();
    assert!(
        lines[0].starts_with("tool\tsubscriptions\tmade "),
        "{listed}"
    );
    assert!(
        lines[0].contains("\tused ") && lines[1].contains("\texpires "),
        "{listed}"
    );
    assert!(!listed.contains(&tool), "{listed}");
    token(&app, &["revoke", "--name", "tool"]).await.unwrap();
    assert_eq!(
        subscribe(&app, Some(&tool)).await,
        refused(401, "token_required")
    );
    assert!(
        token(&app, &["revoke", "--name", "tool"])
            .await
            .unwrap_err()
            .contains("revoked already")
    );
    let twice = ["create", "--name", "analyst", "--scope", "export"];
    assert!(
        token(&app, &twice)
            .await
            .unwrap_err()
            .contains("revoke it first")
    );
    token(
        &app,
        &["create", "--name", "tool", "--scope", "subscriptions"],
    )
    .await
    .unwrap();
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
