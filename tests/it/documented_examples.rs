//! The commands of README.md and docs/interfaces.md do what these say, each against a service with some killmails.

use futures::StreamExt as _;
use secrecy::SecretString;
use serde_json::Value;
use tokio_tungstenite::connect_async;
use wanderer_kills::api::Limits;
use wanderer_kills::domain::Killmail;
use wanderer_kills::runtime::config::ApiConfig;

use crate::support::app::{JITA, TestApp, killmail, send, storable};
use crate::support::postgres;

const PAGES: [&str; 2] = ["README.md", "docs/interfaces.md"];
const SERVICE: &str = "127.0.0.1:4004";
const TOKEN: &str = "the-operator's-token";
/// The killmail that examples name.
const KILLMAIL: i64 = 131_234_567;
/// Enough events for the numbers that examples name.
const EVENTS: i64 = 120;

/// The commands of a page's blocks in a language, without their comments.
fn commands(page: &str, language: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    for block in text.split(&format!("```{language}\n")).skip(1) {
        let block = block.split("```").next().unwrap().replace("\\\n", " ");
        found.extend(block.lines().map(str::to_owned));
    }
    found
}

/// Splits as a shell does; a comment ends it.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for character in command.chars() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (None, '#') if words.last().is_some_and(String::is_empty) => break,
            (None, ' ') => words.push(String::new()),
            (Some(open), _) if open == character => quote = None,
            _ => words.last_mut().unwrap().push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A request as curl would make it.
fn request(app: &TestApp, command: &str) -> reqwest::RequestBuilder {
    let (mut method, mut address, mut headers, mut data) =
        ("GET".to_owned(), None, Vec::new(), Vec::new());
    let mut in_query = false;
    let mut words = words(command).into_iter().skip(1);
    while let Some(word) = words.next() {
        let mut next = || words.next().unwrap_or_else(|| panic!("{command}"));
        match word.as_str() {
            "-N" | "-L" => {}
            "-G" => in_query = true,
            "-X" => method = next(),
            "-H" => headers.push(next().replace("$WK_ADMIN_TOKEN", TOKEN)),
            "-d" | "--data-urlencode" => data.push(next()),
            "-o" => drop(next()),
            other if other.starts_with("http://") => address = Some(other.to_owned()),
            other => panic!("{other} in {command}: this test does not know it"),
        }
    }
    let address = address.unwrap_or_else(|| panic!("{command}"));
    let path = address.strip_prefix(&format!("http://{SERVICE}"));
    let path = path.unwrap_or_else(|| panic!("{command}: not this service"));
    let mut request = app.request(method.parse().unwrap(), path);
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        request = request.header(name, value);
    }
    if in_query {
        let pairs: Vec<_> = data
            .iter()
            .map(|pair| pair.split_once('=').unwrap())
            .collect();
        return request.query(&pairs);
    }
    match data.into_iter().next() {
        Some(body) => request.body(body),
        None => request,
    }
}

async fn filled() -> TestApp {
    let config = ApiConfig {
        admin_token: Some(SecretString::from(TOKEN)),
        ..ApiConfig::default()
    };
    let app = TestApp::with_config(config, Limits::default()).await;
    let first = KILLMAIL - EVENTS / 2;
    let batch: Vec<_> = (first..first + EVENTS)
        .map(|id| {
            storable(Killmail {
                killmail_time: chrono::Utc::now() - chrono::TimeDelta::hours(1),
                ..killmail(id, JITA)
            })
        })
        .collect();
    app.append_batch(&batch).await;
    app
}

#[test]
fn commands_are_read_as_a_shell_reads_them() {
    assert_eq!(
        words(r#"curl -H "a: 'b'" 'http://x/?a=1&b=#' -N   # long poll"#),
        ["curl", "-H", "a: 'b'", "http://x/?a=1&b=#", "-N"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_curl_command_is_answered() {
    let app = filled().await;
    for page in PAGES {
        let commands = commands(page, "sh");
        let curls = commands
            .iter()
            .filter(|command| command.starts_with("curl "));
        let mut run = 0;
        for command in curls {
            let response = send(request(&app, command)).await;
            let status = response.status();
            assert!(
                status.is_success(),
                "{page}: {command}: {status} {}",
                response.text().await.unwrap()
            );
            run += 1;
        }
        assert!(run > 8, "{page} has {run} commands");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_websocket_opens() {
    let app = filled().await;
    for page in PAGES {
        let commands = commands(page, "sh");
        let addresses: Vec<String> = commands
            .iter()
            .flat_map(|command| words(command))
            .filter(|word| word.starts_with("ws://"))
            .collect();
        assert!(!addresses.is_empty(), "{page}");
        for address in addresses {
            let here = address.replace(SERVICE, &app.address().to_string());
            let (mut socket, _) = connect_async(here).await.unwrap();
            let hello = socket.next().await.unwrap().unwrap().into_text().unwrap();
            let hello: Value = serde_json::from_str(&hello).unwrap();
            assert_eq!(hello["type"], "hello", "{page}: {address}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_is_answered() {
    let app = filled().await;
    for page in PAGES {
        let queries = commands(page, "sql").join("\n");
        assert!(queries.contains("analytics."), "{page}");
        postgres::execute(app.database_url(), &queries)
            .await
            .unwrap();
    }
    app.stop().await;
}
