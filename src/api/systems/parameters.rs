//! What the list of active systems takes, for the document.

use utoipa::IntoParams;

/// What the list takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(super) struct ActiveSystemsParameters {
    /// How far back kills are counted, hours.
    #[param(required = false, minimum = 1, maximum = 168, default = 24)]
    hours: i64,
    /// Most systems.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: i64,
}
