//! In front of every server: the journal, R2Z2's etiquette, and faults.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::USER_AGENT;
use axum::middleware::Next;
use axum::response::Response;

use super::{Shared, esi};
use crate::simulator::fault::{Fault, play};
use crate::simulator::journal;

/// Tells the etiquette watch that a request is over, also where its client went away.
struct InFlight<'a> {
    shared: &'a Shared,
    status: Option<u16>,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let now = self.shared.clock().monotonic();
        self.shared.r2z2().end(self.status, now);
    }
}

pub(super) async fn watch(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    if path.starts_with("/simulator/") {
        return next.run(request).await;
    }
    let number = shared.journal().came(entry(&shared, &request));
    let mut in_flight = path.starts_with("/r2z2/").then(|| {
        let now = shared.clock().monotonic();
        shared.r2z2().begin(&path, now);
        InFlight {
            shared: &shared,
            status: None,
        }
    });
    let fault = shared.faults().pick(&path);
    if let Some(fault) = &fault {
        shared.journal().faulted(number, fault.name());
    }
    let response = if path.starts_with("/esi/") {
        esi::charge(&shared, request, next, fault).await
    } else {
        played(fault, &shared, request, next).await
    };
    let status = response.status().as_u16();
    if let Some(it) = in_flight.as_mut() {
        it.status = Some(status);
    }
    drop(in_flight);
    shared.journal().answered(number, status);
    response
}

/// The right answer, or what a fault makes of it.
pub(super) async fn played(
    fault: Option<Fault>,
    shared: &Shared,
    request: Request,
    next: Next,
) -> Response {
    match fault {
        Some(fault) => play(fault, shared, request, next).await,
        None => next.run(request).await,
    }
}

fn entry(shared: &Shared, request: &Request) -> journal::Request {
    let path = request
        .uri()
        .path_and_query()
        .map_or_else(|| request.uri().path().to_owned(), ToString::to_string);
    journal::Request {
        time: shared.clock().now(),
        method: request.method().to_string(),
        path,
        status: None,
        user_agent: request
            .headers()
            .get(USER_AGENT)
            .and_then(|it| it.to_str().ok())
            .map(str::to_owned),
        fault: None,
    }
}
