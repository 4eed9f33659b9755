//! Decides which fault, if any, a request gets.

use std::collections::VecDeque;

use super::{Fault, FaultPlan, FaultRule};

/// How many rules may wait; a script that forgets to clear must not grow without end.
const MAX_RULES: usize = 1_000;

/// The rules in force, first come first served, and the random plan behind them.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    rules: VecDeque<FaultRule>,
    plan: Option<FaultPlan>,
}

impl Desk {
    pub(crate) fn new(plan: Option<FaultPlan>) -> Self {
        Self {
            rules: VecDeque::new(),
            plan,
        }
    }

    /// Adds a rule; the oldest goes where there are too many.
    pub(crate) fn add(&mut self, mut rule: FaultRule) {
        if let Fault::NotFoundGhost { for_requests } = rule.fault {
            rule.times = Some(for_requests);
        } else if rule.fault == Fault::ReusedNumber {
            rule.times = Some(1);
        }
        if self.rules.len() == MAX_RULES {
            self.rules.pop_front();
        }
        self.rules.push_back(rule);
    }

    pub(crate) fn set_plan(&mut self, plan: Option<FaultPlan>) {
        self.plan = plan;
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.plan = None;
    }

    pub(crate) fn rules(&self) -> Vec<FaultRule> {
        self.rules.iter().cloned().collect()
    }

    /// The fault for a request to `path`.
    pub(crate) fn pick(&mut self, path: &str) -> Option<Fault> {
        let at = self.rules.iter().position(|rule| applies(rule, path));
        let Some(at) = at else {
            return self.plan.as_mut().and_then(|plan| plan.pick(path));
        };
        let rule = self.rules.get_mut(at)?;
        let fault = rule.fault.clone();
        if let Some(times) = rule.times.as_mut() {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.rules.remove(at);
            }
        }
        Some(fault)
    }
}

fn applies(rule: &FaultRule, path: &str) -> bool {
    if rule.times == Some(0) {
        return false;
    }
    let numbered = rule
        .sequence
        .is_none_or(|it| path == format!("/r2z2/ephemeral/{it}.json"));
    numbered && (rule.path.is_empty() || matches(&rule.path, path))
}

/// True where `path` is like `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == path;
    };
    let Some(rest) = path.strip_prefix(head) else {
        return false;
    };
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .any(|at| rest.get(at..).is_some_and(|end| matches(tail, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_any_text_for_a_star() {
        assert!(matches("/esi/*", "/esi/universe/names"));
        assert!(matches("/zkb/*/page/2/", "/zkb/api/kills/page/2/"));
        assert!(!matches("/esi/*", "/r2z2/ephemeral/1.json"));
        assert!(!matches("/esi", "/esi/"));
    }

    #[test]
    fn a_rule_ends_after_its_times() {
        let mut desk = Desk::default();
        desk.add(FaultRule::path("/esi/*", Fault::Html).times(2));
        assert_eq!(desk.pick("/esi/a"), Some(Fault::Html));
        assert_eq!(desk.pick("/zkb/a"), None);
        assert_eq!(desk.pick("/esi/b"), Some(Fault::Html));
        assert_eq!(desk.pick("/esi/a"), None);
    }
}
