//! Faults on demand: scripted by rules, or random by a plan.

mod desk;
mod plan;
mod play;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use desk::Desk;
pub use plan::FaultPlan;
pub(crate) use play::play;

/// One way in which a server fails. In JSON: `"html"`, `{"server_error": 502}`,
/// `{"too_many_requests": {"retry_after": 5}}`, `{"stall": 1500}` (milliseconds).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 404 for so many requests, then the document is there: an edge that remembers "not found".
    NotFoundGhost {
        /// Requests that find nothing.
        for_requests: u32,
    },
    /// 404 for good. The killmail is still in history, REST and ESI.
    GapForever,
    /// From the next request on, another killmail stands under the number.
    ReusedNumber,
    /// `sequence.json` shows a number so many lower.
    RewoundSequence {
        /// How far back.
        by: i64,
    },
    /// 429, with or without `Retry-After`, never with headers that tell a budget.
    TooManyRequests {
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// 403 with an HTML page: a ban.
    Forbidden,
    /// This status (500 to 599) with a short text.
    ServerError(u16),
    /// 200 with an HTML page.
    Html,
    /// 200 without a body.
    EmptyBody,
    /// The right answer, cut in the middle.
    TruncatedJson,
    /// R2Z2's document with `"esi": null`.
    NullBody,
    /// The right answer, this much later.
    Stall(#[serde(with = "milliseconds")] Duration),
    /// The right answer, made at once but sent this much later: what it hands out is under way.
    LateAnswer(#[serde(with = "milliseconds")] Duration),
    /// ESI's 420 of its error limit, with headers.
    ErrorLimited420,
    /// ESI's 503 during maintenance.
    Maintenance,
    /// ESI's maintenance notice with status 200.
    MaintenanceAsSuccess,
    /// This status (400 to 599) with a load balancer's HTML page.
    HtmlStatus(u16),
    /// ESI's 404 for a batch of names with one bad id in it.
    PoisonedNames,
    /// ESI's 422 for a hash that it does not accept.
    WrongHash,
    /// The connection ends in the middle of the body.
    CutConnection,
    /// zKillboard's way to refuse: 200 with `{"error":…}` in place of a list.
    ErrorObject,
    /// An empty list.
    EmptyList,
}

/// Which requests fail, how, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Path of the requests; `*` stands for any text. Empty means any path.
    #[serde(default)]
    pub path: String,
    /// Only R2Z2's document of this number.
    #[serde(default)]
    pub sequence: Option<i64>,
    /// How many requests; `None` goes on for good.
    #[serde(default)]
    pub times: Option<u32>,
    /// What happens to them.
    pub fault: Fault,
}

impl FaultRule {
    /// A rule for one R2Z2 number.
    pub fn sequence(sequence: i64, fault: Fault) -> Self {
        Self {
            path: String::new(),
            sequence: Some(sequence),
            times: None,
            fault,
        }
    }

    /// A rule for a path; `*` stands for any text.
    pub fn path(path: impl Into<String>, fault: Fault) -> Self {
        Self {
            path: path.into(),
            sequence: None,
            times: None,
            fault,
        }
    }

    /// The same rule, for so many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

impl Fault {
    /// The word used in logs and in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotFoundGhost { .. } => "not_found_ghost",
            Self::GapForever => "gap_forever",
            Self::ReusedNumber => "reused_number",
            Self::RewoundSequence { .. } => "rewound_sequence",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::Forbidden => "forbidden",
            Self::ServerError(_) => "server_error",
            Self::Html => "html",
            Self::EmptyBody => "empty_body",
            Self::TruncatedJson => "truncated_json",
            Self::NullBody => "null_body",
            Self::Stall(_) => "stall",
            Self::LateAnswer(_) => "late_answer",
            Self::ErrorLimited420 => "error_limited_420",
            Self::Maintenance => "maintenance",
            Self::MaintenanceAsSuccess => "maintenance_as_success",
            Self::HtmlStatus(_) => "html_status",
            Self::PoisonedNames => "poisoned_names",
            Self::WrongHash => "wrong_hash",
            Self::CutConnection => "cut_connection",
            Self::ErrorObject => "error_object",
            Self::EmptyList => "empty_list",
        }
    }
}

mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
