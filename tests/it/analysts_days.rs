//! What is counted of past days, as an analyst sees it.

use chrono::NaiveDate;
use sqlx::{AssertSqlSafe, PgConnection};
use wanderer_kills::domain::Killmail;

use crate::analysts::{created, fill, refused};
use crate::store_samples::{killmail, store, time, upsert};
use crate::support::backfill::day;

/// Ids with how many killmails each has.
async fn numbers(conn: &mut PgConnection, sql: &str) -> Vec<(i64, i64)> {
    sqlx::query_as(AssertSqlSafe(sql.to_owned()))
        .fetch_all(conn)
        .await
        .unwrap()
}

async fn behind(conn: &mut PgConnection) -> Vec<NaiveDate> {
    sqlx::query_scalar("SELECT day FROM analytics.days_behind WHERE since <= now()")
        .fetch_all(conn)
        .await
        .unwrap()
}

#[tokio::test]
async fn counted_days_say_what_counting_gives_and_which_are_behind() {
    let (_database, store) = store().await;
    fill(&store).await;
    let (_, mut conn) = created(&store, "analyst_days").await;
    let october = "killmail_time >= '2026-10-01' AND killmail_time < '2026-11-01'";
    for (subject, id, view) in [
        ("system", "solar_system_id", "kills"),
        ("ship_lost", "ship_type_id", "kills"),
        ("ship_used", "ship_type_id", "attackers"),
        ("character", "character_id", "attackers"),
        ("corporation", "corporation_id", "attackers"),
        ("alliance", "alliance_id", "attackers"),
    ] {
        let counted = format!(
            "SELECT entity_id, sum(killmails)::bigint FROM analytics.participants_by_day
             WHERE subject = '{subject}' GROUP BY 1 ORDER BY 1"
        );
        let by_counting = format!(
            "SELECT {id}, count(DISTINCT killmail_id) FROM analytics.{view}
             WHERE {october} AND {id} IS NOT NULL GROUP BY 1 ORDER BY 1"
        );
        let counted = numbers(&mut conn, &counted).await;
        assert!(!counted.is_empty(), "{subject}");
        assert_eq!(counted, numbers(&mut conn, &by_counting).await, "{subject}");
    }
    let isk = format!(
        "SELECT (SELECT sum(isk) FROM analytics.participants_by_day WHERE subject = 'system')
            = (SELECT sum(total_value::numeric) FROM analytics.kills WHERE {october})"
    );
    let is_the_same: bool = sqlx::query_scalar(AssertSqlSafe(isk))
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert!(is_the_same, "ISK");

    assert_eq!(behind(&mut conn).await, []);
    let late = Killmail {
        killmail_time: time("2026-10-05T12:00:00Z"),
        ..killmail(1)
    };
    upsert(&store, vec![late]).await;
    assert_eq!(behind(&mut conn).await, [day("2026-10-05")]);
    for inside in ["statistics_days", "statistics_marks"] {
        let state = refused(&mut conn, &format!("SELECT * FROM {inside}")).await;
        assert_eq!(state, "42501", "{inside}");
    }
}
