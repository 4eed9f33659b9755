//! Listeners that ask again and again.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::time::sleep;

use super::Seat;
use crate::support::http::{Answer, get};

/// Killmails of one answer to a poller whose place the server keeps.
pub(super) const CLIENT_PAGE: usize = 10;
/// Between two polls that can't wait for something new.
const POLL_PAUSE: Duration = Duration::from_millis(1_500);

pub(super) async fn long_poll(seat: &Seat, address: SocketAddr) -> anyhow::Result<()> {
    loop {
        let after = seat.record().cursor;
        let systems = seat.query("&systems");
        let path = format!("/api/killfeed?after={after}&limit=50&wait=5{systems}");
        let page = json(&expect(address, &path, 200).await?)?;
        let mut record = seat.record();
        for event in page["events"].as_array().context("events")? {
            take(&mut record, event)?;
        }
        record.reached();
        record.cursor = page["cursor"].as_i64().context("cursor")?;
    }
}

pub(super) async fn client_id(seat: &Seat, address: SocketAddr) -> anyhow::Result<()> {
    let (name, systems) = (seat.name(), seat.query("systems"));
    let path = format!("/api/killfeed?client_id={name}&limit={CLIENT_PAGE}&{systems}");
    loop {
        seat.record().asks();
        let answer = get(address, &path).await?;
        match answer.status {
            200 => {
                let page = json(&answer)?;
                let mut record = seat.record();
                record.answered();
                for event in page["events"].as_array().context("events")? {
                    take(&mut record, event)?;
                }
            }
            204 => {
                seat.record().answered_nothing();
                sleep(POLL_PAUSE).await;
            }
            status => bail!("{status}"),
        }
    }
}

/// The first poll of a queue: from here on it misses nothing.
pub(super) async fn open_queue(seat: &Seat, address: SocketAddr) -> anyhow::Result<()> {
    let path = format!("/listen.php?queueID={}&ttw=1", seat.name());
    expect(address, &path, 302).await.map(drop)
}

pub(super) async fn redisq(seat: &Seat, address: SocketAddr) -> anyhow::Result<()> {
    let listen = format!("/listen.php?queueID={}&ttw=5", seat.name());
    loop {
        let owed = seat.record().owed;
        let number = match owed {
            Some(number) => number,
            None => match next_package(seat, address, &listen).await? {
                Some(number) => number,
                None => continue,
            },
        };
        let object = format!("/object.php?objectID={number}");
        let answer = json(&expect(address, &object, 200).await?)?;
        let killmail = answer["package"]["killID"].as_i64().context("killID")?;
        let mut record = seat.record();
        record.owed = None;
        record.takes(number, killmail);
    }
}

/// The number of the queue's next package; `None` where there was nothing.
async fn next_package(
    seat: &Seat,
    address: SocketAddr,
    listen: &str,
) -> anyhow::Result<Option<i64>> {
    seat.record().asks();
    let answer = get(address, listen).await?;
    if answer.status == 429 {
        // Another poll of the queue, which we have given up, is still under way; this one took nothing.
        seat.record().answered();
        bail!("the queue is busy");
    }
    ensure!(answer.status == 302, "{}", answer.status);
    let place = answer
        .head
        .lines()
        .find_map(|line| line.strip_prefix("location: /object.php?objectID="))
        .context("a location")?;
    let number = place.parse().ok();
    let mut record = seat.record();
    if number.is_none() {
        record.answered_nothing();
    } else {
        record.answered();
    }
    record.owed = number;
    Ok(number)
}

pub(super) async fn r2z2(seat: &Seat, address: SocketAddr) -> anyhow::Result<()> {
    loop {
        let next = seat.record().cursor + 1;
        let answer = get(address, &format!("/ephemeral/{next}.json")).await?;
        match answer.status {
            200 => {
                let killmail = json(&answer)?["killmail_id"].as_i64();
                seat.record().takes(next, killmail.context("killmail_id")?);
            }
            404 => {
                seat.record().reached();
                sleep(POLL_PAUSE).await;
            }
            status => bail!("{status}"),
        }
    }
}

async fn expect(address: SocketAddr, path: &str, status: u16) -> anyhow::Result<Answer> {
    let answer = get(address, path).await?;
    ensure!(answer.status == status, "{}", answer.status);
    Ok(answer)
}

fn json(answer: &Answer) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&answer.body)?)
}

/// Notes an event of the killfeed.
pub(super) fn take(record: &mut super::Record, event: &Value) -> anyhow::Result<()> {
    let sequence = event["event_id"].as_i64().context("event_id")?;
    let killmail = event["killmail"]["killmail_id"].as_i64();
    record.takes(sequence, killmail.context("killmail_id")?);
    Ok(())
}
