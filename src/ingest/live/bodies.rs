use futures::future::BoxFuture;

use crate::domain::{Killmail, Reference};
use crate::ingest::pipeline::{BodyError, FetchBody};
use crate::upstream::esi::EsiClient;

/// Fetches bodies from ESI.
#[derive(Debug, Clone)]
pub struct EsiBodies {
    client: EsiClient,
}

impl EsiBodies {
    /// Bodies by this client.
    pub fn new(client: EsiClient) -> Self {
        Self { client }
    }
}

impl FetchBody for EsiBodies {
    fn fetch(&self, reference: Reference) -> BoxFuture<'static, Result<Killmail, BodyError>> {
        let client = self.client.clone();
        Box::pin(async move {
            let Reference {
                killmail_id,
                hash,
                zkb,
            } = reference;
            match client.killmail(killmail_id, hash).await {
                Ok(killmail) => Ok(Killmail { zkb, ..killmail }),
                Err(error) if error.is_final() => Err(BodyError::Never(error.to_string())),
                Err(error) => Err(BodyError::Later(error.to_string())),
            }
        })
    }
}
