//! zKillboard's REST lists: `/api/[kills|losses]/<modifier>/<value>/…/`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::{Shared, Simulated};
use crate::simulator::render;

mod query;
use query::Query;

/// Killmails per page.
const PAGE: usize = 200;
/// Errors within [`PATIENCE_WINDOW`] after which a client is sent away.
const PATIENCE: usize = 40;
const PATIENCE_WINDOW: Duration = Duration::from_mins(5);

/// Counts errors; too many, and every answer is a redirect.
#[derive(Debug, Default)]
pub(super) struct Patience {
    errors: VecDeque<Duration>,
}

impl Patience {
    fn exhausted(&mut self, now: Duration) -> bool {
        while self
            .errors
            .front()
            .is_some_and(|it| now.saturating_sub(*it) >= PATIENCE_WINDOW)
        {
            self.errors.pop_front();
        }
        self.errors.len() > PATIENCE
    }
}

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/blocked.json", get(blocked))
        .route("/api/{*path}", get(list))
}

async fn blocked() -> Response {
    super::json(&json!({"error": "too many errors, you are blocked for a while"}))
}

async fn list(State(shared): Simulated, OriginalUri(uri): OriginalUri) -> Response {
    let now = shared.clock().monotonic();
    if super::lock(&shared.zkb).exhausted(now) {
        let place = [(header::LOCATION, "/zkb/api/blocked.json")];
        return (StatusCode::FOUND, place).into_response();
    }
    if let Some(response) = form_error(&uri) {
        return response;
    }
    let path = uri.path().strip_prefix("/zkb/api/").unwrap_or_default();
    match Query::parse(path) {
        Ok(query) => {
            let caching = [(header::CACHE_CONTROL, "public, max-age=3600")];
            (caching, super::json(&answer(&shared, &query))).into_response()
        }
        Err(error) => {
            super::lock(&shared.zkb).errors.push_back(now);
            super::json(&json!({ "error": error }))
        }
    }
}

/// Rules of form: no query string, no double slash, a slash at the end.
fn form_error(uri: &Uri) -> Option<Response> {
    if uri.query().is_some() {
        let text = "query strings are not allowed";
        return Some((StatusCode::FORBIDDEN, text).into_response());
    }
    let path = uri.path();
    if path.contains("//") {
        let mut clean = path.to_owned();
        while clean.contains("//") {
            clean = clean.replace("//", "/");
        }
        let place = [(header::LOCATION, clean)];
        return Some((StatusCode::MOVED_PERMANENTLY, place).into_response());
    }
    // "Missing trailing slash" stands in the status line; the body is empty.
    (!path.ends_with('/')).then(|| StatusCode::OK.into_response())
}

fn answer(shared: &Shared, query: &Query) -> Value {
    let now = shared.clock().now();
    let embargo = chrono::TimeDelta::from_std(shared.config.zkb_embargo).unwrap_or_default();
    let world = shared.world();
    let found: Vec<_> = world
        .newest_first()
        .filter(|it| query.matches(it, now))
        .filter(|it| query.is_for_one_killmail() || now - it.killmail_time >= embargo)
        .skip((query.page - 1) * PAGE)
        .take(PAGE)
        .cloned()
        .collect();
    drop(world);
    let element = if shared.config.zkb_with_body {
        render::zkb_element
    } else {
        render::zkb_reference
    };
    Value::Array(found.iter().map(|it| element(it)).collect())
}
