//! The shapes of a query, as schemas.

#![expect(dead_code, reason = "shapes of the document alone")]

use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use super::super::get::Include;
use crate::api::docs::answers::of;
use crate::domain::filter::EntityId;
use crate::domain::wire::shape::Killmail;

/// In which order of time.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(super) enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
}

/// What a query takes besides the filter.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct QueryParameters {
    /// Killmails at or after this time, or this day's midnight (UTC).
    #[param(required = false, value_type = String, example = "2026-01-01")]
    from: String,
    /// Killmails before this time, or this day's midnight (UTC).
    #[param(required = false, value_type = String, example = "2026-02-01T00:00:00Z")]
    to: String,
    /// Wars that the killmails belong to.
    #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 1000)]
    wars: Vec<EntityId>,
    /// Newest or oldest first.
    #[param(required = false)]
    order: Order,
    /// Most killmails, 1 to 1000 (100 when absent); `all`, for operators, where the answer is NDJSON or CSV.
    #[param(required = false, value_type = String, pattern = "^([1-9][0-9]{0,2}|1000|all)$", example = "100")]
    limit: String,
    /// Where an earlier answer of the same request ended.
    #[param(required = false)]
    cursor: String,
    /// The newest cursor of the killfeed that was seen: a replica that is not as far is not asked.
    #[param(required = false, minimum = 0)]
    seen: i64,
    /// What comes besides: `items` adds `victim.items` as ESI writes them. Not for CSV.
    #[param(required = false, style = Form, explode = false, min_items = 1)]
    include: Vec<Include>,
}

/// One page of killmails.
#[derive(ToSchema)]
pub(super) struct KillmailPage {
    /// In the order asked for.
    pub(super) killmails: Vec<Killmail>,
    /// Where the next page begins; null at the end.
    pub(super) cursor: Option<String>,
    /// There are more behind them.
    pub(super) has_more: bool,
}

/// Schemas that operations do not bring along by themselves.
pub(in crate::api::killmails) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    vec![of::<Order>()]
}
