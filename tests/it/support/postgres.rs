//! A real PostgreSQL for the tests: one embedded server per test process, one fresh database per call.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::OnceCell;
use wanderer_kills::runtime::postgres::{EmbeddedPostgres, Settings};
use wanderer_kills::store::migrate;

use super::live::TOO_LONG;

/// Begins the names of the folders below the system's temporary folder.
const FOLDER_PREFIX: &str = "wanderer-kills-it-";

/// Named so: a database with the schema and nothing in it, which the others are copies of.
const TEMPLATE: &str = "migrated";

static SERVER: OnceCell<EmbeddedPostgres> = OnceCell::const_new();
static MIGRATED: OnceCell<()> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database of one test. Dropping it drops the database.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    url: String,
    name: String,
    server_url: String,
}

impl TestDatabase {
    /// Its `postgres://` URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

/// A fresh database with the schema on the server of this process, as a service leaves it that has only just started:
/// a copy takes a quarter of the time of its migrations.
pub(crate) async fn database() -> TestDatabase {
    let server = SERVER.get_or_init(start).await;
    let migrated = || async {
        create(server, &format!("CREATE DATABASE {TEMPLATE}")).await;
        migrate::run(&url_of(server, TEMPLATE)).await.unwrap();
    };
    MIGRATED.get_or_init(migrated).await;
    numbered(server, &format!("TEMPLATE {TEMPLATE}")).await
}

/// A fresh database without anything on the server of this process. The server's own threads outlive the runtime of
/// the test that happened to come first, and the server ends with the process.
pub(crate) async fn empty_database() -> TestDatabase {
    let server = SERVER.get_or_init(start).await;
    numbered(server, "").await
}

async fn numbered(server: &EmbeddedPostgres, options: &str) -> TestDatabase {
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{number}");
    create(server, &format!("CREATE DATABASE {name} {options}")).await;
    TestDatabase {
        url: url_of(server, &name),
        name,
        server_url: server.url().to_owned(),
    }
}

async fn create(server: &EmbeddedPostgres, statement: &str) {
    execute(server.url(), statement).await.unwrap();
}

fn url_of(server: &EmbeddedPostgres, database: &str) -> String {
    (server.url()).replacen("/wanderer_kills?", &format!("/{database}?"), 1)
}

/// Runs one statement, or several without parameters.
pub(crate) async fn execute(url: &str, statements: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned()))
        .execute(&mut connection)
        .await?;
    connection.close().await
}

/// The single text value that a query answers.
pub(crate) async fn text(url: &str, query: &str) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let answer = sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(answer)
}

/// Waits until a query answers so.
pub(crate) async fn until_answers(url: &str, query: &str, expected: &str) {
    let wait = async {
        while !text(url, query)
            .await
            .is_ok_and(|answer| answer == expected)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TOO_LONG, wait)
        .await
        .unwrap_or_else(|_| panic!("{query}"));
}

/// A new folder that the account of the server can get to, also when the tests run as root.
pub(crate) fn data_dir() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::Builder::new()
        .prefix(FOLDER_PREFIX)
        .tempdir()
        .unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

async fn start() -> EmbeddedPostgres {
    remove_leftovers();
    let folder = data_dir().keep();
    let settings = Settings {
        fsync: false,
        ..Settings::new(folder)
    };
    EmbeddedPostgres::start(settings).await.unwrap()
}

// The folder of a test process cannot be removed by itself: its server ends after it.
fn remove_leftovers() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let named_so = entry
            .file_name()
            .to_string_lossy()
            .starts_with(FOLDER_PREFIX);
        if named_so && is_abandoned(&entry.path()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    let lock: PathBuf = folder.join("owner.lock");
    let stopped = !folder.join("postgres/postmaster.pid").exists();
    stopped && File::open(lock).is_ok_and(|lock| lock.try_lock().is_ok())
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let url = self.server_url.clone();
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A thread of its own, because the test's runtime is going down.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                drop(runtime.block_on(execute(&url, &statement)));
            }
        });
        drop(dropping.join());
    }
}
