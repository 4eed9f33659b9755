use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use super::client::EsiClient;
use super::directory::EsiError;
use super::gate::dated;
use super::operation::Operation;
use crate::domain::{Killmail, KillmailHash, Parsed, parse};
use crate::upstream::http::{Error, Limits, Request, Result};

/// Wrong hashes have been reported under load, so a refusal is believed only the third time.
const REFUSALS: usize = 3;
/// Between two refusals.
const PAUSE: Duration = Duration::from_millis(500);

/// Why ESI gave no killmail.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum KillmailError {
    /// ESI refuses this id and hash, each time (400, 404, 422).
    #[error("ESI does not know killmail {killmail_id} with this hash")]
    Unknown {
        /// The id.
        killmail_id: i64,
        /// Its last answer.
        #[source]
        source: Error,
    },
    /// Not asked now: the budget, the daily downtime, a server that fails.
    #[error("ESI is not asked for killmails for another {} s", wait.as_secs())]
    Budget {
        /// How long until it may be asked.
        wait: Duration,
    },
    /// It may work later.
    #[error("ESI could not give killmail {killmail_id}")]
    Unavailable {
        /// The id.
        killmail_id: i64,
        /// Its last answer.
        #[source]
        source: Error,
    },
}

impl KillmailError {
    /// True where asking again changes nothing.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }
}

/// Killmails that are being asked for: who wants the same shares the request. None is kept.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    asked: Cache<(i64, KillmailHash), Arc<Killmail>>,
}

impl UnderWay {
    pub(super) fn new() -> Self {
        Self {
            asked: Cache::new(0),
        }
    }
}

impl EsiClient {
    /// The killmail of an id and hash, without zKillboard's block.
    ///
    /// # Errors
    /// A used-up budget and the daily downtime are told at once instead of waited for.
    pub async fn killmail(
        &self,
        killmail_id: i64,
        hash: KillmailHash,
    ) -> Result<Killmail, KillmailError> {
        let asked = Box::pin(self.insist(killmail_id, hash));
        self.killmails
            .asked
            .try_get_with((killmail_id, hash), asked)
            .await
            .map(Arc::unwrap_or_clone)
            .map_err(|shared| KillmailError::clone(&shared))
    }

    /// Asks until ESI gives the killmail or has refused it often enough.
    async fn insist(
        &self,
        killmail_id: i64,
        hash: KillmailHash,
    ) -> Result<Arc<Killmail>, KillmailError> {
        let mut refusals = 0;
        loop {
            let source = match self.ask_killmail(killmail_id, hash).await {
                Ok(killmail) => return Ok(Arc::new(killmail)),
                Err(EsiError::NotNow { wait, .. }) => return Err(KillmailError::Budget { wait }),
                Err(EsiError::Failed { source }) => source,
            };
            if !is_refusal(&source) {
                return Err(KillmailError::Unavailable {
                    killmail_id,
                    source,
                });
            }
            refusals += 1;
            if refusals >= REFUSALS {
                return Err(KillmailError::Unknown {
                    killmail_id,
                    source,
                });
            }
            self.http.clock().sleep(PAUSE).await;
        }
    }

    async fn ask_killmail(
        &self,
        killmail_id: i64,
        hash: KillmailHash,
    ) -> Result<Killmail, EsiError> {
        let path = format!("{}/{hash}", Operation::Killmail.path(killmail_id));
        let request = dated(Request::get(self.url(&path)?, Limits::KILLMAIL));
        self.ask(Operation::Killmail, request, |body| {
            let unreadable = |reason: String| Error::Unreadable {
                at: path.clone(),
                reason,
            };
            match parse(&body) {
                Ok(Parsed::Killmail(killmail)) if killmail.killmail_id == killmail_id => {
                    Ok(Killmail {
                        hash: Some(hash),
                        ..*killmail
                    })
                }
                Ok(_) => Err(unreadable("another killmail".to_owned())),
                Err(error) => Err(unreadable(error.to_string())),
            }
        })
        .await
    }
}

/// The server understood and said no, as opposed to being busy or down.
fn is_refusal(error: &Error) -> bool {
    error
        .status()
        .is_some_and(|status| matches!(status.as_u16(), 400 | 404 | 422))
}
