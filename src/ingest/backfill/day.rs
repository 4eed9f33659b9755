//! Reads one day's file through a pipeline of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

use super::plan::Task;
use super::source::DayContent;
use super::{BackfillDeps, Watch};
use crate::ingest::envelope::Announce;
use crate::ingest::import::{FileReport, Importer, Position, Progress, Reading};
use crate::ingest::pipeline::Pipeline;
use crate::runtime::config::IngestConfig;
use crate::upstream::day_file::Version;

/// A day whose file was read, as far as it went.
#[derive(Debug)]
pub(super) struct DayRead {
    pub(super) task: Task,
    pub(super) version: Version,
    pub(super) bytes: u64,
    pub(super) report: FileReport,
    /// How the pipeline ended.
    pub(super) pipeline: anyhow::Result<()>,
}

/// Reads a day until its end or until `stop`; what was read by then is committed.
pub(super) async fn read(
    deps: BackfillDeps,
    source: &'static str,
    (task, content): (Task, Box<DayContent>),
    watch: Arc<dyn Watch>,
    stop: CancellationToken,
) -> DayRead {
    let pipeline = Pipeline {
        store: deps.store,
        config: IngestConfig {
            batch_size: deps.backfill.backfill_batch_size,
            ..deps.ingest
        },
        clock: deps.clock.clone(),
        resolver: deps.resolver,
        bodies: None,
        fence: None,
    };
    // Never cancelled: a stop ends the reading, and the pipeline commits what it has.
    let (input, driver) = pipeline.start_for_history(CancellationToken::new());
    let importer = Importer {
        input,
        announce: Announce::IfRecent,
        clock: deps.clock,
    };
    let DayContent {
        label,
        file,
        hashes,
    } = *content;
    let progress = Steps {
        watch,
        told: AtomicU64::new(0),
    };
    let reading = async {
        let reading = Reading {
            source,
            label: &label,
            file: file.file,
            hashes: &hashes,
            stop,
        };
        let report = importer.read(reading, &progress).await;
        drop(importer);
        report
    };
    let (report, pipeline) = tokio::join!(reading, driver);
    DayRead {
        task,
        version: file.version,
        bytes: file.bytes,
        report,
        pipeline,
    }
}

/// Turns positions in one file into steps of the whole.
struct Steps {
    watch: Arc<dyn Watch>,
    told: AtomicU64,
}

impl Progress for Steps {
    fn advanced(&self, position: Position) {
        let told = self.told.swap(position.documents, Ordering::Relaxed);
        self.watch.read(position.documents.saturating_sub(told));
    }
}
