use bytes::Bytes;
use serde::Deserialize;

use super::client::EsiClient;
use super::directory::EsiError;
use super::gate::{IN_MAINTENANCE, not_now};
use super::operation::Operation;
use super::wire;
use crate::upstream::http::Result;

/// How the game's server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerStatus {
    /// Players that are logged in.
    pub players: i64,
    /// True while only some may log in, as after a downtime.
    pub vip: bool,
}

/// The number of players is always there, so any other object is not taken for a status.
#[derive(Deserialize)]
struct Body {
    players: i64,
    #[serde(default)]
    vip: Option<bool>,
}

impl EsiClient {
    /// How the game's server is.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn status(&self) -> Result<ServerStatus, EsiError> {
        let request = self.get_request(Operation::Status, 0)?;
        self.ask(Operation::Status, request, read).await
    }

    /// Asks for the status in spite of the downtime: true where everyone may play again.
    pub(super) async fn probe(&self) -> Result<bool, EsiError> {
        let now = self.http.clock().monotonic();
        let ticket = self
            .budget
            .admit(Operation::Status, now)
            .map_err(|refusal| not_now(refusal.wait, refusal.why.words()))?;
        let request = self.get_request(Operation::Status, 0)?;
        let status = self.exchange(Operation::Status, &request, &read).await;
        drop(ticket);
        match status {
            Ok(status) => Ok(!status.vip),
            // Unlike a budget in the way, an answer.
            Err(EsiError::NotNow {
                why: IN_MAINTENANCE,
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "readers of answers take the body"
)]
fn read(body: Bytes) -> Result<ServerStatus> {
    let Body { players, vip } = wire::read("status", &body)?;
    Ok(ServerStatus {
        players,
        vip: vip.unwrap_or_default(),
    })
}
