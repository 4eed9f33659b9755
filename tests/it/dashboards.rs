//! The dashboard and the alert rules ask for what there is: every metric with its kind, its labels and their values.

use std::collections::BTreeSet;
use std::convert::Infallible;

use promql_parser::label::MatchOp;
use promql_parser::parser::{self, Expr, LabelModifier, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde_json::Value;
use wanderer_kills::runtime::telemetry::metric::{Kind, Metric};

/// What Prometheus itself adds.
const EVERYWHERE: [&str; 2] = ["job", "instance"];
/// Functions that only make sense of what only grows.
const OF_COUNTERS: [&str; 3] = ["rate", "increase", "irate"];
/// Functions that only make sense of what goes up and down.
const OF_GAUGES: [&str; 3] = ["delta", "deriv", "changes"];

fn page(name: &str) -> String {
    let path = format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Every query of the dashboard.
fn dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&page("grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let text = |target: &Value| {
        let query = target["expr"].as_str().unwrap();
        query
            .replace("$__rate_interval", "5m")
            .replace("$job", ".+")
    };
    targets.flatten().map(text).collect()
}

/// Every rule of the alerts.
fn rules() -> Vec<Value> {
    let file: Value = serde_saphyr::from_str(&page("alerts.yml")).unwrap();
    let groups = file["groups"].as_array().unwrap();
    groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect()
}

/// The metric of a series, and whether it is one of a histogram's.
fn metric(series: &str) -> Option<(Metric, bool)> {
    let of = |name: &str| Metric::ALL.iter().copied().find(|it| it.name() == name);
    let mut parts = ["_bucket", "_sum", "_count"].into_iter();
    let part = |end| of(series.strip_suffix(end)?).map(|it| (it, true));
    of(series)
        .map(|it| (it, false))
        .or_else(|| parts.find_map(part))
}

/// Finds what is wrong with a query.
#[derive(Default)]
struct Checker {
    wrong: Vec<String>,
    /// Labels of all series so far.
    labels: BTreeSet<String>,
}

impl Checker {
    fn selector(&mut self, selector: &VectorSelector) {
        let name = selector.name.as_deref().unwrap_or_default();
        self.labels.extend(EVERYWHERE.map(str::to_owned));
        if name == "up" {
            return;
        }
        let Some((metric, is_part)) = metric(name) else {
            self.wrong.push(format!("there is no metric {name}"));
            return;
        };
        let description = metric.description();
        if (description.kind == Kind::Histogram) != is_part {
            self.wrong
                .push(format!("{name} is no {}", description.kind.name()));
        }
        let mut labels: Vec<&str> = description.labels.to_vec();
        labels.extend(name.ends_with("_bucket").then_some("le"));
        for matcher in &selector.matchers.matchers {
            let label = matcher.name.as_str();
            if !labels.contains(&label) && !EVERYWHERE.contains(&label) {
                self.wrong.push(format!("{name} has no label {label}"));
            }
            let values = match &matcher.op {
                MatchOp::Equal | MatchOp::NotEqual => vec![matcher.value.as_str()],
                MatchOp::Re(_) | MatchOp::NotRe(_) => matcher.value.split('|').collect(),
            };
            let known = metric.values(label);
            for value in values {
                if known.is_some_and(|known| !known.contains(&value)) {
                    self.wrong
                        .push(format!("{label} of {name} is never {value}"));
                }
            }
        }
        self.labels.extend(labels.into_iter().map(str::to_owned));
    }

    fn function(&mut self, name: &str, argument: &Expr) {
        let Expr::MatrixSelector(ranged) = argument else {
            return;
        };
        let series = ranged.vs.name.as_deref().unwrap_or_default();
        let Some((metric, is_part)) = metric(series) else {
            return;
        };
        let grows = metric.description().kind == Kind::Counter || is_part;
        if OF_COUNTERS.contains(&name) && !grows || OF_GAUGES.contains(&name) && grows {
            self.wrong
                .push(format!("{name} makes no sense of {series}"));
        }
    }
}

impl ExprVisitor for Checker {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(ranged) => self.selector(&ranged.vs),
            Expr::Call(call) => {
                let arguments = &call.args.args;
                if let Some(first) = arguments.first() {
                    self.function(call.func.name, first);
                }
            }
            Expr::Aggregate(aggregate) => {
                let mut inside = Self::default();
                let Ok(_) = walk_expr(&mut inside, &aggregate.expr);
                if let Some(LabelModifier::Include(by)) = &aggregate.modifier {
                    let unknown = by.labels.iter().filter(|it| !inside.labels.contains(*it));
                    self.wrong
                        .extend(unknown.map(|it| format!("by ({it}) of what has no such label")));
                }
            }
            Expr::Unary(_)
            | Expr::Binary(_)
            | Expr::Paren(_)
            | Expr::Subquery(_)
            | Expr::NumberLiteral(_)
            | Expr::StringLiteral(_)
            | Expr::Extension(_) => {}
        }
        Ok(true)
    }
}

fn wrong_with(query: &str) -> Vec<String> {
    let expr = parser::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut checker = Checker::default();
    let Ok(_) = walk_expr(&mut checker, &expr);
    let wrong = checker.wrong.into_iter();
    wrong.map(|wrong| format!("{wrong} in {query}")).collect()
}

#[test]
fn the_dashboard_shows_what_there_is() {
    let queries = dashboard();
    assert!(queries.len() > 30, "{}", queries.len());
    let wrong: Vec<String> = queries.iter().flat_map(|it| wrong_with(it)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_alerts_watch_what_there_is() {
    let rules = rules();
    assert!(rules.len() > 10, "{}", rules.len());
    let mut names = BTreeSet::new();
    let mut wrong = Vec::new();
    for rule in &rules {
        let name = rule["alert"].as_str().unwrap();
        assert!(names.insert(name), "{name} is there twice");
        let severity = rule["labels"]["severity"].as_str().unwrap();
        assert!(["page", "ticket"].contains(&severity), "{name}: {severity}");
        for annotation in ["summary", "description"] {
            assert!(
                rule["annotations"][annotation].is_string(),
                "{name}: {annotation}"
            );
        }
        wrong.extend(wrong_with(rule["expr"].as_str().unwrap()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_there_is_not_is_found() {
    for (query, complaint) in [
        ("wanderer_kills_nothing", "no metric"),
        (
            "wanderer_kills_feed_head{source=\"r2z2\"}",
            "no label source",
        ),
        ("wanderer_kills_webhooks{state=\"asleep\"}", "never asleep"),
        ("rate(wanderer_kills_feed_head[5m])", "makes no sense"),
        (
            "delta(wanderer_kills_dead_letters_total[5m])",
            "makes no sense",
        ),
        (
            "sum by (source) (wanderer_kills_feed_head)",
            "no such label",
        ),
        ("wanderer_kills_lag_seconds", "is no histogram"),
    ] {
        let wrong = wrong_with(query);
        assert!(
            wrong.iter().any(|it| it.contains(complaint)),
            "{query}: {wrong:?}"
        );
    }
}
