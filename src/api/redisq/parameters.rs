//! What a poll takes, for the document.

use utoipa::IntoParams;

/// What a poll takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(super) struct ListenParameters {
    /// The queue: a name that the reader chooses, up to 128 bytes.
    #[param(
        rename = "queueID",
        min_length = 1,
        max_length = 128,
        pattern = "^[!-~]+$",
        example = "my-tool"
    )]
    queue_id: String,
    /// Longest wait, seconds. Numbers out of range are brought within it.
    #[param(required = false, minimum = 1, maximum = 10, default = 10)]
    ttw: i64,
    /// How long the queue is remembered after this poll, seconds. Numbers out of range are brought within it.
    #[param(required = false, minimum = 1, maximum = 10_800, default = 10_800)]
    ttl: i64,
    /// What goes through: up to 20 conditions `key op value` with one of `= != < <= > >=`, joined by `;` (all of
    /// them) or by `,` (any of them).
    #[param(
        required = false,
        max_length = 1000,
        example = "totalValue>=1000000000",
        pattern = "^([A-Za-z_]+(=|!=|<|<=|>|>=)[A-Za-z0-9_.-]+(;[A-Za-z_]+(=|!=|<|<=|>|>=)[A-Za-z0-9_.-]+){0,19})?$"
    )]
    filter: String,
}
