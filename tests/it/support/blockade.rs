//! A lock that keeps everybody from writing to a table.

use std::time::Duration;

use tokio_postgres::{Client, NoTls};

use super::postgres::TestDatabase;

/// Somebody stands before it by then, or the test fails.
const PATIENCE: Duration = Duration::from_secs(90);

/// Keeps a table from being written to until it is ended.
pub(crate) struct Blockade {
    client: Client,
    table: &'static str,
}

impl Blockade {
    pub(crate) async fn of(database: &TestDatabase, table: &'static str) -> Self {
        let (client, connection) = tokio_postgres::connect(database.url(), NoTls)
            .await
            .unwrap();
        tokio::task::spawn(connection);
        client
            .batch_execute(&format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE"))
            .await
            .unwrap();
        Self { client, table }
    }

    /// Returns once someone stands before it with a write.
    pub(crate) async fn holds(&self) {
        let waiting = format!(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{}'::regclass",
            self.table
        );
        let someone = async {
            while self
                .client
                .query_one(&waiting, &[])
                .await
                .unwrap()
                .get::<_, i64>(0)
                == 0
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, someone)
            .await
            .unwrap_or_else(|_| panic!("nobody writes to {}", self.table));
    }

    pub(crate) async fn end(self) {
        self.client.batch_execute("COMMIT").await.unwrap();
    }
}
