//! From commit to a listener, one killmail at a time.

use std::time::Duration;

use wanderer_kills::domain::Filter;
use wanderer_kills::runtime::clock::SystemClock;

use super::corpus::{Running, killmails};
use super::database::Server;
use super::report::{Aim, Report};
use super::serving;

/// Killmails sent.
const SAMPLES: usize = 1_000;

/// Longest wait for one.
const WAIT: Duration = Duration::from_secs(10);

/// Measures. "Commit" is the moment the pipeline answers, just after the transaction's end; a listener that
/// is told before counts as zero.
pub(crate) async fn measure(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let database = server.database("latency").await?;
    let service = serving::Service::start(&database).await?;
    let mut reader = service.feed.reader(None, Filter::default());
    let running = Running::start(&database.store)?;
    let clock = SystemClock::shared();
    let mut whole = Vec::with_capacity(SAMPLES);
    let mut after_commit = Vec::with_capacity(SAMPLES);
    for killmail in killmails(1, SAMPLES, clock.now()) {
        let sent = clock.monotonic();
        let outcome = running.send(killmail).await?;
        let committed = async {
            outcome.await?;
            anyhow::Ok(clock.monotonic())
        };
        let heard = async {
            reader.next(1, WAIT).await?;
            anyhow::Ok(clock.monotonic())
        };
        let (committed, heard) = tokio::try_join!(committed, heard)?;
        whole.push(heard.saturating_sub(sent));
        after_commit.push(heard.saturating_sub(committed));
    }
    let ten = Aim::Below(10.0);
    report.add(
        "commit to listener, p50",
        percentile(&mut after_commit, 50),
        "ms",
    );
    report.aim(
        "commit to listener, p99",
        percentile(&mut after_commit, 99),
        "ms",
        ten,
    );
    report.add("sent to listener, p50", percentile(&mut whole, 50), "ms");
    report.add("sent to listener, p99", percentile(&mut whole, 99), "ms");
    service.stop().await
}

/// The sample below which `percent` of all lie, milliseconds.
pub(crate) fn percentile(samples: &mut [Duration], percent: usize) -> f64 {
    samples.sort_unstable();
    let at = samples.len().saturating_sub(1) * percent / 100;
    samples
        .get(at)
        .map_or(f64::NAN, |sample| sample.as_secs_f64() * 1_000.0)
}
