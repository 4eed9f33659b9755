//! What one client feels of others that ask far more than they may, and of one that opens connections and says nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::ensure;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use wanderer_kills::runtime::clock::SystemClock;

use super::Options;
use super::database::Server;
use super::report::{Aim, Report};
use super::serving::Process;

/// What the client asks for: answered from memory, so that what is measured is the way in.
const REQUEST: &[u8] = b"GET /api/killfeed?limit=1 HTTP/1.1\r\nHost: figures\r\n\r\n";
/// The client keeps to what an address may ask: 50 a second of 100.
const PAUSE: Duration = Duration::from_millis(20);
/// Heads that never end, at most so many at a time.
const OPENINGS: usize = 64;

const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 10);
const GREEDY: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 11), Ipv4Addr::new(127, 0, 0, 12)];
const SILENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 13);

/// Measures.
pub(crate) async fn measure(
    server: &Server,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let database = server.database("address_limits").await?;
    let limits = [
        ("WK_UNLIMITED_NETWORKS", "none"),
        ("WK_REQUESTS_PER_MINUTE", "6000"),
        ("WK_REQUEST_BURST", "100"),
        ("WK_HEAD_TIMEOUT_S", "1"),
    ];
    let service = Process::start_with(&database, &limits).await?;
    let (address, seconds) = (service.address, Duration::from_secs(options.seconds));
    let alone = latencies(address, seconds).await?;
    let over = CancellationToken::new();
    let client = async {
        let beside = latencies(address, seconds).await;
        over.cancel();
        beside
    };
    let (beside, one, two, dropped) = tokio::try_join!(
        client,
        ask_too_much(address, GREEDY[0], &over),
        ask_too_much(address, GREEDY[1], &over),
        say_nothing(address, &over),
    )?;
    for (name, took) in [
        ("alone", &alone),
        ("beside two greedy ones and a silent one", &beside),
    ] {
        report.add(
            format!("a client's request, {name}, p50"),
            milliseconds(took, 50),
            "ms",
        );
        report.add(
            format!("a client's request, {name}, p99"),
            milliseconds(took, 99),
            "ms",
        );
    }
    let more = milliseconds(&beside, 99) - milliseconds(&alone, 99);
    report.aim("what others add to its p99", more, "ms", Aim::Below(20.0));
    report.add(
        "requests of the greedy ones that were answered",
        one.served + two.served,
        "",
    );
    report.add(
        "requests of the greedy ones that were refused",
        one.refused + two.refused,
        "",
    );
    report.add("connections without a head that were dropped", dropped, "");
    service.stop().await
}

/// How long the client's requests took, sorted. Fails where one is not answered.
async fn latencies(address: SocketAddr, seconds: Duration) -> anyhow::Result<Vec<Duration>> {
    let clock = SystemClock::shared();
    let mut stream = connect(address, CLIENT).await?;
    let until = clock.monotonic() + seconds;
    let mut took = Vec::new();
    while clock.monotonic() < until {
        let asked = clock.monotonic();
        let status = exchange(&mut stream).await?;
        ensure!(status == "200", "the client was answered {status}");
        took.push(clock.monotonic().saturating_sub(asked));
        tokio::time::sleep(PAUSE).await;
    }
    took.sort_unstable();
    Ok(took)
}

/// What became of requests.
#[derive(Default)]
struct Answers {
    served: f64,
    refused: f64,
}

/// Asks again as soon as it is answered.
async fn ask_too_much(
    address: SocketAddr,
    from: Ipv4Addr,
    over: &CancellationToken,
) -> anyhow::Result<Answers> {
    let mut stream = connect(address, from).await?;
    let mut answers = Answers::default();
    while let Some(status) = over.run_until_cancelled(exchange(&mut stream)).await {
        match status?.as_str() {
            "200" => answers.served += 1.0,
            "429" => answers.refused += 1.0,
            other => anyhow::bail!("a greedy client was answered {other}"),
        }
    }
    Ok(answers)
}

/// Opens connections and sends beginnings of heads; the connections that the service has dropped.
async fn say_nothing(address: SocketAddr, over: &CancellationToken) -> anyhow::Result<f64> {
    let openings = (0..OPENINGS).map(|_| async {
        let mut dropped = 0.0;
        while let Some(ended) = over.run_until_cancelled(open(address)).await {
            ended?;
            dropped += 1.0;
        }
        anyhow::Ok(dropped)
    });
    let dropped = futures::future::try_join_all(openings).await?;
    Ok(dropped.into_iter().sum())
}

/// Sends the beginning of a head and waits until it is dropped.
async fn open(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = connect(address, SILENT).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

async fn connect(address: SocketAddr, from: Ipv4Addr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
    socket.connect(address).await
}

/// One request on a connection that stays; its status.
async fn exchange(stream: &mut TcpStream) -> anyhow::Result<String> {
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    loop {
        ensure!(
            stream.read_buf(&mut answer).await? > 0,
            "the connection was closed"
        );
        let text = String::from_utf8_lossy(&answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.parse().ok())?
        });
        if length.is_some_and(|length: usize| body.len() >= length) {
            let status = head.split_whitespace().nth(1).unwrap_or_default();
            return Ok(status.to_owned());
        }
    }
}

fn milliseconds(sorted: &[Duration], hundredths: usize) -> f64 {
    let index = sorted.len().saturating_sub(1) * hundredths / 100;
    sorted.get(index).copied().unwrap_or_default().as_secs_f64() * 1_000.0
}
