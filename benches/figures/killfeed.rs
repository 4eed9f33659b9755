//! Killfeed pages of 100 per second, beside a plain hello of the same HTTP library.

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use wanderer_kills::domain::FeedSequence;
use wanderer_kills::runtime::clock::SystemClock;
use wanderer_kills::store::feed;

use super::Options;
use super::corpus::{Running, killmails};
use super::database::Server;
use super::http_load::requests_per_second;
use super::report::{Aim, Report};
use super::serving::Process;

/// Events on the log: the ring holds the last few thousand of them.
const EVENTS: usize = 12_000;

/// Events of a page.
const PAGE: usize = 100;

/// Events from the log's end that are surely in the ring, and from its start that are surely not.
const SURE: i64 = 2_000;

/// Measures.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let database = server.database("killfeed").await?;
    let made = killmails(1, EVENTS, SystemClock::shared().now());
    Running::start(&database.store)?.send_all(made).await?;
    let head = feed::bounds(&database.store.pool).await?.head;
    let service = Process::start(&database).await?;
    let hello = hello(options.seconds).await?;
    report.add("axum hello", hello, "requests/s");
    for (name, from, aim) in [
        ("database", FeedSequence(0), 1_500.0),
        ("ring", FeedSequence(head.0 - SURE), 5_000.0),
    ] {
        let paths = paths(from);
        let pages = requests_per_second(service.address, &paths, options.seconds).await?;
        let figure = format!("killfeed pages of {PAGE} from the {name}");
        report.aim(figure, pages, "requests/s", Aim::AtLeast(aim));
        report.add(format!("{name} pages to hello"), pages / hello, "×");
    }
    service.stop().await
}

/// Pages that begin at `from` and a little later each.
fn paths(from: FeedSequence) -> Vec<String> {
    let last = from.0 + SURE - i64::try_from(PAGE).unwrap_or(SURE);
    (from.0..last)
        .step_by(37)
        .map(|after| format!("/api/killfeed?after={after}&limit={PAGE}"))
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this program is the server's supervisor"
)]
async fn hello(seconds: u64) -> anyhow::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/", get(async || "hello"));
    let serving = async move { axum::serve(listener, router).await };
    let _serving = AbortOnDropHandle::new(tokio::spawn(serving));
    requests_per_second(address, &["/".to_owned()], seconds).await
}
