//! A small world to run a policy in, and the story of what it did.

use std::time::Duration;

use super::super::*;

pub(super) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) const HOUR: Duration = seconds(3600);
pub(super) const INTERVAL: Duration = Duration::from_millis(200);
pub(super) const IDLE: Duration = seconds(6);

pub(super) const FOUND: Answer = Answer::Document {
    number: None,
    updated: None,
    readable: true,
};

/// One request as the world saw it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) at: Duration,
    pub(super) wait: Duration,
    pub(super) ask: Ask,
}

/// What happened while a policy ran.
#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) asked: Vec<Asked>,
    pub(super) delivered: Vec<(Duration, i64)>,
    pub(super) passed_over: Vec<(Duration, i64, Why)>,
    pub(super) positions: Vec<Position>,
    pub(super) holes: Vec<Hole>,
    pub(super) alerts: Vec<Alert>,
}

impl Story {
    pub(super) fn numbers(&self) -> Vec<i64> {
        self.delivered.iter().map(|(_, number)| *number).collect()
    }

    pub(super) fn gaps(&self) -> Vec<i64> {
        self.passed_over
            .iter()
            .map(|(_, number, _)| *number)
            .collect()
    }
}

/// Runs a policy for a while against `document` and `head`, which see the time and what is asked.
pub(super) fn run(
    start: Start,
    until: Duration,
    document: impl Fn(Duration, i64) -> Answer,
    head: impl Fn(Duration) -> HeadAnswer,
) -> Story {
    let limits = PolicyLimits::new(INTERVAL, IDLE);
    let mut policy = Policy::new(limits, start, Duration::ZERO, 7);
    let mut story = Story::default();
    let mut now = Duration::ZERO;
    while now < until {
        let Next { wait, ask } = policy.next();
        now += wait;
        story.asked.push(Asked { at: now, wait, ask });
        let effects = match ask {
            Ask::Head => policy.on_head(now, head(now)),
            Ask::Document(number) => {
                let effects = policy.on_document(now, document(now, number));
                if effects.deliver {
                    story.delivered.push((now, number));
                }
                effects
            }
        };
        story.positions.extend(effects.position);
        story.holes.extend(effects.hole);
        story.alerts.extend(effects.alert);
        for passed in effects.passed_over {
            story.passed_over.push((now, passed.number, passed.reason));
        }
        now += Duration::from_millis(20);
    }
    story
}

pub(super) fn saved(position: i64) -> Start {
    Start::After {
        position,
        age: seconds(60),
    }
}

pub(super) fn head_at(number: i64) -> impl Fn(Duration) -> HeadAnswer {
    move |_| HeadAnswer::Number(number)
}

/// After every 404 the next request, whatever it asks for, comes at least the idle wait later.
pub(super) fn assert_polite(story: &Story, missing: impl Fn(Duration, i64) -> bool) {
    for pair in story.asked.windows(2) {
        let was_missing =
            matches!(pair[0].ask, Ask::Document(number) if missing(pair[0].at, number));
        let least = if was_missing { IDLE } else { INTERVAL };
        assert!(pair[1].wait >= least, "{pair:?}");
    }
}
