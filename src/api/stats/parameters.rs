//! What the operations take, for the document.

use utoipa::IntoParams;

/// What activity takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(super) struct ActivityParameters {
    /// Killmails in this system. At most one of these seven is named; without one it is everywhere.
    #[param(required = false, minimum = 1, example = 30_000_142)]
    system: i64,
    /// Killmails in this constellation.
    #[param(required = false, minimum = 1)]
    constellation: i64,
    /// Killmails in this region.
    #[param(required = false, minimum = 1)]
    region: i64,
    /// Kills and losses of this character.
    #[param(required = false, minimum = 1)]
    character: i64,
    /// Kills and losses of this corporation.
    #[param(required = false, minimum = 1)]
    corporation: i64,
    /// Kills and losses of this alliance.
    #[param(required = false, minimum = 1)]
    alliance: i64,
    /// Kills with, and losses of, this type.
    #[param(required = false, minimum = 1)]
    ship_type: i64,
    /// Length of a bucket: `hour` or `day`.
    #[param(required = false, value_type = String, pattern = "^(hour|day)$", example = "hour")]
    bucket: String,
    /// At or after this time, or this day's midnight (UTC). When absent: a day before `to`, from a whole hour on, for
    /// buckets of an hour; else 30 days before it, from midnight on.
    #[param(required = false, value_type = String, example = "2026-01-01")]
    from: String,
    /// Before this time, or this day's midnight (UTC); now when absent.
    #[param(required = false, value_type = String, example = "2026-01-02T00:00:00Z")]
    to: String,
    /// Killmails that zKillboard calls NPC kills alone, or all others.
    #[param(required = false)]
    npc: bool,
}

/// What the list of checked days takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(super) struct CompletenessParameters {
    /// Days before this one: `next_before` of the answer before. The newest ones when absent.
    #[param(required = false, value_type = String, example = "2026-01-31")]
    before: String,
    /// Days at most.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: i64,
}

/// What a list of the top takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(super) struct TopParameters {
    /// `systems`, `ships_lost` (by victims), `ships_used`, `characters`, `corporations` or `alliances` (of attackers),
    /// or `most_valuable` killmails.
    #[param(value_type = String,
        pattern = "^(systems|ships_lost|ships_used|characters|corporations|alliances|most_valuable)$",
        example = "ships_used")]
    list: String,
    /// In this region alone.
    #[param(required = false, minimum = 1, example = 10_000_002)]
    region: i64,
    /// In this system alone; not together with `region`.
    #[param(required = false, minimum = 1)]
    system: i64,
    /// At or after this time, or this day's midnight (UTC); when absent, the midnight 30 days before `to`.
    #[param(required = false, value_type = String, example = "2026-01-01")]
    from: String,
    /// Before this time, or this day's midnight (UTC); now when absent.
    #[param(required = false, value_type = String, example = "2026-01-31")]
    to: String,
    /// Killmails that zKillboard calls NPC kills alone, or all others.
    #[param(required = false)]
    npc: bool,
    /// Most entries.
    #[param(required = false, minimum = 1, maximum = 100, default = 10)]
    limit: i64,
}

/// What a summary takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(super) struct SummaryParameters {
    /// At or after this time, or this day's midnight (UTC); when absent, the midnight 30 days before `to`.
    #[param(required = false, value_type = String, example = "2026-01-01")]
    from: String,
    /// Before this time, or this day's midnight (UTC); now when absent.
    #[param(required = false, value_type = String, example = "2026-01-31")]
    to: String,
    /// Killmails that zKillboard calls NPC kills alone, or all others.
    #[param(required = false)]
    npc: bool,
}

/// What a battle takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(super) struct RelatedParameters {
    /// How long before and after the killmail, minutes.
    #[param(required = false, minimum = 1, maximum = 240, default = 30)]
    minutes: i64,
}
