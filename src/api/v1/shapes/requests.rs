//! What requests may say, as schemas. Other fields and parameters are passed over.

use utoipa::{IntoParams, ToSchema};

use crate::domain::filter::EntityId;

/// How far back, and how many.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api::v1) struct Since {
    /// How far back, hours. More than a week is cut to it.
    #[param(required = false, minimum = 1, default = 24)]
    since_hours: i64,
    /// Most killmails.
    #[param(required = false, minimum = 1, maximum = 1000, default = 50)]
    limit: i64,
}

/// How far back, and how many.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api::v1) struct Hours {
    /// How far back, hours. More than a week is cut to it. `since_hours` works too.
    #[param(required = false, minimum = 1, default = 24)]
    hours: i64,
    /// Most killmails.
    #[param(required = false, minimum = 1, maximum = 1000, default = 50)]
    limit: i64,
}

/// Killmails of which systems.
#[derive(ToSchema)]
pub(in crate::api::v1) struct SystemsRequest {
    /// The systems, at most 1000 different ones.
    #[schema(min_items = 1, max_items = 1000)]
    system_ids: Vec<i64>,
    /// How far back, hours. More than a week is cut to it.
    #[schema(required = false, minimum = 1, default = 24)]
    since_hours: i64,
    /// Most killmails of each.
    #[schema(required = false, minimum = 1, maximum = 1000, default = 50)]
    limit: i64,
}

/// Killmails of which systems.
#[derive(ToSchema)]
pub(in crate::api::v1) struct BulkRequest {
    /// The systems, at most 1000 different ones.
    #[schema(min_items = 1, max_items = 1000)]
    system_ids: Vec<i64>,
    /// How far back, hours. More than a week is cut to it. `since_hours` works too.
    #[schema(required = false, minimum = 1, default = 24)]
    hours: i64,
    /// Most killmails of each.
    #[schema(required = false, minimum = 1, maximum = 1000, default = 50)]
    limit_per_system: i64,
}

/// What a stream takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api::v1) struct StreamParameters {
    /// Killmails in these systems.
    #[param(required = false, style = Form, explode = false, max_items = 100)]
    system_ids: Vec<i64>,
    /// Killmails with these characters.
    #[param(required = false, style = Form, explode = false, max_items = 100)]
    character_ids: Vec<i64>,
    /// At least this total value, ISK.
    #[param(required = false, minimum = 0)]
    min_value: f64,
}

/// What a stream with a past takes besides.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api::v1) struct PreloadParameters {
    /// Days of the past to begin with. More than 90 are cut to that.
    #[param(required = false, minimum = 0, default = 0)]
    preload_days: i64,
}

/// A new subscription.
#[derive(ToSchema)]
pub(in crate::api::v1) struct Subscribe {
    /// Who subscribes, up to 200 characters.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[^\\u0000]*$",
        examples("my-tool")
    )]
    subscriber_id: String,
    /// Where messages go: http or https, a public host.
    #[schema(examples("https://kills.example.org/hook"))]
    callback_url: String,
    /// Killmails in these systems; this or `character_ids` has to name some.
    #[schema(required = false, max_items = 100)]
    system_ids: Vec<EntityId>,
    /// Killmails with these characters.
    #[schema(required = false, max_items = 1000)]
    character_ids: Vec<EntityId>,
}
