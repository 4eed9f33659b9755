//! Duties over what is stored, each done by one process of all on a database.

use std::sync::Arc;

use super::Service;
use crate::ingest::backfill::{BackfillDeps, jobs};
use crate::ingest::reconcile::{self, ReconcileDeps};
use crate::ingest::resolver::Resolver;
use crate::ingest::retention::{self, RetentionDeps};
use crate::ingest::statistics;
use crate::runtime::config::LiveSource;

impl Service {
    /// Starts them all.
    pub(super) fn start_duties(&self) {
        self.start_backfills();
        self.start_statistics();
        self.start_reconcile();
        self.start_retention();
    }

    fn backfill(&self) -> BackfillDeps {
        let (store, clock) = (self.database.store.clone(), Arc::clone(&self.clock));
        BackfillDeps {
            resolver: Resolver::local(store.clone(), Arc::clone(&clock)),
            store,
            clock,
            ingest: self.config.ingest.clone(),
            backfill: self.config.backfill.clone(),
        }
    }

    fn start_backfills(&self) {
        let sources = self.upstreams.history.clone();
        let serving = jobs::serve(self.backfill(), sources, self.supervisor.token());
        self.supervisor.spawn("backfills", serving);
    }

    fn start_statistics(&self) {
        let (store, clock) = (self.database.store.clone(), Arc::clone(&self.clock));
        self.supervisor.spawn(
            "statistics",
            statistics::run(store, clock, self.supervisor.token()),
        );
    }

    fn start_reconcile(&self) {
        let sources = self.upstreams.history.clone();
        let follows = self.config.live.live_source != LiveSource::None;
        if !follows || sources.everef.is_err() && sources.r2z2.is_err() {
            tracing::info!(
                "days are not held against what others count: that needs a live source and WK_CONTACT"
            );
            return;
        }
        let deps = ReconcileDeps {
            backfill: self.backfill(),
            sources,
            begin_after: reconcile::BEGIN_AFTER,
        };
        self.supervisor
            .spawn("reconcile", reconcile::run(deps, self.supervisor.token()));
    }

    fn start_retention(&self) {
        let retention = self.config.ingest.retention;
        if retention.retention_days == 0 {
            return;
        }
        let deps = RetentionDeps {
            store: self.database.store.clone(),
            clock: Arc::clone(&self.clock),
            retention,
            first: retention::FIRST,
        };
        self.supervisor
            .spawn("retention", retention::run(deps, self.supervisor.token()));
    }
}
