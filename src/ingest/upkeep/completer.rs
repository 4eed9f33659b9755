//! Renders stored documents anew once what they lacked is known.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Context;

use super::{UpkeepDeps, events};
use crate::domain::names::Wanted;
use crate::domain::{Killmail, wire};
use crate::ingest::resolver::{Questions, Resolved, Resolver, Urgency};
use crate::runtime::clock::SharedClock;
use crate::store::killmails::{self, Completion, PendingKillmail};
use crate::store::{self, Store};

/// Killmails looked at together: enough for full questions to ESI.
const PAGE: i64 = 200;
/// Documents of a page, bytes: the largest known is near 4 MiB, and a page is read before it is looked at.
const PAGE_BYTES: usize = 8 * 1024 * 1024;
/// How long a page waits for ESI; what comes later is found in the next sweep.
const ASK_WAIT: Duration = Duration::from_secs(30);
/// Pause after a sweep that completed something.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// Longest pause: what nobody can name costs one walk through the pending rows in this time.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// Pages after which a walk looks for killmails that became pending meanwhile: a walk through years takes
/// hours, and a live killmail should not wait for its end.
const LOOK_BACK: u64 = 10;
/// Pages without any gain after which a walk ends while nobody can be asked.
const IDLE_PAGES: u32 = 10;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Killmails that gained something.
    pub written: u64,
    /// Those of them that lack nothing now.
    pub completed: u64,
    /// Killmails that are still pending.
    pub left: i64,
}

impl Swept {
    fn add(&mut self, done: Completion) {
        self.written += done.written;
        self.completed += done.completed;
    }
}

pub(super) async fn run(deps: &UpkeepDeps) -> anyhow::Result<Infallible> {
    let mut pause = FIRST_PAUSE;
    loop {
        let started = deps.clock.monotonic();
        let swept = sweep(&deps.store, &deps.resolver)
            .await
            .context("completing stored documents")?;
        let took = deps.clock.monotonic().saturating_sub(started);
        events::SweepEnded { swept, took }.emit();
        pause = next_pause(pause, swept.written > 0);
        wait(&deps.clock, pause).await;
    }
}

async fn wait(clock: &SharedClock, pause: Duration) {
    clock.sleep(pause).await;
}

fn next_pause(last: Duration, progress: bool) -> Duration {
    if progress {
        FIRST_PAUSE
    } else {
        last.saturating_mul(2).min(LONGEST_PAUSE)
    }
}

/// Looks at every pending killmail once, newest first, and writes what has become known. What becomes pending
/// during a long walk goes before the rest of it. No transaction is open while ESI is asked; where nobody can
/// be asked and the tables have nothing either, the walk ends early.
///
/// # Errors
/// When the database refuses; pages before that stay written.
pub async fn sweep(store: &Store, resolver: &Resolver) -> store::Result<Swept> {
    let mut swept = Swept::default();
    let mut before = i64::MAX;
    let mut newest = i64::MAX;
    let mut idle_pages = 0;
    for number in 0_u64.. {
        if number % LOOK_BACK == LOOK_BACK - 1 {
            let page = killmails::pending(&store.pool, i64::MAX, PAGE, PAGE_BYTES).await?;
            let known = page.partition_point(|it| it.killmail_id > newest);
            let fresh = page.get(..known).unwrap_or_default();
            newest = fresh.first().map_or(newest, |it| it.killmail_id);
            swept.add(complete(store, resolver, fresh).await?);
        }
        let page = killmails::pending(&store.pool, before, PAGE, PAGE_BYTES).await?;
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            break;
        };
        if number == 0 {
            newest = first.killmail_id;
        }
        before = last.killmail_id;
        let done = complete(store, resolver, &page).await?;
        swept.add(done);
        idle_pages = if done.written > 0 || resolver.can_ask() {
            0
        } else {
            idle_pages + 1
        };
        if idle_pages == IDLE_PAGES {
            break;
        }
    }
    swept.left = killmails::pending_count(&store.pool).await?;
    Ok(swept)
}

async fn complete(
    store: &Store,
    names: &Resolver,
    page: &[PendingKillmail],
) -> store::Result<Completion> {
    if page.is_empty() {
        return Ok(Completion::default());
    }
    let read: Vec<(&PendingKillmail, Killmail)> = page
        .iter()
        .filter_map(|pending| match wire::read(&pending.document, None) {
            Ok(killmail) => Some((pending, killmail)),
            Err(error) => {
                let killmail_id = pending.killmail_id;
                tracing::debug!(killmail_id, %error, "a pending document can't be read");
                None
            }
        })
        .collect();
    let wanted = Wanted::of(read.iter().map(|(_, killmail)| killmail));
    let mut resolved = names.known(&wanted).await?;
    if read.iter().any(|(_, it)| !resolved.is_complete(it)) {
        let questions = Questions {
            foremost: Wanted::default(),
            rest: wanted,
            urgency: Urgency::Heal,
        };
        names.ask(&mut resolved, questions, ASK_WAIT).await;
    }
    let ids: Vec<i64> = read
        .iter()
        .filter(|(pending, killmail)| gains(pending, killmail, &resolved))
        .map(|(pending, _)| pending.killmail_id)
        .collect();
    if ids.is_empty() {
        return Ok(Completion::default());
    }
    write(store, &ids, &resolved).await
}

/// Whether rendering it anew is worth locking it. The write looks again at what is stored by then.
fn gains(pending: &PendingKillmail, killmail: &Killmail, resolved: &Resolved) -> bool {
    let enrichment = &resolved.enrichment;
    let knows_group = || {
        let id = killmail.victim.ship_type_id;
        id.is_some_and(|id| enrichment.ship_types.contains_key(&id))
    };
    let system = &killmail.solar_system_id;
    (pending.lacks_place && enrichment.solar_systems.contains_key(system))
        || (pending.lacks_group && knows_group())
        || resolved.is_complete(killmail)
        || wire::document(killmail, enrichment) != pending.document
}

async fn write(store: &Store, ids: &[i64], resolved: &Resolved) -> store::Result<Completion> {
    let operation = "completing killmails";
    let failed = |source| store::Error::Query { operation, source };
    let mut transaction = store.pool.begin().await.map_err(failed)?;
    let (enrichment, given_up) = (&resolved.enrichment, &resolved.given_up);
    let done = killmails::complete(&mut transaction, ids, enrichment, given_up).await?;
    transaction.commit().await.map_err(failed)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_without_progress_only() {
        let mut pauses = vec![FIRST_PAUSE];
        for progress in [false, false, false, false, false, false, true] {
            pauses.push(next_pause(*pauses.last().unwrap(), progress));
        }
        let seconds: Vec<u64> = pauses.iter().map(Duration::as_secs).collect();
        assert_eq!(seconds, [30, 60, 120, 240, 480, 600, 600, 30]);
    }
}
