use serde::Deserialize;

use super::client::EsiClient;
use super::directory::EsiError;
use super::operation::Operation;
use super::wire::clean;
use crate::domain::EntityName;

#[derive(Deserialize)]
struct Organisation {
    name: String,
    #[serde(default)]
    ticker: Option<String>,
}

impl EsiClient {
    /// Name and ticker of a corporation; `None` where there is none.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn corporation(&self, id: i64) -> Result<Option<EntityName>, EsiError> {
        self.organisation(Operation::Corporation, id).await
    }

    /// Name and ticker of an alliance; `None` where there is none.
    ///
    /// # Errors
    /// When ESI can't be asked or gives nothing usable.
    pub async fn alliance(&self, id: i64) -> Result<Option<EntityName>, EsiError> {
        self.organisation(Operation::Alliance, id).await
    }

    async fn organisation(
        &self,
        operation: Operation,
        id: i64,
    ) -> Result<Option<EntityName>, EsiError> {
        let found: Option<Organisation> = self.get(operation, id).await?;
        Ok(found.map(|it| EntityName {
            name: clean(&it.name),
            ticker: it
                .ticker
                .map(|ticker| clean(&ticker))
                .filter(|ticker| !ticker.is_empty()),
        }))
    }
}
