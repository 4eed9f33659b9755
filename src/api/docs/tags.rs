//! The groups of operations.

/// The feed log.
pub(in crate::api) const KILLFEED: &str = "killfeed";
/// Killmails by themselves.
pub(in crate::api) const KILLMAILS: &str = "killmails";
/// Solar systems.
pub(in crate::api) const SYSTEMS: &str = "systems";
/// Counts over what is stored.
pub(in crate::api) const STATISTICS: &str = "statistics";
/// Webhook subscriptions.
pub(in crate::api) const SUBSCRIPTIONS: &str = "subscriptions";
/// WandererKills' interface.
pub(in crate::api) const WANDERER_KILLS: &str = "wanderer-kills";
/// zKillboard's interfaces.
pub(in crate::api) const UPSTREAM: &str = "zkillboard";
/// What operators look at.
pub(in crate::api) const OPERATION: &str = "operation";

/// Every group with its description, in the order in which they are shown.
pub(super) const ALL: [(&str, &str); 8] = [
    (
        KILLFEED,
        "The feed log: every new or changed killmail has a number, and a reader is a cursor into it. By poll, long \
         poll, server-sent events and websocket.",
    ),
    (KILLMAILS, "Killmails by themselves."),
    (SYSTEMS, "Solar systems."),
    (
        STATISTICS,
        "Counts over what is stored, exact at any time. A killmail counts once for everybody on it.",
    ),
    (
        SUBSCRIPTIONS,
        "Webhooks: made by anybody, run by whoever holds their secret.",
    ),
    (
        WANDERER_KILLS,
        "The interface of WandererKills, so that its clients need no change. Errors keep its envelopes.",
    ),
    (
        UPSTREAM,
        "R2Z2 and RedisQ outward, for tools that were made for zKillboard's.",
    ),
    (OPERATION, "What operators and orchestrators look at."),
];
