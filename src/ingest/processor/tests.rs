use std::collections::HashMap;
use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::*;
use crate::ingest::fixtures::{cursor, envelope, killmail, noon, reference};
use crate::runtime::clock::TestClock;

/// What one reference is answered with.
#[derive(Debug)]
enum Answer {
    Body,
    Later,
    Never,
    Silence,
}

#[derive(Debug, Default)]
struct Bodies {
    answers: Mutex<HashMap<i64, Answer>>,
}

impl FetchBody for Bodies {
    fn fetch(&self, reference: Reference) -> BoxFuture<'static, Result<Killmail, BodyError>> {
        let answer = self.answers.lock().unwrap().remove(&reference.killmail_id);
        let body = Killmail {
            hash: Some(reference.hash),
            zkb: reference.zkb,
            ..killmail(reference.killmail_id)
        };
        match answer.expect("a scripted answer") {
            Answer::Body => async { Ok(body) }.boxed(),
            Answer::Later => async { Err(BodyError::Later("busy".to_owned())) }.boxed(),
            Answer::Never => async { Err(BodyError::Never("unknown".to_owned())) }.boxed(),
            Answer::Silence => futures::future::pending().boxed(),
        }
    }
}

/// Feeds the stage and reads all that comes out.
async fn process(envelopes: Vec<Envelope>, answers: Vec<(i64, Answer)>) -> Vec<Processed> {
    process_kept(0, envelopes, answers).await
}

/// The same where killmails are kept for so many days.
async fn process_kept(
    retention_days: u32,
    envelopes: Vec<Envelope>,
    answers: Vec<(i64, Answer)>,
) -> Vec<Processed> {
    let (input, receiver) = mpsc::channel(envelopes.len().max(1));
    let (sender, mut output) = mpsc::channel(envelopes.len().max(1));
    for envelope in envelopes {
        input.send(envelope).await.unwrap();
    }
    drop(input);
    let bodies = Bodies {
        answers: Mutex::new(answers.into_iter().collect()),
    };
    let processor = Processor {
        bodies: Some(Arc::new(bodies)),
        clock: TestClock::at(noon()),
        retention: RetentionConfig { retention_days },
    };
    processor.run(receiver, sender).await;
    let mut processed = Vec::new();
    while let Ok(item) = output.try_recv() {
        processed.push(item);
    }
    processed
}

#[tokio::test(start_paused = true)]
async fn history_from_before_what_is_kept_is_left_out() {
    let of = |announce, days| {
        let killmail = Killmail {
            killmail_time: noon() - chrono::TimeDelta::days(days),
            ..killmail(1)
        };
        Envelope {
            announce,
            ..envelope("1", Payload::Killmail(Box::new(killmail)))
        }
    };
    let envelopes = vec![
        of(Announce::IfRecent, 8),
        of(Announce::Never, 8),
        of(Announce::Always, 8),
        of(Announce::IfRecent, 7),
    ];
    let processed = process_kept(7, envelopes, Vec::new()).await;
    let expired: Vec<bool> = (processed.iter())
        .map(|item| matches!(item.content, Content::Expired))
        .collect();
    assert_eq!(expired, [true, true, false, false]);
}

fn raw(origin: &str, bytes: impl Into<Bytes>) -> Envelope {
    envelope(origin, Payload::Raw(bytes.into()))
}

#[tokio::test(start_paused = true)]
async fn keeps_the_order_of_its_input_while_bodies_are_slow() {
    let envelopes = vec![
        raw("1", reference(1)),
        envelope("2", Payload::Killmail(Box::new(killmail(2)))),
        raw("3", "no json"),
        envelope("4", Payload::Empty),
        raw("5", reference(5)),
    ];
    let processed = process(envelopes, vec![(1, Answer::Silence), (5, Answer::Body)]).await;
    let origins: Vec<&str> = processed
        .iter()
        .map(|item| item.ticket.origin.as_str())
        .collect();
    assert_eq!(origins, ["1", "2", "3", "4", "5"]);
    assert!(matches!(processed[0].content, Content::Deferred));
    assert!(matches!(processed[1].content, Content::Killmail(_)));
    assert!(matches!(processed[2].content, Content::DeadLetter(_)));
    assert!(matches!(processed[3].content, Content::Nothing));
    assert!(matches!(processed[4].content, Content::Killmail(_)));
}

#[tokio::test]
async fn a_fetched_body_keeps_the_values_of_its_reference() {
    let processed = process(vec![raw("1", reference(1))], vec![(1, Answer::Body)]).await;
    let Content::Killmail(read) = &processed[0].content else {
        panic!("not a killmail: {processed:?}");
    };
    let zkb = read.killmail.zkb.as_ref().unwrap();
    assert_eq!(zkb.total_value, Some(10_000.0));
}

#[tokio::test]
async fn a_body_that_never_comes_is_a_dead_letter_with_its_bytes() {
    let processed = process(vec![raw("1", reference(1))], vec![(1, Answer::Never)]).await;
    let Content::DeadLetter(letter) = &processed[0].content else {
        panic!("not a dead letter: {processed:?}");
    };
    assert_eq!(letter.code, "no_body");
    assert_eq!(letter.payload, reference(1));
}

#[tokio::test]
async fn a_body_that_comes_later_is_a_gap_at_its_position() {
    let mut numbered = raw("700", reference(1));
    numbered.cursor = Some(cursor(700));
    let mut queued = raw("queue", reference(2));
    queued.source = "redisq";
    queued.cursor = Some(cursor(0));
    let unnumbered = raw("line 3", reference(3));
    let answers = vec![(1, Answer::Later), (2, Answer::Later), (3, Answer::Later)];
    let processed = process(vec![numbered, queued, unnumbered], answers).await;
    for (item, position) in processed.iter().zip([700, 2, 3]) {
        let [gap] = item.ticket.gaps.as_slice() else {
            panic!("not one gap: {item:?}");
        };
        assert_eq!(gap.position, position);
        assert_eq!(gap.reason, GapReason::NoBody);
        assert!(gap.payload.is_some());
        assert!(gap.next_attempt_at > noon());
    }
}

#[tokio::test]
async fn a_gap_that_is_asked_for_again_in_vain_stays_open() {
    let mut again = raw("700", reference(1));
    again.closes_gap = Some(700);
    let processed = process(vec![again], vec![(1, Answer::Later)]).await;
    assert_eq!(processed[0].ticket.closes_gap, None);
    assert!(processed[0].ticket.gaps.is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_is_a_dead_letter_and_its_position_still_moves() {
    let mut garbage = raw("9", "<html>");
    garbage.cursor = Some(cursor(9));
    let processed = process(vec![garbage], Vec::new()).await;
    let Content::DeadLetter(letter) = &processed[0].content else {
        panic!("not a dead letter: {processed:?}");
    };
    assert_eq!(
        (letter.code.as_str(), letter.position.as_str()),
        ("not_json", "9")
    );
    assert_eq!(processed[0].ticket.cursor, Some(cursor(9)));
}
