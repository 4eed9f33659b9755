use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::BackfillCommand;
use crate::domain::{HistoryKey, HistoryKind};
use crate::ingest::Pipeline;
use crate::ingest::import::Summary;
use crate::ingest::live::EsiBodies;
use crate::ingest::pipeline::FetchBody;
use crate::ingest::preloader::{MAX_PAGES, Reader, Stepped};
use crate::ingest::resolver::Resolver;
use crate::runtime::clock::{SharedClock, SystemClock};
use crate::runtime::config::{PreloadConfig, UpstreamConfig};
use crate::service::Database;
use crate::store::Store;
use crate::store::history_wishes::{self, RequestedBy};
use crate::upstream::esi::{EsiClient, EsiPace};
use crate::upstream::http::{HttpClient, HttpSettings};
use crate::upstream::zkb::rest::ZkbRest;

/// How often one page is asked for before its entity is given up: somebody is waiting.
const TRIES: u32 = 3;
/// How long a running service leaves a wish alone that this command has begun; renewed with each page.
const HOLD: TimeDelta = TimeDelta::minutes(2);
/// Time between two log lines where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Whose past, and how much of it.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "entity")]
pub struct EntityArgs {
    /// Solar systems.
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',',
        value_parser = clap::value_parser!(i64).range(1..))]
    pub system: Vec<i64>,
    /// Regions.
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',',
        value_parser = clap::value_parser!(i64).range(1..))]
    pub region: Vec<i64>,
    /// Characters.
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',',
        value_parser = clap::value_parser!(i64).range(1..))]
    pub character: Vec<i64>,
    /// Corporations.
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',',
        value_parser = clap::value_parser!(i64).range(1..))]
    pub corporation: Vec<i64>,
    /// Alliances.
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',',
        value_parser = clap::value_parser!(i64).range(1..))]
    pub alliance: Vec<i64>,
    /// Days of the past.
    #[arg(long, default_value_t = 7,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(PreloadConfig::MOST_DAYS)))]
    pub days: u32,
    /// Most pages read of each, 200 killmails a page and one page a second.
    #[arg(long, default_value_t = MAX_PAGES, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub max_pages: i32,
}

impl EntityArgs {
    /// Everybody named, in the order of the options.
    fn keys(&self) -> Vec<HistoryKey> {
        [
            (HistoryKind::System, &self.system),
            (HistoryKind::Region, &self.region),
            (HistoryKind::Character, &self.character),
            (HistoryKind::Corporation, &self.corporation),
            (HistoryKind::Alliance, &self.alliance),
        ]
        .into_iter()
        .flat_map(|(kind, ids)| ids.iter().map(move |id| HistoryKey { kind, id: *id }))
        .collect()
    }
}

/// Opens the database (joining the server of a running service) and reads into a pipeline of its own.
pub(super) async fn run(
    command: BackfillCommand,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let keys = command.entity.keys();
    anyhow::ensure!(
        !keys.is_empty(),
        "which past? Name the first day (--from), or at least one of --system, --region, --character, --corporation, \
         --alliance"
    );
    let upstream = &command.upstream;
    upstream.may_ask(&upstream.zkb_url)?;
    let clock = SystemClock::shared();
    let (days, kept) = (command.entity.days, command.ingest.retention.retention_days);
    anyhow::ensure!(
        kept == 0 || days <= kept,
        "--days is {days}, but WK_RETENTION_DAYS={kept} keeps no more: allowed are at most {kept}"
    );
    let http = http(upstream, &clock)?;
    let bodies = upstream.may_ask(&upstream.esi_url).is_ok().then(|| {
        let pace = EsiPace {
            all: upstream.esi_interval(),
            ..EsiPace::default()
        };
        let esi = EsiClient::with_pace(http.clone(), upstream.esi_url.clone(), pace);
        Arc::new(EsiBodies::new(esi)) as Arc<dyn FetchBody>
    });
    let database = Database::open(&command.database).await?;
    let pipeline = Pipeline {
        store: database.store.clone(),
        config: command.ingest.clone(),
        clock: clock.clone(),
        resolver: Resolver::local(database.store.clone(), clock.clone()),
        bodies,
        fence: None,
    };
    let (input, driver) = pipeline.start(shutdown.clone());
    let backfill = Backfill {
        reader: Reader {
            store: database.store.clone(),
            clock,
            zkb: ZkbRest::new(http, upstream.zkb_url.clone()),
            input,
            max_pages: command.entity.max_pages,
            hold: HOLD,
        },
        days: TimeDelta::days(i64::from(command.entity.days)),
        total: Summary::default(),
        truncated: 0,
    };
    let reading = async {
        shutdown
            .run_until_cancelled(backfill.all(&keys))
            .await
            .unwrap_or_else(|| Err(anyhow::anyhow!("interrupted; what was read is stored")))
    };
    let (read, pipeline) = tokio::join!(reading, driver);
    let closed = database.close().await;
    read.and(pipeline).and(closed)
}

fn http(upstream: &UpstreamConfig, clock: &SharedClock) -> anyhow::Result<HttpClient> {
    let settings = HttpSettings {
        user_agent: upstream.user_agent(),
        longest_stall: Some(upstream.timeout()),
        ..HttpSettings::default()
    };
    HttpClient::new(&settings, Arc::clone(clock)).context("preparing the HTTP client")
}

/// The work of one command.
struct Backfill {
    reader: Reader,
    days: TimeDelta,
    total: Summary,
    truncated: usize,
}

impl Backfill {
    /// Reads one after the other, and writes a summary line to standard output. Drops the pipeline's input
    /// when done, which ends it.
    async fn all(mut self, keys: &[HistoryKey]) -> anyhow::Result<()> {
        let display = Display::new(keys.len(), self.reader.clock.clone());
        let mut failed = Vec::new();
        for key in keys {
            if let Some(error) = self.one(*key, &display).await? {
                tracing::error!(entity = %key, "given up: {error}");
                failed.push(key.to_string());
            }
            display.bar.inc(1);
        }
        display.bar.finish_and_clear();
        let (read, total) = (keys.len() - failed.len(), self.total);
        let truncated = match self.truncated {
            0 => String::new(),
            some => format!("; {some} have more than --max-pages"),
        };
        writeln!(
            std::io::stdout(),
            "{read} of {} read: {total}{truncated}",
            keys.len()
        )
        .context("can't write the summary")?;
        anyhow::ensure!(failed.is_empty(), "not read: {}", failed.join(", "));
        Ok(())
    }

    /// Reads the past of one entity; the reason where it was given up.
    async fn one(&mut self, key: HistoryKey, display: &Display) -> anyhow::Result<Option<String>> {
        let store: &Store = &self.reader.store;
        let now = self.reader.clock.now();
        let from = now - self.days;
        history_wishes::request(&store.pool, key, from, RequestedBy::Operator, now).await?;
        let mut tries = 0;
        loop {
            let wish = history_wishes::get(&self.reader.store.pool, key).await?;
            let Some(wish) = wish.filter(history_wishes::Wish::is_open) else {
                return Ok(None);
            };
            let page = wish.walk.map_or(1, |walk| walk.pages + 1);
            match self.reader.step(wish).await? {
                Stepped::Read { summary, ended } => {
                    tries = 0;
                    self.total += summary;
                    self.truncated += usize::from(ended == Some(true));
                    display.page(key, page, self.total);
                }
                Stepped::Failed { pause, error, .. } => {
                    tries += 1;
                    if tries >= TRIES {
                        let now = self.reader.clock.now();
                        let pool = &self.reader.store.pool;
                        history_wishes::give_up(pool, key, &error, now).await?;
                        return Ok(Some(error));
                    }
                    display.bar.set_message(format!("{key}: {error}"));
                    self.reader.clock.sleep(pause).await;
                }
            }
        }
    }
}

/// Progress: a bar of entities on a terminal, a log line now and then elsewhere.
struct Display {
    bar: ProgressBar,
    clock: SharedClock,
    logged_at: std::sync::Mutex<Duration>,
}

impl Display {
    fn new(entities: usize, clock: SharedClock) -> Self {
        let length = u64::try_from(entities).ok();
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{wide_msg} {pos}/{len} {bar:20}") {
            bar.set_style(style);
        }
        let logged_at = std::sync::Mutex::new(clock.monotonic());
        Self {
            bar,
            clock,
            logged_at,
        }
    }

    fn page(&self, key: HistoryKey, page: i32, total: Summary) {
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("{key}, page {page}: {total}"));
            return;
        }
        let now = self.clock.monotonic();
        let Ok(mut logged_at) = self.logged_at.lock() else {
            return;
        };
        if now.saturating_sub(*logged_at) >= LOG_EVERY {
            *logged_at = now;
            tracing::info!(entity = %key, page, "reading: {total}");
        }
    }
}
