use std::fmt::Write as _;

use axum::body::to_bytes;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::Value;

use super::*;

fn every_kind() -> Vec<ApiError> {
    vec![
        ApiError::bad_parameter("limit", "-1", "a whole number from 1 to 1000"),
        ApiError::UnknownParameter {
            field: "sytems".into(),
        },
        ApiError::CursorExpired {
            after: FeedSequence(5),
            oldest: FeedSequence(900),
        },
        ApiError::CursorAhead {
            after: FeedSequence(5),
            head: FeedSequence(4),
        },
        ApiError::KillmailNotFound { killmail_id: 7 },
        ApiError::DocumentNotFound { number: 17 },
        ApiError::TooManyRequests {
            reason: "queueID is missing",
        },
        ApiError::TooOften { retry_after: 17 },
        ApiError::TokenRequired { what: "limit=all" },
        ApiError::TokenLacksScope {
            what: "limit=all",
            scope: "export",
        },
        ApiError::SubscriptionNotFound,
        ApiError::DeliveryNotFound { delivery_id: 7 },
        ApiError::NotOwner,
        ApiError::BackfillNotFound { job_id: 7 },
        ApiError::RouteNotFound,
        ApiError::MethodNotAllowed {
            method: "PUT".into(),
        },
        ApiError::UpgradeRequired {
            reason: "no upgrade header".into(),
        },
        ApiError::BodyTooLarge { limit: 65_536 },
        ApiError::Overloaded,
        ApiError::TooManyQueries,
        ApiError::QueryTooBroad {
            seconds: 5.0,
            advice: "add from and to".into(),
        },
        ApiError::NotAcceptable {
            accept: "image/png".into(),
            allowed: "application/json",
        },
        ApiError::NotAdmin { what: "limit=all" },
        ApiError::AdminOff { what: "a backfill" },
        ApiError::TooManyStreams {
            whose: "this server",
        },
        ApiError::Timeout,
        ApiError::ShuttingDown,
        ApiError::Document {
            killmail_id: 7,
            source: serde_json::from_str::<Value>("{").unwrap_err(),
        },
        ApiError::Panicked {
            message: "a secret".into(),
        },
        ApiError::Client(ClientError::Missing("systems")),
    ]
    .into_iter()
    .chain(of_the_store().map(ApiError::Store))
    .collect()
}

fn of_the_store() -> [crate::store::Error; 3] {
    let exhausted = crate::store::Error::Query {
        operation: "read the feed",
        source: sqlx::Error::PoolTimedOut,
    };
    let lost = crate::store::Error::Query {
        operation: "read the feed",
        source: sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()),
    };
    let bad_row = crate::store::Error::BadRow {
        table: "feed",
        column: "kind",
        key: "17".into(),
    };
    [exhausted, lost, bad_row]
}

#[test]
fn every_code_is_listed_and_no_other() {
    let too_many = crate::store::Error::TooMany {
        what: "subscriptions",
        limit: 1,
    };
    let mut met: Vec<&str> = every_kind()
        .iter()
        .chain([&ApiError::Store(too_many)])
        .map(ApiError::code)
        // These two leave in bodies without a code.
        .filter(|code| !["not_found", "killfeed_client"].contains(code))
        .collect();
    let mut listed = CODES.to_vec();
    met.sort_unstable();
    met.dedup();
    listed.sort_unstable();
    assert_eq!(met, listed);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table: two lines an error")]
async fn every_error_has_its_status_code_and_body() {
    let mut table = String::new();
    for error in every_kind() {
        let code = error.code();
        let response = error.into_response();
        let status = response.status().as_u16();
        let retry = response
            .headers()
            .get(header::RETRY_AFTER)
            .map_or(String::new(), |value| {
                format!(" retry-after {}", value.to_str().unwrap())
            });
        let kind = response.headers()[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .to_owned();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let body = std::str::from_utf8(&body).unwrap();
        writeln!(table, "{status} {code}{retry} [{kind}]\n  {body}").unwrap();
    }
    insta::assert_snapshot!(table, @r#"
    400 bad_parameter [application/problem+json]
      {"code":"bad_parameter","detail":"limit is \"-1\", allowed is a whole number from 1 to 1000","parameter":"limit","status":400,"title":"Bad parameter","type":"urn:wanderer-kills:problem:bad_parameter"}
    400 unknown_parameter [application/problem+json]
      {"code":"unknown_parameter","detail":"sytems is not a parameter of this request","parameter":"sytems","status":400,"title":"Unknown parameter","type":"urn:wanderer-kills:problem:unknown_parameter"}
    410 cursor_expired [application/problem+json]
      {"after":5,"code":"cursor_expired","detail":"cursor 5 is older than the feed is kept; go on from 900 and fill the hole from history","oldest":900,"status":410,"title":"Cursor expired","type":"urn:wanderer-kills:problem:cursor_expired"}
    409 cursor_ahead [application/problem+json]
      {"after":5,"code":"cursor_ahead","detail":"cursor 5 is beyond the newest event 4: it belongs to another database","head":4,"status":409,"title":"Cursor ahead of the feed","type":"urn:wanderer-kills:problem:cursor_ahead"}
    404 killmail_not_found [application/problem+json]
      {"code":"killmail_not_found","detail":"killmail 7 is not stored","status":404,"title":"Killmail not found","type":"urn:wanderer-kills:problem:killmail_not_found"}
    404 document_not_found [application/problem+json]
      {"code":"document_not_found","detail":"there is no document 17, or it is not kept any more","status":404,"title":"Document not found","type":"urn:wanderer-kills:problem:document_not_found"}
    429 too_many_requests retry-after 1 [application/problem+json]
      {"code":"too_many_requests","detail":"queueID is missing","status":429,"title":"Too many requests","type":"urn:wanderer-kills:problem:too_many_requests"}
    429 too_often retry-after 17 [application/problem+json]
      {"code":"too_often","detail":"your address asks more often than it may: come again in 17 s","status":429,"title":"Too often","type":"urn:wanderer-kills:problem:too_often"}
    401 token_required [application/problem+json]
      {"code":"token_required","detail":"limit=all takes an API token: send Authorization: Bearer and a token that the operator made","status":401,"title":"Token required","type":"urn:wanderer-kills:problem:token_required"}
    403 token_lacks_scope [application/problem+json]
      {"code":"token_lacks_scope","detail":"limit=all takes an API token with the scope export, which this one lacks","status":403,"title":"Token lacks scope","type":"urn:wanderer-kills:problem:token_lacks_scope"}
    404 subscription_not_found [application/problem+json]
      {"code":"subscription_not_found","detail":"there is no such subscription","status":404,"title":"Subscription not found","type":"urn:wanderer-kills:problem:subscription_not_found"}
    404 delivery_not_found [application/problem+json]
      {"code":"delivery_not_found","detail":"the subscription has no delivery 7 of events","status":404,"title":"Delivery not found","type":"urn:wanderer-kills:problem:delivery_not_found"}
    401 not_owner [application/problem+json]
      {"code":"not_owner","detail":"only the owner may do this: send Authorization: Bearer and the subscription's secret","status":401,"title":"Not the owner","type":"urn:wanderer-kills:problem:not_owner"}
    404 backfill_not_found [application/problem+json]
      {"code":"backfill_not_found","detail":"there is no backfill 7","status":404,"title":"Backfill not found","type":"urn:wanderer-kills:problem:backfill_not_found"}
    404 not_found [application/json]
      {"error":"Not Found","status":"404"}
    405 method_not_allowed [application/problem+json]
      {"code":"method_not_allowed","detail":"this path does not take PUT","status":405,"title":"Method not allowed","type":"urn:wanderer-kills:problem:method_not_allowed"}
    426 upgrade_required [application/problem+json]
      {"code":"upgrade_required","detail":"this path is a websocket: no upgrade header","status":426,"title":"Upgrade required","type":"urn:wanderer-kills:problem:upgrade_required"}
    413 body_too_large [application/problem+json]
      {"code":"body_too_large","detail":"the request's body is larger than 65536 bytes","status":413,"title":"Body too large","type":"urn:wanderer-kills:problem:body_too_large"}
    503 overloaded retry-after 1 [application/problem+json]
      {"code":"overloaded","detail":"the server works on as many requests as it can","status":503,"title":"Overloaded","type":"urn:wanderer-kills:problem:overloaded"}
    503 too_many_queries retry-after 1 [application/problem+json]
      {"code":"too_many_queries","detail":"the server works on as many historical queries as it can","status":503,"title":"Too many queries","type":"urn:wanderer-kills:problem:too_many_queries"}
    422 query_too_broad [application/problem+json]
      {"code":"query_too_broad","detail":"the query takes longer than 5 s: add from and to","status":422,"title":"Query too broad","type":"urn:wanderer-kills:problem:query_too_broad"}
    406 not_acceptable [application/problem+json]
      {"code":"not_acceptable","detail":"Accept is \"image/png\", allowed is application/json","status":406,"title":"Not acceptable","type":"urn:wanderer-kills:problem:not_acceptable"}
    401 not_admin [application/problem+json]
      {"code":"not_admin","detail":"limit=all is for operators: send Authorization: Bearer and the server's WK_ADMIN_TOKEN","status":401,"title":"Not an operator","type":"urn:wanderer-kills:problem:not_admin"}
    403 admin_off [application/problem+json]
      {"code":"admin_off","detail":"a backfill is for operators, and the server was started without WK_ADMIN_TOKEN","status":403,"title":"No operator","type":"urn:wanderer-kills:problem:admin_off"}
    503 too_many_streams retry-after 30 [application/problem+json]
      {"code":"too_many_streams","detail":"this server has as many open streams as it may have","status":503,"title":"Too many streams","type":"urn:wanderer-kills:problem:too_many_streams"}
    503 timeout retry-after 5 [application/problem+json]
      {"code":"timeout","detail":"the request took too long","status":503,"title":"Timeout","type":"urn:wanderer-kills:problem:timeout"}
    503 shutting_down retry-after 5 [application/problem+json]
      {"code":"shutting_down","detail":"the service is stopping","status":503,"title":"Shutting down","type":"urn:wanderer-kills:problem:shutting_down"}
    500 internal [application/problem+json]
      {"code":"internal","detail":"An internal error; the log has it under the request id.","status":500,"title":"Internal error","type":"urn:wanderer-kills:problem:internal"}
    500 internal [application/problem+json]
      {"code":"internal","detail":"An internal error; the log has it under the request id.","status":500,"title":"Internal error","type":"urn:wanderer-kills:problem:internal"}
    400 killfeed_client [application/json]
      {"error":"Missing required parameter: systems"}
    503 database_busy retry-after 1 [application/problem+json]
      {"code":"database_busy","detail":"All database connections are taken.","status":503,"title":"Database busy","type":"urn:wanderer-kills:problem:database_busy"}
    503 database_unavailable retry-after 5 [application/problem+json]
      {"code":"database_unavailable","detail":"The database can't be reached.","status":503,"title":"Database unavailable","type":"urn:wanderer-kills:problem:database_unavailable"}
    500 internal [application/problem+json]
      {"code":"internal","detail":"An internal error; the log has it under the request id.","status":500,"title":"Internal error","type":"urn:wanderer-kills:problem:internal"}
    "#);
}

#[test]
fn a_problem_knows_its_request() {
    let error = ApiError::KillmailNotFound { killmail_id: 7 };
    let text = error
        .problem()
        .render(Some("/api/killmails/7"), Some("abc"));
    insta::assert_snapshot!(text, @r#"
    {"code":"killmail_not_found","detail":"killmail 7 is not stored","instance":"/api/killmails/7","request_id":"abc","status":404,"title":"Killmail not found","type":"urn:wanderer-kills:problem:killmail_not_found"}
    "#);
}

#[test]
fn wrong_values_are_cut() {
    let error = ApiError::bad_parameter("after", &"9".repeat(60_000), "less");
    assert!(error.to_string().len() < 200);
}
