use super::*;
use crate::domain::FeedSequence;
use crate::ingest::envelope::Announce;
use crate::ingest::fixtures::{cursor, killmail, ready};
use crate::ingest::plan::{Announcing, Plan};
use crate::ingest::stage::Item;
use crate::store::feed::FeedKind;
use crate::store::killmails::Change;
use chrono::TimeDelta;

fn items(ids: &[i64]) -> Vec<Ready> {
    ids.iter()
        .map(|id| ready(killmail(*id), Announce::Always).0)
        .collect()
}

fn ids_of(items: &[Ready]) -> Vec<i64> {
    let killmails = items.iter().filter_map(|item| match &item.content {
        Content::Killmail(ready) => Some(ready.storable.killmail.killmail_id),
        Content::DeadLetter(_) | Content::Deferred | Content::Expired | Content::Nothing => None,
    });
    killmails.collect()
}

#[test]
fn a_wave_never_has_an_id_twice() {
    let batch = Batch::compose(items(&[1, 2, 1, 3, 1, 2]));
    let waves: Vec<Vec<i64>> = (batch.waves.iter())
        .map(|wave| {
            wave.killmails
                .iter()
                .map(|one| one.killmail.killmail_id)
                .collect()
        })
        .collect();
    assert_eq!(waves, [vec![1, 2, 3], vec![1, 2], vec![1]]);
}

#[test]
fn taken_apart_it_is_what_was_put_in() {
    let ids = [1, 2, 1, 3, 1, 2];
    assert_eq!(ids_of(&Batch::compose(items(&ids)).take_apart()), ids);
}

#[test]
fn the_cursor_goes_back_only_by_rewind() {
    let with = |moves: Vec<CursorMove>| {
        let mut items = items(&vec![1; moves.len()]);
        for (item, one) in items.iter_mut().zip(moves) {
            item.ticket.cursor = Some(one);
        }
        Batch::compose(items).cursor().unwrap()
    };
    let rewind = |position| CursorMove {
        rewind: true,
        ..cursor(position)
    };
    assert_eq!(with(vec![cursor(5), cursor(6)]), cursor(6));
    assert_eq!(with(vec![cursor(6), cursor(5)]), cursor(6));
    assert_eq!(with(vec![cursor(6), rewind(2)]), rewind(2));
    assert_eq!(with(vec![rewind(2), cursor(3)]), rewind(3));
}

/// What is announced of `changes` to one killmail, and the answers.
fn plan(announce: &[Announce], changes: &[Change], hours: i64) -> (Vec<FeedKind>, Vec<Outcome>) {
    let mail = killmail(1);
    let announcing = Announcing {
        now: mail.killmail_time + TimeDelta::hours(hours),
        within: TimeDelta::hours(24),
    };
    let items: Vec<Item<_>> = announce
        .iter()
        .map(|one| ready(mail.clone(), *one).0)
        .collect();
    let batch = Batch::compose(items);
    let changes: Vec<Vec<Change>> = changes.iter().map(|change| vec![*change]).collect();
    let plan = Plan::of(&batch, &changes, &announcing);
    let kinds: Vec<FeedKind> = plan.events.iter().map(|event| event.kind).collect();
    let last = (!kinds.is_empty()).then_some(FeedSequence(40));
    (kinds, plan.settle(last).outcomes)
}

#[test]
fn announces_by_rule() {
    use Announce::{Always, IfRecent, Never};
    use Change::{Conflict, New, Unchanged, Updated};
    let kinds = |announce, change, hours| plan(&[announce], &[change], hours).0;
    assert_eq!(kinds(Always, New, 9_000), [FeedKind::New]);
    assert_eq!(kinds(Always, Updated, 9_000), [FeedKind::Updated]);
    assert_eq!(kinds(IfRecent, New, 23), [FeedKind::New]);
    assert_eq!(kinds(IfRecent, Updated, 23), [FeedKind::Updated]);
    assert_eq!(kinds(IfRecent, New, 24), []);
    assert_eq!(kinds(Never, New, 0), []);
    for silent in [Unchanged, Conflict] {
        assert_eq!(kinds(Always, silent, 0), []);
    }
}

#[test]
fn one_transaction_announces_a_killmail_once() {
    let always = [Announce::Always; 3];
    let changes = [Change::New, Change::Unchanged, Change::Updated];
    let (kinds, outcomes) = plan(&always, &changes, 0);
    assert_eq!(kinds, [FeedKind::New]);
    let sequences: Vec<Option<FeedSequence>> = (outcomes.iter())
        .map(|outcome| match outcome {
            Outcome::Stored { sequence, .. } => *sequence,
            other @ (Outcome::DeadLetter { .. }
            | Outcome::Deferred
            | Outcome::Expired
            | Outcome::Nothing) => {
                panic!("not stored: {other:?}")
            }
        })
        .collect();
    let first = Some(FeedSequence(40));
    assert_eq!(sequences, [first, None, first]);
}

#[test]
fn another_time_for_the_same_id_is_a_dead_letter() {
    let (kinds, outcomes) = plan(&[Announce::Always], &[Change::Conflict], 0);
    assert_eq!(kinds, []);
    assert!(matches!(outcomes.as_slice(), [Outcome::DeadLetter { .. }]));
}
