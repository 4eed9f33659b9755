//! Asks zKillboard for the values of killmails that came without any.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use tokio::sync::oneshot;

use super::{UpkeepDeps, events};
use crate::domain::{Killmail, wire};
use crate::ingest::envelope::{Announce, Envelope, Outcome, Payload};
use crate::ingest::pipeline::PipelineInput;
use crate::runtime::clock::SharedClock;
use crate::store::killmails::{self, Change};
use crate::store::values::{self, Due};
use crate::store::{self, Store};
use crate::upstream::zkb::rest::{FoundValues, ZkbRest};

/// The source's name in envelopes, logs and metrics.
const SOURCE: &str = "zkb";
/// zKillboard keeps killmails younger than 5 minutes back, and caches answers for some minutes.
const YOUNGEST: TimeDelta = TimeDelta::minutes(10);
/// When to ask again after an attempt in vain; after the last one it is given up.
const LADDER: [TimeDelta; 4] = [
    TimeDelta::minutes(10),
    TimeDelta::hours(1),
    TimeDelta::hours(6),
    TimeDelta::days(1),
];
/// Killmails looked up together: a few minutes' work, so that newer ones don't wait long.
const PAGE: i64 = 100;
/// Pause when nothing is due.
const IDLE: Duration = Duration::from_mins(1);

/// What asking for values needs.
#[derive(Debug, Clone, Copy)]
pub struct ValuesDeps<'a> {
    /// Where killmails are.
    pub store: &'a Store,
    /// Time.
    pub clock: &'a SharedClock,
    /// Whom to ask.
    pub zkb: &'a ZkbRest,
    /// Takes what was found.
    pub input: &'a PipelineInput,
    /// How old killmails may be, days.
    pub days: u32,
}

pub(super) async fn run(deps: &UpkeepDeps, zkb: &ZkbRest) -> anyhow::Result<Infallible> {
    let values = ValuesDeps {
        store: &deps.store,
        clock: &deps.clock,
        zkb,
        input: &deps.input,
        days: deps.ingest.values_days,
    };
    loop {
        if fill(values).await? == 0 {
            deps.clock.sleep(IDLE).await;
        }
    }
}

/// Asks once for each killmail of a page that is due, newest first, one at a time. Returns how many were
/// due. Waits as long as zKillboard wants to be left alone, and ends the page then.
///
/// # Errors
/// When the database refuses or the pipeline has ended.
pub async fn fill(deps: ValuesDeps<'_>) -> anyhow::Result<usize> {
    let now = deps.clock.now();
    let from = now - TimeDelta::days(i64::from(deps.days));
    let due = values::due(&deps.store.pool, from, now - YOUNGEST, now, PAGE)
        .await
        .context("looking for killmails without values")?;
    for due in &due {
        let asked = deps.zkb.values(due.killmail_id).await;
        let killmail_id = due.killmail_id;
        match asked {
            Ok(found) => {
                let filled = settle(deps, killmail_id, found).await?;
                events::ValuesAsked {
                    killmail_id,
                    found: Ok(filled),
                }
                .emit();
                if !filled {
                    in_vain(deps, due).await?;
                }
            }
            Err(error) => {
                events::ValuesAsked {
                    killmail_id,
                    found: Err(&error),
                }
                .emit();
                if error.is_about_question() {
                    in_vain(deps, due).await?;
                }
                deps.clock.sleep(error.pause()).await;
                break;
            }
        }
    }
    Ok(due.len())
}

async fn in_vain(deps: ValuesDeps<'_>, due: &Due) -> store::Result<()> {
    let rung = usize::try_from(due.attempts).unwrap_or(usize::MAX);
    let next = LADDER.get(rung).map(|wait| deps.clock.now() + *wait);
    values::record_attempt(&deps.store.pool, due.killmail_id, next).await
}

/// Sends what was found through the pipeline. False where there is nothing in it for this killmail.
async fn settle(
    deps: ValuesDeps<'_>,
    killmail_id: i64,
    found: Option<FoundValues>,
) -> anyhow::Result<bool> {
    let Some(FoundValues {
        hash,
        zkb: Some(zkb),
    }) = found
    else {
        return Ok(false);
    };
    if zkb.total_value.is_none() && zkb.npc.is_none() {
        return Ok(false);
    }
    let Some(facts) = facts(deps.store, killmail_id).await? else {
        return Ok(false);
    };
    if facts.hash.is_some() && hash.is_some() && facts.hash != hash {
        return Ok(false);
    }
    let (done, outcome) = oneshot::channel();
    let envelope = Envelope {
        source: SOURCE,
        origin: format!("killID {killmail_id}"),
        payload: Payload::Killmail(Box::new(Killmail {
            hash: facts.hash.or(hash),
            zkb: Some(zkb),
            ..facts
        })),
        received_at: deps.clock.now(),
        announce: Announce::IfRecent,
        cursor: None,
        gaps: Vec::new(),
        closes_gap: None,
        done: Some(done),
    };
    (deps.input.send(envelope).await).context("the pipeline has ended")?;
    let outcome = outcome.await.context("the pipeline has ended")?;
    let filled = matches!(
        outcome,
        Outcome::Stored {
            change: Change::Updated,
            ..
        }
    );
    if filled {
        values::forget_attempts(&deps.store.pool, killmail_id).await?;
    }
    Ok(filled)
}

/// The stored facts; `None` where there are none that can be read.
async fn facts(store: &Store, killmail_id: i64) -> store::Result<Option<Killmail>> {
    let stored = killmails::get(&store.pool, killmail_id, true).await?;
    let facts = stored.map(|stored| wire::read(&stored.document, stored.items.as_deref()));
    Ok(facts.transpose().unwrap_or_else(|error| {
        tracing::warn!(killmail_id, %error, "a stored document can't be read, so it gets no values");
        None
    }))
}
