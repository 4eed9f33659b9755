//! All routes and the layers around them.
//!
//! From the outside in: metrics · request id · span · CORS for reads · problems get instance and request id ·
//! limits per address · panics become 500 · body limits · routes. Plain requests have a time-out and are compressed; polls look after
//! their own time; streams have neither.

use std::any::Any;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any as AnyOf, CorsLayer};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use utoipa_axum::router::OpenApiRouter;

use super::error::ApiError;
use super::events::Answered;
use super::limits::{MAX_BODY_BYTES, MAX_REQUEST_ID_BYTES};
use super::problem::{Problem, problem_response};
use super::state::ApiState;
use super::v1::V1Error;
use super::{
    backfills, docs, killfeed, killmails, live_page, ops, phoenix, r2z2, rate, redisq, stats,
    subscriptions, systems, v1,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The whole HTTP surface.
pub fn router(state: ApiState) -> Router {
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest);
    let plain = OpenApiRouter::new()
        .merge(live_page::plain())
        .merge(ops::plain())
        .merge(killmails::plain())
        .merge(systems::plain())
        .merge(stats::plain())
        .merge(killfeed::plain())
        .merge(subscriptions::plain())
        .merge(backfills::plain())
        .merge(phoenix::plain())
        .merge(r2z2::plain())
        .merge(redisq::plain())
        .route_layer(from_fn_with_state(state.clone(), within_time))
        .merge(killfeed::polling())
        .merge(redisq::polling(&state))
        .route_layer(compression.clone());
    let (routes, document) = plain
        .merge(killfeed::streaming())
        .merge(phoenix::streaming())
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES))
        .merge(v1::routes(&state))
        .split_for_parts();
    routes
        .merge(docs::routes(document).route_layer(compression))
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state.clone())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), rate::limited))
        .layer(from_fn(finish_problem))
        .layer(reads_from_anywhere())
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(from_fn(drop_long_request_id))
        .layer(from_fn_with_state(state, measured))
}

/// Browsers of any site may read.
fn reads_from_anywhere() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOf)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(AnyOf)
        .expose_headers([REQUEST_ID, killmails::NEXT_CURSOR])
}

fn span<B>(request: &axum::http::Request<B>) -> tracing::Span {
    tracing::debug_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        request_id = request_id(request.headers()).unwrap_or_default(),
    )
}

fn request_id(headers: &axum::http::HeaderMap) -> Option<&str> {
    headers.get(&REQUEST_ID)?.to_str().ok()
}

async fn measured(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = state.clock.monotonic();
    let response = next.run(request).await;
    Answered {
        route: route.as_ref().map(MatchedPath::as_str),
        status: response.status(),
        took: state.clock.monotonic().saturating_sub(began),
    }
    .emit();
    response
}

async fn drop_long_request_id(mut request: Request, next: Next) -> Response {
    let long = |value: &HeaderValue| value.len() > MAX_REQUEST_ID_BYTES;
    if request.headers().get(&REQUEST_ID).is_some_and(long) {
        request.headers_mut().remove(&REQUEST_ID);
    }
    next.run(request).await
}

pub(super) async fn within_time(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    tokio::time::timeout(state.limits.request_timeout, next.run(request))
        .await
        .unwrap_or_else(|_| ApiError::Timeout.into_response())
}

/// Gives problems their `instance` and `request_id`; the body limit's refusal becomes one.
async fn finish_problem(request: Request, next: Next) -> Response {
    let instance = request.uri().path().to_owned();
    let request_id = request_id(request.headers()).map(str::to_owned);
    let mut response = next.run(request).await;
    let mut problem = response.extensions_mut().remove::<Problem>();
    let is_final = response.extensions().get::<V1Error>().is_some();
    if problem.is_none() && !is_final && response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let too_large = ApiError::BodyTooLarge {
            limit: MAX_BODY_BYTES,
        };
        problem = Some(too_large.problem());
    }
    let Some(problem) = problem else {
        return response;
    };
    let mut finished = problem_response(problem, Some(&instance), request_id.as_deref());
    for (name, value) in response.headers() {
        let of_the_old_body = [header::CONTENT_LENGTH, header::CONTENT_ENCODING].contains(name);
        if !of_the_old_body && !finished.headers().contains_key(name) {
            finished.headers_mut().append(name, value.clone());
        }
    }
    finished
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that the layer calls"
)]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&'static str>().copied())
        .unwrap_or("no message")
        .to_owned();
    ApiError::Panicked { message }.into_response()
}

async fn route_not_found() -> ApiError {
    ApiError::RouteNotFound
}

async fn method_not_allowed(method: Method) -> ApiError {
    ApiError::MethodNotAllowed {
        method: method.to_string(),
    }
}
