//! The OpenAPI document: it is valid, it has every route and no other, and answers are what it says.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use wanderer_kills::api::Limits;

use crate::support::app::{Answer, JITA, TestApp, read, send};
use crate::support::openapi::{Document, OPENAPI_SCHEMA};

async fn document(app: &TestApp) -> Document {
    Document::of(app.get("/api/openapi.json").await.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_valid() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let schema: Value = serde_json::from_str(OPENAPI_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(&document.json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (place, schema) in document.schemas() {
        let valid = jsonschema::meta::validate(schema);
        assert!(valid.is_ok(), "{place}: {}", valid.unwrap_err());
    }
    assert_eq!(document.dangling_references(), BTreeSet::new());
    let mut version = document.json.clone();
    version["openapi"] = json!("3.0.3");
    assert!(!validator.is_valid(&version), "the schema looks at nothing");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_in_full() {
    let app = TestApp::start().await;
    let mut document = document(&app).await.json;
    assert_eq!(
        app.get("/api/openapi").await.json(),
        document,
        "both addresses have the same"
    );
    document["info"]["version"] = json!("as in Cargo.toml");
    insta::assert_json_snapshot!(document);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_told_in_full() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let mut ids = BTreeSet::new();
    for operation in document.operations() {
        let name = operation.name();
        for member in ["operationId", "summary", "description", "responses"] {
            let told = &operation.json[member];
            assert!(!told.is_null() && told != "", "{name} has no {member}");
        }
        let id = operation.json["operationId"].as_str().unwrap();
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        let tags = operation.json["tags"].as_array().unwrap();
        assert_eq!(tags.len(), 1, "{name}: {tags:?}");
        let groups = document.json["tags"].as_array().unwrap();
        assert!(groups.iter().any(|group| group["name"] == tags[0]));
        for parameter in operation.json["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let text = parameter["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name}: {parameter}");
        }
        for (status, response) in operation.json["responses"].as_object().unwrap() {
            let text = response["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name}: {status}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_method_is_answered_and_no_other() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    for (path, known) in document.paths() {
        if path == "/socket/websocket" {
            // Other methods have an answer of their own there.
            continue;
        }
        for method in &methods {
            let request = app.request(method.clone(), &Document::sample(&path));
            let response = send(request).await;
            let status = response.status().as_u16();
            if known.contains(method.as_str()) {
                assert_ne!(status, 405, "{method} {path}");
                continue;
            }
            // The catch-all of the old interface takes what its paths do not.
            let expected = if path.starts_with("/api/v1") || path == "/status" {
                404
            } else {
                405
            };
            assert_eq!(status, expected, "{method} {path} is not in the document");
        }
    }
    app.stop().await;
}

/// Routes come with their part of the document; these have no operation of their own.
const WITHOUT_OPERATION: [&str; 3] = ["/api/v1", "/api/v1/", "/api/v1/{*rest}"];

#[test]
fn no_route_passes_the_document_by() {
    let mut found = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/api"
    ))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("\n#[cfg(test)]\n").next().unwrap();
            for word in [".route(", ".route_service(", ".nest(", ".nest_service("] {
                for rest in code.split(word).skip(1).map(str::trim_start) {
                    let known = |path: &&str| rest.starts_with(&format!("\"{path}\""));
                    if !WITHOUT_OPERATION.iter().any(known) {
                        let line: String = rest.chars().take(60).collect();
                        found.push(format!("{}: {word}{line}", path.display()));
                    }
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "register these with routes!, so that the document has them:\n{}",
        found.join("\n")
    );
}

/// One request, and the status it gets.
type Row = (&'static str, String, Option<Value>, u16);

fn row(method: &'static str, path: &str, status: u16) -> Row {
    (method, path.to_owned(), None, status)
}

fn get(path: &str, status: u16) -> Row {
    row("GET", path, status)
}

fn posted(method: &'static str, path: &str, body: Value, status: u16) -> Row {
    (method, path.to_owned(), Some(body), status)
}

fn reads() -> Vec<Row> {
    vec![
        get("/", 200),
        get("/live/main.js", 200),
        get("/live/style.css", 200),
        get("/live/icon.svg", 200),
        get("/live/no-such-file", 404),
        get("/ping", 200),
        get("/metrics", 200),
        get("/health", 200),
        get("/api/health", 200),
        get("/health/live", 200),
        get("/health/ready", 200),
        get("/status", 200),
        get("/websocket", 200),
        get("/websocket/status", 200),
        get("/socket/websocket", 400),
        get("/socket/websocket?vsn=9.9.9", 403),
        get("/api/killfeed", 200),
        get("/api/killfeed?after=0&limit=1&systems=30000142", 200),
        get("/api/killfeed?after=3&wait=1&regions=1", 200),
        get("/api/killfeed?limit=0", 400),
        get("/api/killfeed?sytems=1", 400),
        get("/api/killfeed?after=999999", 409),
        get("/api/killfeed?client_id=a&systems=30000142", 200),
        get("/api/killfeed?client_id=a&systems=30000142", 204),
        get("/api/killfeed?client_id=a", 400),
        get("/api/killfeed/next?client_id=b&systems=30000142", 200),
        get("/api/killfeed/next?client_id=b&systems=30000002", 204),
        get("/api/killfeed/next", 400),
        get("/api/killfeed/stream?after=x", 400),
        get("/api/killfeed/stream?after=999999", 409),
        get("/api/killfeed/ws", 426),
        get("/api/killfeed/ws?after=x", 400),
        get("/api/killmails/1", 200),
        get("/api/killmails/1?include=items", 200),
        get("/api/killmails/1?include=names", 400),
        get("/api/killmails/0", 400),
        get("/api/killmails/99", 404),
        get("/api/systems/active", 200),
        get("/api/systems/active?hours=0", 400),
        get("/ephemeral/sequence.json", 200),
        get("/ephemeral/1.json", 200),
        get("/ephemeral/99.json", 404),
        get("/ephemeral/x", 404),
        get("/listen.php?queueID=q&ttw=1", 302),
        get("/listen.php", 429),
        get("/listen.php?queueID=q&filter=x", 400),
        get("/object.php?objectID=null", 200),
        get("/object.php?objectID=1", 200),
        get("/object.php?objectID=99", 404),
        get("/object.php?objectID=1&objectID=2", 400),
        get("/api/openapi.json", 200),
        get("/api/openapi", 200),
        get("/docs", 308),
        get("/docs/", 200),
        get("/docs/swagger-ui.css", 200),
        get("/docs/no-such-file", 404),
    ]
}

/// Rows of `/api/stats`.
fn statistics() -> Vec<Row> {
    vec![
        get("/api/stats/activity", 200),
        get("/api/stats/activity?system=30000142&bucket=day", 200),
        get("/api/stats/activity?bucket=week", 400),
        get("/api/stats/activity?corporation=98000001&bucket=day", 200),
        get("/api/stats/top?list=ships_used&region=10000002", 200),
        get("/api/stats/top?list=most_valuable", 200),
        get("/api/stats/top", 400),
        get("/api/stats/characters/90379338", 200),
        get("/api/stats/corporations/98000001?npc=false", 200),
        get("/api/stats/alliances/99000001", 200),
        get("/api/stats/alliances/x", 400),
        get("/api/stats/related/1", 200),
        get("/api/stats/related/99", 404),
        get("/api/stats/related/1?minutes=0", 400),
    ]
}

fn old_interface() -> Vec<Row> {
    let systems = json!({ "system_ids": [JITA, 1], "since_hours": 9999 });
    let hook = json!({ "subscriber_id": "s", "callback_url": "https://hooks.invalid/", "system_ids": [1] });
    vec![
        get("/api/v1/kills/system/30000142?since_hours=168", 200),
        get("/api/v1/kills/system/x", 400),
        get("/api/v1/kills/cached/30000142", 200),
        get("/api/v1/kills/cached/0", 400),
        get("/api/v1/kills/count/30000142", 200),
        get("/api/v1/kills/count/x", 400),
        get("/api/v1/killmail/1", 200),
        get("/api/v1/killmail/x", 400),
        get("/api/v1/killmail/99", 404),
        get("/api/v1/systems/30000142/killmails?hours=168", 200),
        get("/api/v1/systems/x/killmails", 400),
        get("/api/v1/characters/90379338/killmails?limit=2", 200),
        get("/api/v1/characters/1/killmails?limit=0", 400),
        posted("POST", "/api/v1/kills/systems", systems.clone(), 200),
        posted("POST", "/api/v1/kills/systems", json!({}), 400),
        posted("POST", "/api/v1/systems/bulk/killmails", systems, 200),
        posted("POST", "/api/v1/systems/bulk/killmails", json!([]), 400),
        get("/api/v1/kills/stream?system_ids=x", 400),
        get("/api/v1/kills/stream/enhanced?preload_days=-1", 400),
        posted("POST", "/api/v1/subscriptions", hook, 201),
        posted("POST", "/api/v1/subscriptions", json!({}), 400),
        get("/api/v1/subscriptions", 200),
        get("/api/v1/subscriptions/stats", 200),
        row("DELETE", "/api/v1/subscriptions/s", 200),
    ]
}

async fn ask(app: &TestApp, (method, path, body, _): &Row, secret: Option<&str>) -> Answer {
    let method: Method = method.parse().unwrap();
    let mut request = app.request(method, path);
    if let Some(secret) = secret {
        request = request.bearer_auth(secret);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    read(request).await
}

/// Holds one answer against the document.
async fn check(app: &TestApp, document: &Document, row: &Row, secret: Option<&str>) -> Answer {
    let (method, path, _, status) = row;
    let answer = ask(app, row, secret).await;
    assert_eq!(answer.status, *status, "{method} {path}: {}", answer.body);
    document.check(method, path, &answer);
    answer
}

async fn filled() -> TestApp {
    let app = TestApp::without_redirects().await;
    app.append_recent([1, 2, 3], JITA).await;
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_what_the_document_says() {
    let app = filled().await;
    let document = document(&app).await;
    for row in [reads(), statistics(), old_interface()].concat() {
        check(&app, &document, &row, None).await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_what_the_document_says() {
    let app = filled().await;
    let document = document(&app).await;
    let path = "/api/subscriptions";
    let wanted = json!({ "callback_url": "https://hooks.invalid/", "filter": { "systems": [JITA], "min_value": 1.0 } });
    let made = check(&app, &document, &posted("POST", path, wanted, 201), None).await;
    let made = made.json();
    let secret = made["secret"].as_str();
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let below = |rest: &str| format!("{one}/{rest}");
    let owners = [
        row("GET", &one, 200),
        posted("PATCH", &one, json!({ "format": "discord" }), 200),
        posted("PATCH", &one, json!({ "format": "x" }), 400),
        row("POST", &below("pause"), 200),
        row("POST", &below("test"), 202),
        row("POST", &below("resume"), 200),
        row("GET", &below("deliveries"), 200),
        row("GET", &below("deliveries?limit=0"), 400),
        row("POST", &below("deliveries/0/redeliver"), 400),
        row("POST", &below("deliveries/99/redeliver"), 404),
    ];
    for row in &owners {
        check(&app, &document, row, secret).await;
    }
    let others = [
        row("GET", &one, 200),
        row("GET", &format!("{path}/nobody"), 404),
        posted("PATCH", &one, json!({}), 401),
        row("DELETE", &one, 401),
        row("POST", &below("pause"), 401),
        row("POST", &below("resume"), 401),
        row("POST", &below("test"), 401),
        row("GET", &below("deliveries"), 401),
        row("POST", &below("deliveries/1/redeliver"), 401),
        row("DELETE", &format!("{path}/nobody"), 404),
        posted(
            "POST",
            path,
            json!({ "callback_url": "http://127.0.0.1/" }),
            400,
        ),
        posted(
            "POST",
            path,
            json!({ "callback_url": "x".repeat(70_000) }),
            413,
        ),
    ];
    for row in &others {
        check(&app, &document, row, None).await;
    }
    check(&app, &document, &row("DELETE", &one, 204), secret).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_what_the_document_says() {
    let limits = Limits {
        requests: 0,
        streams: 0,
        ..Limits::default()
    };
    let app = TestApp::with_limits(limits).await;
    let document = document(&app).await;
    let rows = [
        "/api/killfeed",
        "/api/killfeed?wait=1",
        "/api/killfeed?client_id=a&systems=1",
        "/api/killfeed/next?client_id=a&systems=1",
        "/api/killfeed/stream",
        "/api/killmails/1",
        "/api/systems/active",
        "/api/subscriptions/x",
        "/ephemeral/1.json",
        "/object.php?objectID=1",
        "/listen.php?queueID=q",
        "/status",
        "/api/v1/kills/system/1",
        "/api/v1/kills/stream",
        "/api/v1/kills/stream/enhanced",
        "/api/v1/subscriptions",
    ];
    for path in rows {
        check(&app, &document, &row("GET", path, 503), None).await;
    }
    let text = app
        .request(Method::GET, "/status")
        .header("accept", "text/html");
    let answer = read(text).await;
    assert_eq!(answer.status, 406);
    document.check("GET", "/status", &answer);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_needs_nothing_from_elsewhere() {
    let app = TestApp::without_redirects().await;
    let moved = app.get("/docs").await;
    assert_eq!((moved.status, moved.header("location")), (308, "docs/"));
    let page = app.get("/docs/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    assert!(
        !policy.contains("http") && !policy.contains('*'),
        "{policy}"
    );
    let mut files = BTreeSet::new();
    for attribute in ["src=\"", "href=\""] {
        for rest in page.body.split(attribute).skip(1) {
            files.insert(rest.split('"').next().unwrap().to_owned());
        }
    }
    assert!(files.len() >= 5, "{files:?}");
    assert!(
        !page.body.contains("<script>") && !page.body.contains("<style"),
        "{}",
        page.body
    );
    for file in &files {
        assert!(!file.contains("//"), "{file} is elsewhere");
        let name = file.trim_start_matches("./");
        let asset = app.get(&format!("/docs/{name}")).await;
        assert_eq!(asset.status, 200, "{file}");
        assert_eq!(asset.header("content-security-policy"), policy, "{file}");
    }
    let start = app.get("/docs/swagger-initializer.js").await.body;
    assert!(start.contains(r#""../api/openapi.json""#), "{start}");
    assert!(start.contains(r#""validatorUrl": "none""#), "{start}");
    assert!(!start.contains("http"), "{start}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_files_come_packed_and_unpacked() {
    let app = TestApp::without_redirects().await;
    let path = "/docs/swagger-ui.css";
    let plain = app.get(path).await;
    assert_eq!(plain.header("content-encoding"), "");
    assert!(plain.body.starts_with(".swagger-ui"), "{:.80}", plain.body);
    let packed = app
        .request(Method::GET, path)
        .header("accept-encoding", "br, gzip");
    let packed = send(packed).await;
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() < plain.body.len() / 3);
    app.stop().await;
}
