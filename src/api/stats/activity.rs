//! `GET /api/stats/activity`: kills and losses by hour or day.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::parameters::ActivityParameters;
use super::read::{Asked, Length, answer, reading};
use super::tally::Tally;
use crate::api::docs::answers::{BadRequest, Failures, QueryTooBroad};
use crate::api::docs::tags::STATISTICS;
use crate::api::extract::Params;
use crate::api::{ApiError, ApiState};
use crate::store::stats::activity::{self, Bucket, Filled, Of};

/// Seven hundred buckets.
const BY_HOUR: Length = Length {
    default: TimeDelta::days(1),
    whole: TimeDelta::hours(1),
    most_days: 31,
};
/// A leap year.
const BY_DAY: Length = Length {
    default: TimeDelta::days(30),
    whole: TimeDelta::days(1),
    most_days: 366,
};

const ADVICE: &str = "bring from and to closer together";

/// A parameter, and what an id of it asks for.
type Subject = (&'static str, fn(i64) -> Of);

const SUBJECTS: [Subject; 7] = [
    ("system", Of::System),
    ("constellation", Of::Constellation),
    ("region", Of::Region),
    ("character", Of::Character),
    ("corporation", Of::Corporation),
    ("alliance", Of::Alliance),
    ("ship_type", Of::ShipType),
];

/// Kills and losses by hour or day.
#[derive(Serialize, ToSchema)]
struct Activity {
    /// `system`, `constellation`, `region`, `character`, `corporation`, `alliance` or `ship_type`; `everywhere` where
    /// none was named.
    subject: &'static str,
    /// Its id; null for everywhere.
    #[schema(required = true)]
    id: Option<i64>,
    /// `hour` or `day`.
    bucket: &'static str,
    /// Beginning of the window, itself included.
    from: DateTime<Utc>,
    /// Its end, itself excluded.
    to: DateTime<Utc>,
    /// Every bucket that the window touches, empty ones too. The first and the last one hold what is in the window.
    buckets: Vec<ActivityBucket>,
}

/// One hour or day.
#[derive(Serialize, ToSchema)]
struct ActivityBucket {
    /// When it begins.
    time: DateTime<Utc>,
    /// Killmails in the place, or with an attacker of the character, corporation, alliance or ship type.
    kills: Tally,
    /// Killmails whose victim it was. Null for places.
    #[schema(required = true)]
    losses: Option<Tally>,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    subject: &'static str,
    id: Option<i64>,
    of: Of,
    bucket: Bucket,
    asked: Asked,
}

/// Serves the buckets.
///
/// # Errors
/// 400 for a parameter that can't be understood, 422 when it takes too long, 503 when too many are at work; the
/// database.
#[utoipa::path(
    get,
    path = "/api/stats/activity",
    operation_id = "get_activity",
    tag = STATISTICS,
    summary = "Kills and ISK by hour or day",
    description = "Of a system, constellation, region, character, corporation, alliance or ship type; everywhere \
        where none of these is named. Buckets of an hour for 31 days at most, of a day for 366. An answer may be ten seconds old.",
    params(ActivityParameters),
    responses(
        (status = 200, description = "The buckets.", body = Activity),
        BadRequest,
        QueryTooBroad,
        Failures,
    ),
)]
pub(super) async fn handle(
    State(state): State<ApiState>,
    params: Params,
) -> Result<Response, ApiError> {
    let request = Request::read(params)?;
    answer(&state, ("activity", request), request.compute(&state)).await
}

impl Request {
    fn read(mut params: Params) -> Result<Self, ApiError> {
        let mut named = None;
        for (name, of) in SUBJECTS {
            let Some(id) = params.integer(name, 1..=i64::MAX)? else {
                continue;
            };
            if named.replace((name, Some(id), of(id))).is_some() {
                let allowed = "absent where another of these is there: system, constellation, region, character, \
                    corporation, alliance, ship_type";
                return Err(ApiError::bad_parameter(name, &id.to_string(), allowed));
            }
        }
        let (subject, id, of) = named.unwrap_or(("everywhere", None, Of::Everywhere));
        let bucket = match params.take("bucket")?.as_deref() {
            None | Some("hour") => Bucket::Hour,
            Some("day") => Bucket::Day,
            Some(other) => return Err(ApiError::bad_parameter("bucket", other, "hour, day")),
        };
        let asked = Asked::take(&mut params)?;
        params.finish()?;
        Ok(Self {
            subject,
            id,
            of,
            bucket,
            asked,
        })
    }

    async fn compute(self, state: &ApiState) -> Result<Activity, ApiError> {
        let Self { of, bucket, .. } = self;
        let length = match bucket {
            Bucket::Hour => BY_HOUR,
            Bucket::Day => BY_DAY,
        };
        let question = self.asked.question(state.clock.now(), length)?;
        let window = question.window;
        let filled = reading(state, ADVICE, |conn| {
            Box::pin(activity::buckets(conn, of, question, bucket))
        });
        let filled = filled.await?;
        Ok(Activity {
            subject: self.subject,
            id: self.id,
            bucket: bucket.as_str(),
            from: window.from,
            to: window.to,
            buckets: buckets((window.from, window.to), bucket, of, &filled),
        })
    }
}

/// All buckets of the window.
fn buckets(
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    bucket: Bucket,
    of: Of,
    filled: &[Filled],
) -> Vec<ActivityBucket> {
    let step = match bucket {
        Bucket::Hour => TimeDelta::hours(1),
        Bucket::Day => TimeDelta::days(1),
    };
    let is_place = matches!(
        of,
        Of::Everywhere | Of::System(_) | Of::Constellation(_) | Of::Region(_)
    );
    let mut buckets = Vec::new();
    let mut rest = filled.iter().peekable();
    let mut time = from.duration_trunc(step).unwrap_or(from);
    while time < to {
        let mut next = ActivityBucket {
            time,
            kills: Tally::default(),
            losses: (!is_place).then(Tally::default),
        };
        while let Some(one) = rest.next_if(|one| one.time <= time) {
            if one.is_loss {
                next.losses = Some(one.tally.into());
            } else {
                next.kills = one.tally.into();
            }
        }
        buckets.push(next);
        time += step;
    }
    buckets
}
