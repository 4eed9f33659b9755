use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::{LiveDeps, Memory, envelopes, events, gaps};
use crate::ingest::envelope::{CursorMove, Envelope, Payload};
use crate::ingest::pipeline::PipelineInput;
use crate::store::cursors::SourceCursor;
use crate::store::gaps::{Gap, GapReason};
use crate::upstream::zkb::r2z2::{
    Alert, Answer, Ask, Client, Document, Effects, Next, Policy, PolicyLimits, Position, Start, Why,
};

/// The name under which R2Z2's cursor, gaps and dead letters are stored.
pub const NAME: &str = "r2z2";
/// Passed-over numbers are looked up no more often than this many idle waits.
const GAP_EVERY: u32 = 5;

/// One term's run along the numbers.
struct Follower<'a> {
    deps: &'a LiveDeps,
    client: Client,
    limits: PolicyLimits,
    policy: Policy,
    input: PipelineInput,
    gap_looked_at: Duration,
}

/// Follows R2Z2: asks, hands on, waits. Input: the server. Output: envelopes that carry the position. Retry:
/// as the policy says. End: when `stop` is cancelled or the pipeline is gone.
pub(super) async fn follow(
    deps: &LiveDeps,
    memory: &mut Memory,
    input: PipelineInput,
    cursor: Option<SourceCursor>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let limits = PolicyLimits::new(deps.live.interval(), deps.live.idle());
    let start = match (cursor, deps.live.r2z2_start) {
        (Some(cursor), _) => Start::After {
            position: cursor.position,
            age: (deps.clock.now() - cursor.updated_at)
                .to_std()
                .unwrap_or_default(),
        },
        (None, Some(first)) => Start::After {
            position: first - 1,
            age: Duration::ZERO,
        },
        (None, None) => Start::Head,
    };
    let now = deps.clock.monotonic();
    let client = Client::new(
        deps.http.clone(),
        deps.live.r2z2_url.clone(),
        deps.live.interval(),
    );
    let mut follower = Follower {
        deps,
        client,
        limits,
        policy: Policy::new(limits, start, now, rand::random()),
        input,
        gap_looked_at: now,
    };
    let asked_before = std::mem::replace(&mut memory.asked_r2z2, true);
    let running = async {
        if asked_before {
            deps.clock.sleep(limits.idle).await;
        }
        follower.run().await;
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = running => {}
    }
    Ok(())
}

impl Follower<'_> {
    /// Ends when the pipeline is gone. May be dropped at any point: what was not handed on is asked again.
    async fn run(&mut self) {
        loop {
            let Next { wait, ask } = self.policy.next();
            self.deps.clock.sleep(wait).await;
            if self.gap_is_due() && self.retry_gap().await {
                continue;
            }
            let handed_on = match ask {
                Ask::Head => {
                    let answer = self.client.sequence().await;
                    let effects = self.policy.on_head(self.deps.clock.monotonic(), answer);
                    self.hand_on(effects, None).await
                }
                Ask::Document(number) => {
                    let document = self.client.document(number).await;
                    let now = self.deps.clock.monotonic();
                    let effects = self.policy.on_document(now, document.answer);
                    self.hand_on(effects, Some((number, document))).await
                }
            };
            if !handed_on {
                return;
            }
        }
    }

    /// Puts what follows from an answer into the pipeline; false when that is gone.
    async fn hand_on(&mut self, effects: Effects, asked: Option<(i64, Document)>) -> bool {
        if let Some(documents) = self.policy.lag() {
            events::LagHeard {
                source: NAME,
                documents,
            }
            .emit();
        }
        self.note(effects.alert);
        effects.hole.into_iter().for_each(events::hole);
        let now = self.deps.clock.now();
        let passed_over = effects.passed_over.iter();
        let gaps: Vec<Gap> = passed_over
            .map(|passed| self.gap(passed.number, passed.reason, now))
            .collect();
        let (origin, payload) = match asked {
            Some((number, document)) if effects.deliver => {
                events::DocumentArrived {
                    source: NAME,
                    published_at: document.published_at,
                    now,
                }
                .emit();
                (format!("sequence {number}"), payload(document))
            }
            Some((
                number,
                Document {
                    problem: Some(problem),
                    ..
                },
            )) => {
                tracing::debug!(number, problem, "no R2Z2 document yet");
                ("position".to_owned(), Payload::Empty)
            }
            _ => ("position".to_owned(), Payload::Empty),
        };
        let nothing = matches!(payload, Payload::Empty);
        if nothing && gaps.is_empty() && effects.position.is_none() {
            return true;
        }
        let hole = effects.hole.map(
            |hole| serde_json::json!({"skipped": {"from": hole.from, "to": hole.to, "at": now}}),
        );
        let cursor = effects.position.map(|position| cursor_move(position, hole));
        self.send(Envelope {
            cursor,
            gaps,
            ..envelopes::bare(NAME, origin, payload, now)
        })
        .await
    }

    /// Keeps in mind whether an answer was a ban, and tells what a person should know.
    fn note(&self, alert: Option<Alert>) {
        let now = self.deps.clock.now();
        let banned_until = match alert {
            Some(Alert::Banned(pause)) => Some(now + pause),
            Some(Alert::Stale(_) | Alert::SnappedBack(_)) | None => None,
        };
        self.deps.standing.answered(now, banned_until);
        alert.into_iter().for_each(events::alert);
    }

    async fn send(&self, envelope: Envelope) -> bool {
        self.input.send(envelope).await.is_ok()
    }

    fn gap(&self, number: i64, why: Why, now: DateTime<Utc>) -> Gap {
        let (reason, wait) = match why {
            Why::Missing => (GapReason::Missing, gaps::FIRST_STEP),
            Why::Garbage => (GapReason::Garbage, gaps::FIRST_STEP),
            Why::Updated => (GapReason::Updated, Duration::ZERO),
        };
        Gap {
            source: NAME.to_owned(),
            position: number,
            reason,
            payload: None,
            attempts: 0,
            next_attempt_at: now + self.limits.scaled(wait),
            recorded_at: now,
        }
    }

    fn gap_is_due(&mut self) -> bool {
        let now = self.deps.clock.monotonic();
        let pause = self.limits.idle.saturating_mul(GAP_EVERY);
        let due = now.saturating_sub(self.gap_looked_at) >= pause;
        if due {
            self.gap_looked_at = now;
        }
        due
    }

    /// Tries one passed-over number. True when that took a request, so that the next one has to wait again.
    async fn retry_gap(&mut self) -> bool {
        let now = self.deps.clock.now();
        let limits = self.limits;
        let scaled = |pause| limits.scaled(pause);
        let Some(gap) = gaps::take(&self.deps.store, NAME, now, scaled).await else {
            return false;
        };
        if !gaps::step(&self.deps.store, &gap, now, scaled).await {
            return false;
        }
        let mut uploaded_again = None;
        let (payload, asked) = if let Some(bytes) = gaps::kept(&gap) {
            (envelopes::raw(bytes), false)
        } else {
            let document = self.client.document(gap.position).await;
            let alert = self.policy.on_aside(document.answer);
            self.note(alert);
            if !is_document_of(gap.position, document.answer) {
                return true;
            }
            uploaded_again = self.policy.again(updated_by(document.answer));
            (payload(document), true)
        };
        let again = uploaded_again.map(|passed| self.gap(passed.number, passed.reason, now));
        let origin = format!("sequence {}", gap.position);
        self.send(Envelope {
            closes_gap: Some(gap.position),
            gaps: again.into_iter().collect(),
            ..envelopes::bare(NAME, origin, payload, now)
        })
        .await;
        asked
    }
}

fn is_document_of(asked: i64, answer: Answer) -> bool {
    matches!(
        answer,
        Answer::Document { number, readable: true, .. }
            if number.is_none_or(|number| number == asked)
    )
}

/// The earlier number that a document says was uploaded again.
fn updated_by(answer: Answer) -> Option<i64> {
    if let Answer::Document { updated, .. } = answer {
        return updated;
    }
    None
}

fn payload(document: Document) -> Payload {
    match document.killmail {
        Some(killmail) => Payload::Killmail(killmail),
        None => envelopes::raw(document.bytes),
    }
}

fn cursor_move(position: Position, detail: Option<serde_json::Value>) -> CursorMove {
    CursorMove {
        position: position.number,
        detail,
        rewind: position.rewind,
    }
}
