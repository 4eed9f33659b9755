//! Schemas of what a filter's sets hold.

use utoipa::ToSchema;

/// An id of a system, pilot, ship and so on.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(minimum = 1, examples(30_000_142))]
pub struct EntityId(pub i64);

/// One of zKillboard's labels. In a query, a comma would begin the next label.
#[derive(Debug, Clone, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 100,
    pattern = "^[!-+\\--~]+$",
    examples("loc:nullsec")
)]
pub struct KillmailLabel(pub String);
