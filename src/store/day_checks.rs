//! Killmails of each day here and elsewhere, as they were last counted.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use super::{Error, Result};

/// What is to be said of a day's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As many here as anybody counts.
    Complete,
    /// More here than anybody counts.
    MoreHere,
    /// Somebody counts fewer than before; nothing is deleted here.
    Shrunk,
    /// Fewer here than somebody counts, although all that can be had is stored.
    Explained,
    /// Fewer here than somebody counts, and it could not be fetched yet.
    Lacking,
    /// A day that was neither followed nor filled: a few killmails of it are here by chance.
    NotKept,
    /// Nobody counts the day.
    Uncounted,
}

impl Verdict {
    /// All of them, in the order in which they are summed up.
    pub const ALL: [Self; 7] = [
        Self::Complete,
        Self::MoreHere,
        Self::Shrunk,
        Self::Explained,
        Self::NotKept,
        Self::Uncounted,
        Self::Lacking,
    ];

    /// The word used in storage and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::MoreHere => "more_here",
            Self::Shrunk => "shrunk",
            Self::Explained => "explained",
            Self::Lacking => "lacking",
            Self::NotKept => "not_kept",
            Self::Uncounted => "uncounted",
        }
    }

    /// The verdict a word of [`Self::as_str`] stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// A checked day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCheck {
    /// The day, UTC.
    pub day: NaiveDate,
    /// Killmails of it that are stored here.
    pub own: i64,
    /// Killmails that EVE Ref counts, where it does.
    pub everef: Option<i64>,
    /// Killmails that R2Z2's history counts, where it does.
    pub r2z2: Option<i64>,
    /// The most that EVE Ref has ever counted.
    pub everef_most: Option<i64>,
    /// The most that R2Z2's history has ever counted.
    pub r2z2_most: Option<i64>,
    /// What is to be said of these numbers.
    pub verdict: Verdict,
    /// Why they differ, in words.
    pub reason: Option<String>,
    /// When they were taken.
    pub checked_at: DateTime<Utc>,
}

struct Row {
    day: NaiveDate,
    own: i64,
    everef: Option<i64>,
    r2z2: Option<i64>,
    everef_most: Option<i64>,
    r2z2_most: Option<i64>,
    verdict: String,
    reason: Option<String>,
    checked_at: DateTime<Utc>,
}

impl TryFrom<Row> for DayCheck {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let verdict = Verdict::from_word(&row.verdict).ok_or_else(|| Error::BadRow {
            table: "day_checks",
            column: "verdict",
            key: row.day.to_string(),
        })?;
        Ok(Self {
            day: row.day,
            own: row.own,
            everef: row.everef,
            r2z2: row.r2z2,
            everef_most: row.everef_most,
            r2z2_most: row.r2z2_most,
            verdict,
            reason: row.reason,
            checked_at: row.checked_at,
        })
    }
}

/// Checks of days before `before` (of all, where it is `None`) down to `from`, newest first.
///
/// # Errors
/// When the database refuses.
pub async fn newest(
    executor: impl PgExecutor<'_>,
    before: Option<NaiveDate>,
    from: Option<NaiveDate>,
    limit: i64,
) -> Result<Vec<DayCheck>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT day, own, everef, r2z2, everef_most, r2z2_most, verdict, reason, checked_at
        FROM day_checks
        WHERE day < coalesce($1, 'infinity'::date) AND day >= coalesce($2, '-infinity'::date)
        ORDER BY day DESC
        LIMIT $3
        "#,
        before,
        from,
        limit,
    )
    .fetch_all(executor)
    .await
    .map_err(Error::query("reading checks of days"))?;
    rows.into_iter().map(DayCheck::try_from).collect()
}

/// Writes checks in place of earlier ones of the same days, which are distinct.
///
/// # Errors
/// When the database refuses.
pub async fn save(executor: impl PgExecutor<'_>, checks: &[DayCheck]) -> Result<()> {
    let day: Vec<NaiveDate> = checks.iter().map(|it| it.day).collect();
    let own: Vec<i64> = checks.iter().map(|it| it.own).collect();
    let everef: Vec<Option<i64>> = checks.iter().map(|it| it.everef).collect();
    let r2z2: Vec<Option<i64>> = checks.iter().map(|it| it.r2z2).collect();
    let everef_most: Vec<Option<i64>> = checks.iter().map(|it| it.everef_most).collect();
    let r2z2_most: Vec<Option<i64>> = checks.iter().map(|it| it.r2z2_most).collect();
    let verdict: Vec<String> = checks
        .iter()
        .map(|it| it.verdict.as_str().to_owned())
        .collect();
    let reason: Vec<Option<String>> = checks
        .iter()
        .map(|it| {
            let reason = it.reason.as_deref()?;
            Some(super::text::storable(reason).into_owned())
        })
        .collect();
    let checked_at: Vec<DateTime<Utc>> = checks.iter().map(|it| it.checked_at).collect();
    sqlx::query!(
        r#"
        INSERT INTO day_checks (day, own, everef, r2z2, everef_most, r2z2_most, verdict, reason, checked_at)
        SELECT * FROM unnest($1::date[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
            $7::text[], $8::text[], $9::timestamptz[])
        ON CONFLICT (day) DO UPDATE
        SET own = EXCLUDED.own, everef = EXCLUDED.everef, r2z2 = EXCLUDED.r2z2,
            everef_most = EXCLUDED.everef_most, r2z2_most = EXCLUDED.r2z2_most, verdict = EXCLUDED.verdict,
            reason = EXCLUDED.reason, checked_at = EXCLUDED.checked_at
        "#,
        &day,
        &own,
        &everef as &[Option<i64>],
        &r2z2 as &[Option<i64>],
        &everef_most as &[Option<i64>],
        &r2z2_most as &[Option<i64>],
        &verdict,
        &reason as &[Option<String>],
        &checked_at,
    )
    .execute(executor)
    .await
    .map_err(Error::query("writing checks of days"))?;
    Ok(())
}
