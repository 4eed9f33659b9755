//! Tail, ring, index and readers together, on a log in memory.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::{StreamExt, poll};
use proptest::prelude::*;
use proptest::sample::Index;

use super::testing::{self, World};
use super::{Batch, Error, Reader, Result};
use crate::domain::{FeedSequence, Filter, Killmail};

/// Longer than any test; none waits for it.
const LONG: Duration = Duration::from_hours(1);

fn systems(ids: impl IntoIterator<Item = i64>) -> Filter {
    Filter {
        systems: ids.into_iter().collect(),
        ..Filter::default()
    }
}

fn sequences(batch: &Batch) -> Vec<i64> {
    batch.events.iter().map(|event| event.sequence.0).collect()
}

async fn now(reader: &mut Reader, limit: usize) -> Result<Batch> {
    reader.next(limit, Duration::ZERO).await
}

impl World {
    async fn grow(&mut self, system: i64, count: i64) {
        for id in 1..=count {
            self.log.append(&testing::kill(system, id));
        }
        self.look().await;
    }
}

#[tokio::test]
async fn a_reader_without_cursor_starts_at_the_head() {
    let mut world = World::new(10);
    world.grow(1, 3).await;
    let mut reader = world.reader(None, Filter::default());
    assert_eq!(reader.cursor(), FeedSequence(3));
    assert!(now(&mut reader, 10).await.unwrap().events.is_empty());
    world.grow(1, 1).await;
    assert_eq!(sequences(&now(&mut reader, 10).await.unwrap()), [4]);
}

#[tokio::test]
async fn a_full_batch_says_whether_more_is_there() {
    let mut world = World::new(10);
    world.grow(1, 3).await;
    let mut reader = world.reader(Some(0), Filter::default());
    assert!(now(&mut reader, 2).await.unwrap().has_more);
    let rest = now(&mut reader, 1).await.unwrap();
    assert_eq!((sequences(&rest), rest.has_more), (vec![3], false));
}

#[tokio::test]
async fn a_reader_that_fell_off_the_ring_goes_on_from_the_database() {
    let mut world = World::new(4);
    let mut reader = world.reader(None, Filter::default());
    world.grow(1, 700).await;
    let mut seen = Vec::new();
    loop {
        let batch = now(&mut reader, 1_000).await.unwrap();
        seen.extend(sequences(&batch));
        if !batch.has_more {
            break;
        }
    }
    assert_eq!(seen, (1..=700).collect::<Vec<_>>());
}

#[tokio::test]
async fn cursor_zero_means_the_oldest_kept_event_after_pruning() {
    let mut world = World::new(2);
    world.grow(1, 10).await;
    world.log.prune(5);
    let mut reader = world.reader(Some(0), Filter::default());
    assert_eq!(
        sequences(&now(&mut reader, 10).await.unwrap()),
        [6, 7, 8, 9, 10]
    );
}

#[tokio::test]
async fn a_cursor_older_than_the_log_is_told_so() {
    let mut world = World::new(2);
    world.grow(1, 10).await;
    world.log.prune(5);
    for filter in [Filter::default(), systems([1]), systems([2])] {
        let mut reader = world.reader(Some(4), filter.clone());
        assert!(matches!(
            now(&mut reader, 10).await,
            Err(Error::Expired {
                after: FeedSequence(4),
                floor: FeedSequence(5)
            })
        ));
        assert!(now(&mut world.reader(Some(5), filter), 10).await.is_ok());
    }
}

#[tokio::test]
async fn a_cursor_beyond_the_log_is_told_so() {
    let mut world = World::new(2);
    world.grow(1, 3).await;
    let mut reader = world.reader(Some(4), Filter::default());
    assert!(matches!(
        now(&mut reader, 10).await,
        Err(Error::Ahead {
            after: FeedSequence(4),
            head: FeedSequence(3)
        })
    ));
}

#[tokio::test]
async fn a_cursor_from_another_process_may_be_ahead_of_this_tail() {
    let mut world = World::new(10);
    world.grow(1, 1).await;
    for id in 2..=4 {
        world.log.append(&testing::kill(1, id));
    }
    for filter in [Filter::default(), systems([1])] {
        let mut reader = world.reader(Some(3), filter);
        assert_eq!(sequences(&now(&mut reader, 10).await.unwrap()), [4]);
        assert!(now(&mut reader, 10).await.unwrap().events.is_empty());
        let cursor = reader.cursor();
        let mut next = pin!(reader.next(10, LONG));
        assert!(poll!(&mut next).is_pending());
        world.look().await;
        assert!(poll!(&mut next).is_pending());
        let added = world.log.append(&testing::kill(1, 5));
        assert_eq!(added.0, cursor.0 + 1);
        // Only this event is new to the reader, though the tail brings several.
        world.look().await;
        assert_eq!(sequences(&next.await.unwrap()), [added.0]);
        world.log.set_back(4);
        world.look().await;
    }
}

#[tokio::test]
async fn a_log_that_was_set_back_is_noticed() {
    let mut world = World::new(10);
    world.grow(1, 5).await;
    let mut broad = world.reader(None, Filter::default());
    let mut narrow = world.reader(None, systems([1]));
    let mut behind = world.reader(Some(2), Filter::default());
    {
        let mut broad = pin!(broad.next(10, LONG));
        let mut narrow = pin!(narrow.next(10, LONG));
        assert!(poll!(&mut broad).is_pending());
        assert!(poll!(&mut narrow).is_pending());
        world.log.set_back(3);
        world.look().await;
        assert!(matches!(
            broad.await,
            Err(Error::Ahead {
                head: FeedSequence(3),
                ..
            })
        ));
        assert!(matches!(
            narrow.await,
            Err(Error::Ahead {
                head: FeedSequence(3),
                ..
            })
        ));
    }
    world.grow(1, 1).await;
    assert_eq!(sequences(&now(&mut behind, 10).await.unwrap()), [3, 4]);
}

#[tokio::test]
async fn events_without_their_killmails_stop_nobody() {
    let mut world = World::new(4);
    world.grow(1, 3).await;
    for id in 4..=1_500 {
        world.log.append(&testing::kill(1, id));
    }
    world.log.lose(4..=1_490);
    world.log.lose(1_495..=1_495);
    world.look().await;
    world.look().await;
    for filter in [Filter::default(), systems([1])] {
        let mut reader = world.reader(Some(0), filter);
        let mut seen = Vec::new();
        for _ in 0..20 {
            seen.extend(sequences(&now(&mut reader, 1_000).await.unwrap()));
        }
        let kept = [
            1, 2, 3, 1_491, 1_492, 1_493, 1_494, 1_496, 1_497, 1_498, 1_499, 1_500,
        ];
        if reader.filter().is_everything() {
            assert_eq!(seen, kept);
        }
        assert_eq!(reader.cursor(), FeedSequence(1_500));
    }
    assert_eq!(world.hub.head(), FeedSequence(1_500));
}

#[tokio::test]
async fn a_narrow_reader_sleeps_through_foreign_events_and_reads_nothing() {
    let mut world = World::new(4);
    let mut reader = world.reader(None, systems([1]));
    {
        let mut next = pin!(reader.next(10, LONG));
        assert!(poll!(&mut next).is_pending());
        world.grow(2, 1_000).await;
        assert!(poll!(&mut next).is_pending());
        let reads = world.log.reads();
        world.grow(1, 1).await;
        assert_eq!(sequences(&next.await.unwrap()), [1_001]);
        // The tail's own page is the only one.
        assert_eq!(world.log.reads(), reads + 1);
    }
}

#[tokio::test]
async fn a_rare_filter_far_behind_reports_progress() {
    let mut world = World::new(4);
    let mut reader = world.reader(
        Some(0),
        Filter {
            characters: [20_000].into(),
            ..Filter::default()
        },
    );
    world.grow(1, 10_000).await;
    world.log.append(&testing::kill(1, 20_000));
    let first = now(&mut reader, 10).await.unwrap();
    assert!(first.events.is_empty() && first.has_more);
    assert!(first.cursor > FeedSequence(0));
    let second = now(&mut reader, 10).await.unwrap();
    assert_eq!(sequences(&second), [10_001]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_an_empty_batch() {
    let mut world = World::new(10);
    let mut reader = world.reader(None, systems([1]));
    let waiting = reader.next(10, Duration::from_mins(1));
    let (batch, ()) = tokio::join!(waiting, world.grow(2, 5));
    let batch = batch.unwrap();
    assert!(batch.events.is_empty() && !batch.has_more);
    assert_eq!(batch.cursor, FeedSequence(5));
}

#[tokio::test]
async fn closing_ends_every_wait() {
    let world = World::new(10);
    let mut broad = world.reader(None, Filter::default());
    let mut narrow = world.reader(None, systems([1]));
    let mut stream = world.reader(None, systems([1])).into_stream().boxed();
    let mut broad = pin!(broad.next(10, LONG));
    let mut narrow = pin!(narrow.next(10, LONG));
    assert!(poll!(&mut broad).is_pending());
    assert!(poll!(&mut narrow).is_pending());
    assert!(poll!(stream.next()).is_pending());
    world.hub.close();
    assert!(matches!(broad.await, Err(Error::Closed)));
    assert!(matches!(narrow.await, Err(Error::Closed)));
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_stream_gives_every_event_and_ends_after_a_refused_cursor() {
    let mut world = World::new(4);
    world.grow(1, 200).await;
    let stream = world.reader(Some(0), Filter::default()).into_stream();
    let seen: Vec<i64> = stream
        .take(200)
        .map(|event| event.unwrap().sequence.0)
        .collect()
        .await;
    assert_eq!(seen, (1..=200).collect::<Vec<_>>());
    let refused: Vec<_> = world
        .reader(Some(999), Filter::default())
        .into_stream()
        .collect()
        .await;
    assert!(matches!(refused[..], [Err(Error::Ahead { .. })]));
}

#[tokio::test]
async fn a_waiting_reader_is_small() {
    let world = World::new(4);
    let mut reader = world.reader(None, systems([1]));
    let own = size_of_val(&reader);
    let waiting = size_of_val(&reader.next(10, LONG));
    assert!(own + waiting < 2_048, "{own} + {waiting} bytes");
}

#[tokio::test]
async fn readers_are_counted() {
    let world = World::new(4);
    let readers = [(); 3].map(|()| world.reader(None, Filter::default()));
    assert_eq!(world.hub.status().readers, 3);
    drop(readers);
    assert_eq!(world.hub.status().readers, 0);
}

/// What may happen to a feed and its readers.
#[derive(Debug, Clone)]
enum Step {
    Append(Vec<Killmail>),
    Look,
    Prune,
    Read(Index, usize),
    /// Starts a wait, gives it up.
    Cancel(Index),
    /// Starts a wait, appends meanwhile: it must end when, and only when, something matches.
    WaitWhile(Index, Vec<Killmail>),
    SetFilter(Index, Box<Filter>),
    Reconnect(Index),
}

fn steps() -> impl Strategy<Value = Step> {
    let some = || prop::collection::vec(testing::killmails(), 1..6);
    let reader = any::<Index>;
    prop_oneof![
        4 => some().prop_map(Step::Append),
        3 => Just(Step::Look),
        1 => Just(Step::Prune),
        4 => (reader(), 1_usize..5).prop_map(|(reader, limit)| Step::Read(reader, limit)),
        2 => reader().prop_map(Step::Cancel),
        4 => (reader(), some()).prop_map(|(reader, kills)| Step::WaitWhile(reader, kills)),
        1 => (reader(), testing::filters())
            .prop_map(|(reader, filter)| Step::SetFilter(reader, Box::new(filter))),
        1 => reader().prop_map(Step::Reconnect),
    ]
}

/// The one promise: a batch holds exactly what matches between the cursor before and the cursor after.
async fn check(
    world: &World,
    before: FeedSequence,
    filter: &Filter,
    next: impl Future<Output = Result<Batch>>,
) {
    let batch = next.await.unwrap();
    let owed: Vec<i64> = world
        .log
        .events()
        .iter()
        .filter(|event| event.sequence > before && event.sequence <= batch.cursor)
        .filter(|event| event.matches(filter))
        .map(|event| event.sequence.0)
        .collect();
    assert_eq!(sequences(&batch), owed, "after {before} with {filter:?}");
}

async fn read(world: &World, reader: &mut Reader, limit: usize) {
    let (before, filter) = (reader.cursor(), reader.filter().clone());
    check(world, before, &filter, now(reader, limit)).await;
}

/// A wait that gave nothing may have passed foreign events only.
fn check_passed(world: &World, before: FeedSequence, reader: &Reader) {
    let lost = world.log.events().into_iter().find(|event| {
        event.sequence > before
            && event.sequence <= reader.cursor()
            && event.matches(reader.filter())
    });
    assert!(lost.is_none(), "passed {lost:?}");
}

async fn wait_while(world: &mut World, reader: &mut Reader, killmails: &[Killmail]) {
    let (before, filter) = (reader.cursor(), reader.filter().clone());
    let mut next = Box::pin(reader.next(3, LONG));
    match poll!(&mut next) {
        Poll::Ready(batch) => check(world, before, &filter, async { batch }).await,
        Poll::Pending => {
            for killmail in killmails {
                world.log.append(killmail);
            }
            world.look().await;
            let due = world
                .log
                .events()
                .iter()
                .any(|event| event.sequence > before && event.matches(&filter));
            match poll!(&mut next) {
                Poll::Ready(batch) => {
                    assert!(due, "ended without a match");
                    check(world, before, &filter, async { batch }).await;
                }
                Poll::Pending => {
                    assert!(!due, "slept through a match of {filter:?}");
                    drop(next);
                    check_passed(world, before, reader);
                }
            }
        }
    }
}

async fn play(ring: usize, filters: Vec<Filter>, steps: Vec<Step>) {
    let mut world = World::new(ring);
    let mut readers: Vec<Reader> = filters
        .into_iter()
        .map(|filter| world.reader(Some(0), filter))
        .collect();
    for step in steps {
        match step {
            Step::Append(killmails) => {
                for killmail in &killmails {
                    world.log.append(killmail);
                }
            }
            Step::Look => world.look().await,
            Step::Prune => {
                let floor = readers.iter().map(|reader| reader.cursor().0).min();
                world.log.prune(floor.unwrap_or(0));
            }
            Step::Read(index, limit) => read(&world, index.get_mut(&mut readers), limit).await,
            Step::Cancel(index) => {
                let reader = index.get_mut(&mut readers);
                let (before, filter) = (reader.cursor(), reader.filter().clone());
                let outcome = poll!(pin!(reader.next(3, LONG)));
                match outcome {
                    Poll::Ready(batch) => {
                        check(&world, before, &filter, async { batch }).await;
                    }
                    Poll::Pending => check_passed(&world, before, reader),
                }
            }
            Step::WaitWhile(index, killmails) => {
                wait_while(&mut world, index.get_mut(&mut readers), &killmails).await;
            }
            Step::SetFilter(index, filter) => index.get_mut(&mut readers).set_filter(*filter),
            Step::Reconnect(index) => {
                let reader = index.get_mut(&mut readers);
                *reader = world.reader(Some(reader.cursor().0), reader.filter().clone());
            }
        }
    }
    world.look().await;
    for reader in &mut readers {
        for _ in 0..=world.log.ends().head.0 {
            read(&world, reader, 7).await;
        }
        assert_eq!(reader.cursor(), world.log.ends().head);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Under any order of appends, looks, reads, waits, cancellations, reconnections and changes of filter,
    /// each reader gets exactly what matches, in order, and no wait sleeps through a match.
    #[test]
    fn each_reader_gets_exactly_what_matches(
        ring in 1_usize..12,
        filters in prop::collection::vec(testing::filters(), 1..6),
        steps in prop::collection::vec(steps(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(play(ring, filters, steps));
    }
}
