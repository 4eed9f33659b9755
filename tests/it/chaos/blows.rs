//! What each fault does.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::{Connection as _, PgConnection};
use tokio::time::{sleep, timeout};

use super::schedule::Blow;
use super::stage::Stage;

/// Switches after which a server without room for its log has surely asked for new room: far more segments than it
/// keeps ready.
const LOG_SWITCHES: usize = 100;
/// For a statement while the disk is full.
const STATEMENT_LIMIT: Duration = Duration::from_secs(5);
/// Between two looks for the server's process.
const LOOK: Duration = Duration::from_millis(50);

/// Strikes, and puts right what does not come right by itself.
pub(super) async fn strike(stage: Arc<Stage>, blow: Blow) {
    match blow {
        Blow::Cut(lasting) => {
            stage.note(&format!(
                "the database's connections are cut for {lasting:?}"
            ));
            stage.proxy.cut();
            sleep(lasting).await;
            stage.proxy.restore();
        }
        Blow::DiskFull(lasting) => fill_the_disk(&stage, lasting).await,
        Blow::KillLeader(pause) => {
            let leader = stage.leader().await;
            kill_service(&stage, leader, "the ingesting", pause).await;
        }
        Blow::KillOther(pause) => {
            let other = 1 - stage.leader().await;
            kill_service(&stage, other, "the other", pause).await;
        }
        Blow::KillDatabase => kill_database(&stage).await,
        Blow::ClockJump(seconds) => {
            if let Some(clock) = &stage.clock {
                clock.set(seconds);
                stage.note(&format!("the second process's clock is {seconds:+} s off"));
            }
        }
    }
}

async fn kill_service(stage: &Stage, number: usize, which: &str, pause: Duration) {
    stage.note(&format!(
        "{which} process (number {}) is killed, for {pause:?}",
        number + 1
    ));
    stage.services[number].kill(pause).await;
}

async fn kill_database(stage: &Stage) {
    let pid = loop {
        match stage.database.server_pid() {
            Some(pid) => break pid,
            None => sleep(LOOK).await,
        }
    };
    // It may have ended by itself a moment ago.
    if kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok() {
        stage.note("PostgreSQL is killed");
    }
}

async fn fill_the_disk(stage: &Stage, lasting: Duration) {
    let disk = stage.disk.lock().await;
    if !disk.can_be_filled() {
        return;
    }
    tokio::task::block_in_place(|| disk.fill());
    stage.note(&format!("the disk is full for {lasting:?}"));
    if timeout(lasting, exhaust_log(&superuser_url(stage.database.url())))
        .await
        .is_ok_and(|panicked| panicked)
    {
        stage.note("PostgreSQL has panicked: no room for its log");
    }
    sleep(lasting).await;
    disk.free();
    stage.note("the disk has room again");
}

/// Makes the server use up the segments of its log that it keeps ready; true once that was its end.
async fn exhaust_log(url: &str) -> bool {
    let Ok(mut connection) = PgConnection::connect(url).await else {
        return false;
    };
    for _ in 0..LOG_SWITCHES {
        let write = "SELECT pg_logical_emit_message(false, 'chaos', 'x'), pg_switch_wal()";
        let switched = timeout(
            STATEMENT_LIMIT,
            sqlx::raw_sql(write).execute(&mut connection),
        );
        if !switched.await.is_ok_and(|switched| switched.is_ok()) {
            return connection.ping().await.is_err();
        }
    }
    false
}

/// Only the superuser may switch segments.
fn superuser_url(url: &str) -> String {
    url.replacen("/wanderer_kills?", "/postgres?", 1).replacen(
        "user=wanderer_kills",
        "user=postgres",
        1,
    )
}
