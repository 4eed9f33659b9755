//! The HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::Service;
use crate::api::tls::Tls;
use crate::api::{self, ApiState, MetricsRenderer};
use crate::runtime::telemetry::exposition;

impl Service {
    pub(super) fn start_http(
        &self,
        listener: TcpListener,
        listening: impl FnOnce(SocketAddr),
    ) -> anyhow::Result<()> {
        listening(listener.local_addr().context("reading the bound address")?);
        let state = ApiState::new(
            self.feed.clone(),
            self.database.store.clone(),
            Arc::clone(&self.clock),
            self.config.api.clone(),
            MetricsRenderer::new(exposition::render),
            self.supervisor.token(),
        )
        .with_probes(self.probes())
        .with_tls(self.tls()?)
        .with_preloading(self.preloading().is_some())
        .with_retention(self.config.ingest.retention);
        let token = self.supervisor.token();
        if let Some(tls) = state.tls.clone() {
            self.supervisor
                .spawn("certificate", tls.watch(token.clone()));
        }
        self.supervisor
            .spawn("http", api::serve(listener, state, token));
        Ok(())
    }

    /// The certificate, where there is one.
    fn tls(&self) -> anyhow::Result<Option<Tls>> {
        let access = &self.config.api.access;
        let files = access.tls_cert.as_deref().zip(access.tls_key.as_deref());
        files
            .map(|(certificate, key)| Tls::load(certificate, key))
            .transpose()
            .context("preparing HTTPS")
    }
}
