//! Backfills that an operator asks for over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use wanderer_kills::simulator::{Fault, FaultRule};

use crate::support::backfill::{Bench, LIMIT, day};
use crate::support::binary::ServiceCommand;

const TOKEN: &str = "open sesame";
const WANTED: &str = r#"{"from":"2024-01-01","to":"2024-01-03"}"#;

/// Asks a service as its operator would.
struct Operator {
    address: SocketAddr,
    client: reqwest::Client,
}

impl Operator {
    fn new(address: SocketAddr) -> Self {
        wanderer_kills::runtime::tls::install();
        let client = reqwest::Client::builder().build().unwrap();
        Self { address, client }
    }

    async fn ask(&self, method: Method, path: &str, token: &str, body: &str) -> (u16, Value) {
        let url = format!("http://{}/api/backfills{path}", self.address);
        let request = self.client.request(method, url).body(body.to_owned());
        let answer = request.bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn post(&self, body: &str) -> (u16, Value) {
        self.ask(Method::POST, "", TOKEN, body).await
    }

    /// The job once it has ended.
    async fn ended(&self, path: &str) -> Value {
        let ended = async {
            loop {
                let (_, job) = self.ask(Method::GET, path, TOKEN, "").await;
                if !job["finished_at"].is_null() {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(LIMIT, ended).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_asks_for_days_and_stops_what_takes_too_long() {
    let bench = Bench::start_at(day("2024-01-01"), 3, 30).await;
    let folder = tempfile::tempdir().unwrap();
    let service = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", bench.database.url())
        .env("WK_LIVE_SOURCE", "none")
        .env("WK_EVEREF_URL", bench.simulator.everef_url())
        .env("WK_ADMIN_TOKEN", TOKEN);
    let operator = Operator::new(service.listen());
    let running = service.start().await;
    check_refusals(&operator).await;

    let (status, job) = operator.post(WANTED).await;
    assert_eq!((status, &job["source"]), (202, &"everef".into()));
    let done = operator.ended(&format!("/{}", job["id"])).await;
    assert_eq!(
        (&done["state"], &done["error"]),
        (&"done".into(), &Value::Null)
    );
    let numbers = [&done["days"], &done["days_settled"], &done["documents"]];
    assert_eq!(numbers, [&Value::from(3), &3.into(), &90.into()]);
    assert_eq!(bench.stored().await, bench.expected());

    let slow = Fault::Stall(Duration::from_mins(1));
    let totals = "/everef/killmails/totals.json";
    bench.simulator.fault(FaultRule::path(totals, slow));
    let (_, job) = operator.post(WANTED).await;
    let path = format!("/{}", job["id"]);
    let (status, _) = operator.ask(Method::DELETE, &path, TOKEN, "").await;
    assert_eq!(status, 202);
    assert_eq!(operator.ended(&path).await["state"], "cancelled");
    let (_, list) = operator.ask(Method::GET, "", TOKEN, "").await;
    assert_eq!(list["backfills"].as_array().unwrap().len(), 2);
    let (status, _) = operator.ask(Method::GET, "/99", TOKEN, "").await;
    assert_eq!(status, 404);
    assert_eq!(running.terminate().await, Some(0));
}

async fn check_refusals(operator: &Operator) {
    let (status, refused) = operator.ask(Method::POST, "", "open barley", WANTED).await;
    assert_eq!((status, &refused["code"]), (401, &"not_admin".into()));
    for (body, parameter) in [
        (r#"{"from":"2024-01-02","to":"2024-01-01"}"#, "to"),
        (r#"{"from":"x","to":"2024-01-01"}"#, "from"),
        (
            r#"{"from":"2024-01-01","to":"2024-01-01","source":"y"}"#,
            "source",
        ),
        ("[]", "body"),
    ] {
        let (status, refused) = operator.post(body).await;
        let found = (status, &refused["parameter"]);
        assert_eq!(found, (400, &parameter.into()), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_nobody_may() {
    let bench = Bench::start_at(day("2024-01-01"), 1, 1).await;
    let folder = tempfile::tempdir().unwrap();
    let service = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", bench.database.url())
        .env("WK_LIVE_SOURCE", "none");
    let operator = Operator::new(service.listen());
    let running = service.start().await;
    let (status, refused) = operator.ask(Method::POST, "", "", WANTED).await;
    assert_eq!((status, &refused["code"]), (403, &"admin_off".into()));
    assert_eq!(bench.number("select count(*) from backfill_jobs").await, 0);
    assert_eq!(running.terminate().await, Some(0));
}
