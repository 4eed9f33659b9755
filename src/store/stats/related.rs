//! Killmails that belong to the same battle as another one: of its system, around its time.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::domain::battle::Group;
use crate::store::{Error, Result};

/// Most killmails of one battle, the nearest in time: the largest fights have some thousands, mostly drones and
/// capsules.
pub const MOST_RELATED: i64 = 1_000;

/// A killmail of a battle, with names where they are known.
#[derive(Debug, Clone, PartialEq)]
pub struct RelatedKillmail {
    /// The killmail.
    pub killmail_id: i64,
    /// When it happened.
    pub killmail_time: DateTime<Utc>,
    /// What was lost.
    pub ship_type_id: Option<i64>,
    /// The type's name.
    pub ship_name: Option<String>,
    /// Who lost it.
    pub character_id: Option<i64>,
    /// The pilot's name.
    pub character_name: Option<String>,
    /// The victim's group.
    pub group: Option<Group>,
    /// ISK.
    pub total_value: Option<f64>,
    /// Groups of the attackers, each once.
    pub attackers: Vec<Group>,
}

/// The killmails of a battle.
#[derive(Debug, Clone, PartialEq)]
pub struct Related {
    /// The system.
    pub solar_system_id: i64,
    /// The system's name, where it is known.
    pub solar_system_name: Option<String>,
    /// When the killmail that was asked for happened.
    pub killmail_time: DateTime<Utc>,
    /// The killmails, itself included, in order of time.
    pub killmails: Vec<RelatedKillmail>,
    /// There are more than [`MOST_RELATED`].
    pub is_truncated: bool,
}

struct Row {
    killmail_id: i64,
    killmail_time: DateTime<Utc>,
    ship_type_id: Option<i64>,
    ship_name: Option<String>,
    character_id: Option<i64>,
    character_name: Option<String>,
    alliance_id: Option<i64>,
    corporation_id: Option<i64>,
    faction_id: Option<i64>,
    total_value: Option<f64>,
}

/// The killmails of the system of `killmail_id`, as far as `around` before and after it; `None` where it is not
/// stored.
///
/// # Errors
/// When the database refuses, or the time of the transaction is over.
pub async fn of(
    conn: &mut PgConnection,
    killmail_id: i64,
    around: TimeDelta,
) -> Result<Option<Related>> {
    let asked = sqlx::query!(
        r#"
        SELECT k.killmail_time, k.solar_system_id, s.name AS "name?"
        FROM killmails AS k
        LEFT JOIN solar_systems AS s USING (solar_system_id)
        WHERE k.killmail_id = $1
        LIMIT 1
        "#,
        killmail_id
    )
    .fetch_optional(&mut *conn)
    .await
    .map_err(Error::query("reading the killmail of a battle"))?;
    let Some(asked) = asked else { return Ok(None) };
    let (time, system) = (asked.killmail_time, asked.solar_system_id);
    let mut killmails = read(conn, (killmail_id, time, system), around).await?;
    let limit = usize::try_from(MOST_RELATED).unwrap_or(usize::MAX);
    let is_truncated = killmails.len() > limit;
    killmails.truncate(limit);
    killmails.sort_unstable_by_key(|it| (it.killmail_time, it.killmail_id));
    add_attackers(conn, &mut killmails).await?;
    Ok(Some(Related {
        solar_system_id: system,
        solar_system_name: asked.name,
        killmail_time: time,
        killmails,
        is_truncated,
    }))
}

async fn read(
    conn: &mut PgConnection,
    (killmail_id, time, system): (i64, DateTime<Utc>, i64),
    around: TimeDelta,
) -> Result<Vec<RelatedKillmail>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT k.killmail_id AS "killmail_id!", k.killmail_time AS "killmail_time!", k.ship_type_id,
            t.name AS "ship_name?", k.victim_character_id AS character_id, c.name AS "character_name?",
            k.victim_alliance_id AS alliance_id, k.victim_corporation_id AS corporation_id,
            k.victim_faction_id AS faction_id, k.total_value
        FROM killmails AS k
        LEFT JOIN ship_types AS t ON t.type_id = k.ship_type_id
        LEFT JOIN names AS c ON c.kind = 'character' AND c.id = k.victim_character_id
        WHERE k.solar_system_id = $1 AND k.killmail_time >= $2 AND k.killmail_time <= $3
        ORDER BY k.killmail_id <> $4, abs(extract(epoch FROM k.killmail_time - $5::timestamptz)), k.killmail_id
        LIMIT $6
        "#,
        system,
        time - around,
        time + around,
        killmail_id,
        time,
        MOST_RELATED + 1,
    )
    .fetch_all(conn)
    .await
    .map_err(Error::query("reading the killmails of a battle"))?;
    let killmails = rows.into_iter().map(|row| RelatedKillmail {
        killmail_id: row.killmail_id,
        killmail_time: row.killmail_time,
        ship_type_id: row.ship_type_id,
        ship_name: row.ship_name,
        character_id: row.character_id,
        character_name: row.character_name,
        group: Group::of(row.alliance_id, row.corporation_id, row.faction_id),
        total_value: row.total_value,
        attackers: Vec::new(),
    });
    Ok(killmails.collect())
}

/// Adds the groups of the attackers to killmails that are in order of time and id.
async fn add_attackers(conn: &mut PgConnection, killmails: &mut [RelatedKillmail]) -> Result<()> {
    let (ids, times): (Vec<_>, Vec<_>) = killmails
        .iter()
        .map(|it| (it.killmail_id, it.killmail_time))
        .unzip();
    let rows = sqlx::query!(
        r#"
        SELECT u.place AS "place!", g.alliance_id, g.corporation_id, g.faction_id
        FROM unnest($1::bigint[], $2::timestamptz[]) WITH ORDINALITY AS u (killmail_id, killmail_time, place)
        CROSS JOIN LATERAL (
            SELECT DISTINCT a.alliance_id, CASE WHEN a.alliance_id IS NULL THEN a.corporation_id END AS corporation_id,
                CASE WHEN a.alliance_id IS NULL AND a.corporation_id IS NULL THEN a.faction_id END AS faction_id
            FROM attackers AS a
            WHERE a.killmail_id = u.killmail_id AND a.killmail_time = u.killmail_time
        ) AS g
        "#,
        &ids,
        &times,
    )
    .fetch_all(conn)
    .await
    .map_err(Error::query("reading the attackers of a battle"))?;
    for row in rows {
        let place = usize::try_from(row.place - 1).unwrap_or(usize::MAX);
        let group = Group::of(row.alliance_id, row.corporation_id, row.faction_id);
        if let (Some(killmail), Some(group)) = (killmails.get_mut(place), group) {
            killmail.attackers.push(group);
        }
    }
    for killmail in killmails {
        killmail.attackers.sort_unstable();
    }
    Ok(())
}

/// Names of groups, where they are known.
///
/// # Errors
/// When the database refuses.
pub async fn names(conn: &mut PgConnection, groups: &[Group]) -> Result<Vec<(Group, String)>> {
    let (kinds, ids): (Vec<String>, Vec<i64>) = groups
        .iter()
        .map(|group| (group.kind.as_str().to_owned(), group.id))
        .unzip();
    let rows = sqlx::query!(
        r#"
        SELECT u.place AS "place!", n.name AS "name!"
        FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS u (kind, id, place)
        JOIN names AS n ON n.kind = u.kind AND n.id = u.id
        "#,
        &kinds,
        &ids,
    )
    .fetch_all(conn)
    .await
    .map_err(Error::query("reading the names of a battle"))?;
    let named = rows.into_iter().filter_map(|row| {
        let place = usize::try_from(row.place - 1).ok()?;
        Some((*groups.get(place)?, row.name))
    });
    Ok(named.collect())
}
