//! The embedded server: started, joined, taken over, killed, refused.

use std::fs;
use std::time::Duration;

use wanderer_kills::runtime::postgres::{EmbeddedPostgres, Error, Settings};

use crate::support::postgres::{data_dir, database, execute, text, until_answers};

/// Longer than any step takes; only a hanging test waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_fresh_folder_becomes_a_durable_private_server() {
    let folder = data_dir();
    let server = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    let setting = async |name: &str| {
        text(server.url(), &format!("SELECT current_setting('{name}')"))
            .await
            .unwrap()
    };
    assert_eq!(setting("fsync").await, "on");
    assert_eq!(setting("full_page_writes").await, "on");
    assert_eq!(setting("data_checksums").await, "on");
    assert_eq!(setting("listen_addresses").await, "");
    assert_eq!(setting("server_encoding").await, "UTF8");
    assert_eq!(
        text(server.url(), "SELECT current_user::text")
            .await
            .unwrap(),
        "wanderer_kills"
    );
    assert!(server.psql_command().contains(server.url()));
    let pid = server.server_pid().unwrap();
    server.stop().await.unwrap();
    assert!(!is_alive(pid), "stop() waits for the end");
    for name in ["postgres", "run"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{name}");
    }
}

#[tokio::test]
async fn both_drivers_read_the_url() {
    use sqlx::Connection as _;
    let database = database().await;
    execute(database.url(), "CREATE TABLE kept (id int)")
        .await
        .unwrap();
    let mut connection = sqlx::PgConnection::connect(database.url()).await.unwrap();
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM kept")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn databases_of_two_tests_are_apart() {
    let (one, other) = (database().await, database().await);
    execute(one.url(), "CREATE TABLE mine (id int)")
        .await
        .unwrap();
    let found = text(other.url(), "SELECT (to_regclass('mine') IS NULL)::text")
        .await
        .unwrap();
    assert_eq!(found, "true");
}

#[tokio::test]
async fn a_second_process_joins_and_takes_over() {
    let folder = data_dir();
    let owner = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    execute(
        owner.url(),
        "CREATE TABLE kept AS SELECT 'here'::text AS word",
    )
    .await
    .unwrap();
    let joined = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    assert_eq!(joined.server_pid(), owner.server_pid());
    assert_eq!(joined.url(), owner.url());
    let first = owner.server_pid().unwrap();
    owner.stop().await.unwrap();
    until_answers(joined.url(), "SELECT word FROM kept", "here").await;
    let second = joined.server_pid().unwrap();
    assert_ne!(first, second);
    joined.stop().await.unwrap();
    assert!(!is_alive(second), "who took over stops the server");
}

#[tokio::test]
async fn one_that_joined_leaves_the_server_alone() {
    let folder = data_dir();
    let owner = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    let joined = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    joined.stop().await.unwrap();
    assert_eq!(text(owner.url(), "SELECT 'up'::text").await.unwrap(), "up");
    owner.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_comes_back_with_its_data() {
    let folder = data_dir();
    let server = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    execute(
        server.url(),
        "CREATE TABLE kept AS SELECT id FROM generate_series(1, 10000) AS id",
    )
    .await
    .unwrap();
    let first = server.server_pid().unwrap();
    kill(first);
    until_answers(server.url(), "SELECT count(*)::text FROM kept", "10000").await;
    assert_ne!(server.server_pid(), Some(first));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_is_no_obstacle() {
    let folder = data_dir();
    let server = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    server.stop().await.unwrap();
    // Our own process id: alive, but no server.
    let stale = format!(
        "{}\n/elsewhere\n0\n5432\n/\n\n1 1\nready\n",
        std::process::id()
    );
    fs::write(folder.path().join("postgres/postmaster.pid"), stale).unwrap();
    let server = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    assert_eq!(text(server.url(), "SELECT 'up'::text").await.unwrap(), "up");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_initdb_is_no_obstacle() {
    let folder = data_dir();
    let unfinished = folder.path().join("postgres.unfinished");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    let server = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    assert!(!unfinished.exists());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn data_of_another_major_version_is_refused() {
    let folder = data_dir();
    let data = folder.path().join("postgres");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "9\n").unwrap();
    let refusal = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap_err();
    assert!(
        matches!(refusal, Error::WrongMajor { wanted: 9, .. }),
        "{refusal:?}"
    );
    assert!(
        refusal
            .to_string()
            .contains("belongs to PostgreSQL 9, but installed is PostgreSQL")
    );
}

#[tokio::test]
async fn a_folder_without_programs_is_named() {
    let folder = data_dir();
    let refusal = EmbeddedPostgres::start(Settings {
        bin_dir: Some(folder.path().join("nowhere")),
        ..Settings::new(folder.path())
    })
    .await
    .unwrap_err();
    assert!(matches!(refusal, Error::NoBinaries { .. }), "{refusal:?}");
    assert!(
        refusal
            .to_string()
            .contains("nowhere has no working initdb and postgres")
    );
}

#[tokio::test]
async fn a_long_path_gets_its_socket_elsewhere() {
    let folder = data_dir();
    let long = folder.path().join("l".repeat(120));
    let server = EmbeddedPostgres::start(Settings::new(&long)).await.unwrap();
    assert_eq!(text(server.url(), "SELECT 'up'::text").await.unwrap(), "up");
    assert!(!long.join("run").exists());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn dropping_the_handle_stops_the_server() {
    let folder = data_dir();
    let server = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    let pid = server.server_pid().unwrap();
    drop(server);
    let wait = async {
        while is_alive(pid) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

fn kill(pid: i32) {
    use nix::sys::signal::Signal;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

fn is_alive(pid: i32) -> bool {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok()
}

/// Names the folder to the process that is going to be killed.
const KILLED_OWNERS_FOLDER: &str = "WK_TEST_KILLED_OWNERS_FOLDER";

#[tokio::test]
#[ignore = "the other process of killing_the_owner_hands_over"]
#[expect(
    clippy::disallowed_methods,
    reason = "an argument from the test that started us"
)]
async fn own_until_killed() {
    let folder = std::env::var(KILLED_OWNERS_FOLDER).unwrap();
    let _server = EmbeddedPostgres::start(Settings::new(folder))
        .await
        .unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn killing_the_owner_hands_over() {
    let folder = data_dir();
    let mut owner = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "embedded_postgres::own_until_killed",
            "--exact",
            "--ignored",
        ])
        .env(KILLED_OWNERS_FOLDER, folder.path())
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let wait = async {
        while !folder.path().join("postgres/postmaster.pid").exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    let joined = EmbeddedPostgres::start(Settings::new(folder.path()))
        .await
        .unwrap();
    execute(
        joined.url(),
        "CREATE TABLE kept AS SELECT 'here'::text AS word",
    )
    .await
    .unwrap();
    let first = joined.server_pid().unwrap();
    owner.kill().await.unwrap();
    let wait = async {
        while joined.server_pid().is_none_or(|pid| pid == first) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
    until_answers(joined.url(), "SELECT word FROM kept", "here").await;
    joined.stop().await.unwrap();
}
