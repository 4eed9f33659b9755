use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::client::EsiClient;
use super::directory::EsiError;
use super::gate::not_now;
use super::operation::Operation;
use super::wire;

/// How the game's server is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ServerStatus {
    /// Players that are logged in.
    #[serde(default)]
    pub players: i64,
    /// Its build.
    #[serde(default)]
    pub server_version: Option<String>,
    /// When it started.
    #[serde(default)]
    pub start_time: Option<DateTime<Utc>>,
    /// True while only some may log in, as after a downtime.
    #[serde(default)]
    pub vip: bool,
}

impl EsiClient {
    /// How the game's server is.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn status(&self) -> Result<ServerStatus, EsiError> {
        let request = self.get_request(Operation::Status, 0)?;
        self.ask(Operation::Status, request, |body| {
            wire::read("status", &body)
        })
        .await
    }

    /// Asks for the status in spite of the downtime: true where everyone may play again.
    pub(super) async fn probe(&self) -> Result<bool, EsiError> {
        let now = self.http.clock().monotonic();
        let ticket = self
            .budget
            .admit(Operation::Status, now)
            .map_err(|refusal| not_now(refusal.wait, refusal.why.words()))?;
        let request = self.get_request(Operation::Status, 0)?;
        let read = |body: bytes::Bytes| wire::read::<ServerStatus>("status", &body);
        let status = self.exchange(Operation::Status, &request, &read).await;
        drop(ticket);
        status.map(|status| !status.vip)
    }
}
