use std::time::Duration;

use futures::FutureExt;

use super::client::EsiClient;
use crate::domain::{Killmail, KillmailHash, Parsed, parse};
use crate::upstream::http::{Attempts, Error, Limits, Request, Result, Retry, with_retries};

/// The rate-limit group of the route.
const GROUP: &str = "killmail";
/// Wrong hashes have been reported under load, so a refusal is believed only the third time. All tries fit
/// into the time a killmail may wait for its body.
const ATTEMPTS: Attempts = Attempts {
    more: 2,
    first_pause: Duration::from_millis(500),
    longest_pause: Duration::from_secs(3),
};

/// Why ESI gave no killmail.
#[derive(Debug, thiserror::Error)]
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
    /// The budget is used up.
    #[error("ESI's budget for killmails is used up for {} s", wait.as_secs())]
    Budget {
        /// How long until there is some again.
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

impl EsiClient {
    /// The killmail of an id and hash, without zKillboard's block.
    ///
    /// # Errors
    /// A used-up budget is told at once instead of waited for.
    pub async fn killmail(
        &self,
        killmail_id: i64,
        hash: KillmailHash,
    ) -> Result<Killmail, KillmailError> {
        let mut refusals = 0;
        loop {
            if let Some(wait) = self.wait(GROUP) {
                return Err(KillmailError::Budget { wait });
            }
            let client = self.clone();
            let asked = with_retries(self.http.clock().clone(), ATTEMPTS, move || {
                let client = client.clone();
                async move { client.ask_killmail(killmail_id, hash).await }.boxed()
            });
            match asked.await {
                Ok(killmail) => return Ok(killmail),
                Err(source) if !is_refusal(&source) => {
                    return Err(KillmailError::Unavailable {
                        killmail_id,
                        source,
                    });
                }
                Err(source) if refusals >= ATTEMPTS.more => {
                    return Err(KillmailError::Unknown {
                        killmail_id,
                        source,
                    });
                }
                Err(_) => {
                    refusals += 1;
                    self.http.clock().sleep(ATTEMPTS.first_pause).await;
                }
            }
        }
    }

    async fn ask_killmail(&self, killmail_id: i64, hash: KillmailHash) -> Result<Killmail> {
        let path = format!("killmails/{killmail_id}/{hash}");
        let request = Request::get(self.url(&path)?, Limits::KILLMAIL);
        self.killmail_pace.acquire().await;
        let body = self.ask(GROUP, request).await?.into_body()?;
        let unreadable = |reason: String| Error::Unreadable { at: path, reason };
        match parse(&body) {
            Ok(Parsed::Killmail(killmail)) if killmail.killmail_id == killmail_id => Ok(Killmail {
                hash: Some(hash),
                ..*killmail
            }),
            Ok(_) => Err(unreadable("another killmail".to_owned())),
            // Among them the maintenance notice, which some edges send as a success.
            Err(error) => Err(unreadable(error.to_string())),
        }
    }
}

/// The server understood and said no, as opposed to being busy or down.
fn is_refusal(error: &Error) -> bool {
    let refused = error
        .status()
        .is_some_and(|status| matches!(status.as_u16(), 400 | 404 | 422));
    refused && error.retry() == Retry::Permanent
}
