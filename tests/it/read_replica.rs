//! Queries on a real streaming replica.

use reqwest::Client;
use tempfile::TempDir;
use wanderer_kills::runtime::config::DatabaseConfig;
use wanderer_kills::runtime::postgres::{EmbeddedPostgres, Settings};
use wanderer_kills::store::killmails::StorableKillmail;
use wanderer_kills::store::{self, Store};

use crate::support::app::{Answer, JITA, PATIENCE, killmail, read, storable, store_batch};
use crate::support::binary::{ServiceCommand, ServiceProcess};
use crate::support::postgres::data_dir;
use crate::support::standby::Standby;

/// A primary, its replica, and a service over both.
struct Pair {
    _primary: EmbeddedPostgres,
    store: Store,
    standby: Standby,
    command: ServiceCommand,
    client: Client,
    _folders: [TempDir; 2],
}

impl Pair {
    async fn start(lag_seconds: u32) -> (Self, ServiceProcess) {
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = data_dir();
        let primary = EmbeddedPostgres::start(Settings::new(folder.path()))
            .await
            .unwrap();
        store::migrate::run(primary.url()).await.unwrap();
        let standby = Standby::of(&primary, folder.path()).await;
        let unused = tempfile::tempdir().unwrap();
        let command = ServiceCommand::new(unused.path())
            .env("DATABASE_URL", primary.url())
            .env("DATABASE_READ_URL", standby.url())
            .env("WK_REPLICA_LAG_SECONDS", lag_seconds)
            .env("WK_LIVE_SOURCE", "none")
            .env("WK_LOG", "error");
        let process = command.start().await;
        let pair = Self {
            store: Store::connect(primary.url(), &DatabaseConfig::default())
                .await
                .unwrap(),
            _primary: primary,
            standby,
            command,
            client: Client::builder().no_proxy().build().unwrap(),
            _folders: [folder, unused],
        };
        (pair, process)
    }

    /// Stores a killmail on the primary; its place in the feed.
    async fn store(&self, id: i64) -> i64 {
        let batch: Vec<StorableKillmail> = vec![storable(killmail(id, JITA))];
        store_batch(&self.store, &batch).await.0
    }

    async fn get(&self, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.command.listen());
        read(self.client.get(url)).await
    }

    /// Ids that a query answers; it must succeed.
    async fn ids(&self, query: &str) -> Vec<i64> {
        let answer = self.get(&format!("/api/killmails?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let page = answer.json();
        let killmails = page["killmails"].as_array().unwrap();
        killmails
            .iter()
            .map(|one| one["killmail_id"].as_i64().unwrap())
            .collect()
    }

    /// Waits until health has this status because of the replica.
    async fn replica_is(&self, status: &str) {
        let found = async {
            loop {
                let answer = self.get("/health").await;
                assert_eq!(answer.status, 200, "{}", answer.body);
                let body = answer.json();
                let replica = &body["details"]["replica"];
                assert_eq!(replica["healthy"], !replica["head"].is_null());
                if body["status"] == status && replica["healthy"] == (status == "ok") {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap();
    }

    /// Waits until a query that needs nothing answers exactly these.
    async fn until(&self, expected: &[i64]) {
        let equal = async {
            while self.ids("order=oldest").await != expected {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, equal).await.is_err() {
            assert_eq!(self.ids("order=oldest").await, expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_answers_queries_and_nobody_goes_back_in_time() {
    let (mut pair, process) = Pair::start(3_600).await;
    pair.store(1).await;
    pair.store(2).await;
    pair.until(&[1, 2]).await;

    pair.standby.pause().await;
    let seen = pair.store(3).await;
    // The replica is the one that does not know the third.
    pair.until(&[1, 2]).await;
    assert_eq!(
        pair.ids(&format!("order=oldest&seen={seen}")).await,
        [1, 2, 3],
        "who has seen an event finds its killmail"
    );
    assert_eq!(pair.get("/api/killmails/3").await.status, 200);

    // A page that was read from the primary is not followed by one of the replica.
    let first = pair
        .get(&format!("/api/killmails?order=oldest&limit=2&seen={seen}"))
        .await
        .json();
    let cursor = first["cursor"].as_str().unwrap();
    let second = format!("order=oldest&limit=2&cursor={cursor}");
    assert_eq!(pair.ids(&second).await, [3]);

    pair.standby.resume().await;
    pair.until(&[1, 2, 3]).await;

    pair.standby.kill().await;
    pair.store(4).await;
    // From the first request on.
    assert_eq!(pair.ids("order=oldest").await, [1, 2, 3, 4]);
    for path in ["/api/stats/top?list=systems", "/status", "/health"] {
        assert_eq!(pair.get(path).await.status, 200, "{path}");
    }

    pair.standby.start().await;
    pair.standby.reaches(4).await;
    pair.standby.pause().await;
    pair.store(5).await;
    pair.until(&[1, 2, 3, 4]).await;
    pair.standby.resume().await;
    pair.until(&[1, 2, 3, 4, 5]).await;
    assert_eq!(process.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_falls_behind_is_left_alone() {
    let (pair, process) = Pair::start(1).await;
    pair.store(1).await;
    pair.until(&[1]).await;
    pair.replica_is("ok").await;
    pair.standby.pause().await;
    pair.store(2).await;
    pair.until(&[1, 2]).await;
    pair.replica_is("degraded").await;
    pair.standby.resume().await;
    pair.replica_is("ok").await;
    assert_eq!(process.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_starts_without_its_replica() {
    let (mut pair, process) = Pair::start(10).await;
    pair.store(1).await;
    assert_eq!(process.terminate().await, Some(0));
    pair.standby.kill().await;
    let process = pair.command.start().await;
    assert_eq!(pair.ids("").await, [1]);
    assert_eq!(process.terminate().await, Some(0));
}
