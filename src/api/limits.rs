//! Every limit of inbound HTTP, by name, with its reason.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::TimeDelta;

use crate::runtime::config::{ApiConfig, Networks, ProxyHeader};

/// Most events of one killfeed page: about 4 MB of documents, some 30 ms of work.
pub const MAX_PAGE_EVENTS: i64 = 1_000;

/// Events of a killfeed page when the request does not say.
pub const DEFAULT_PAGE_EVENTS: i64 = 100;

/// A page ends early once its documents reach this size: a fight with thousands of attackers has a
/// document of more than a megabyte, and a thousand of those must not stand in memory per request.
pub const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

/// Longest long poll, seconds. Proxies commonly give up after 60.
pub const MAX_WAIT_SECONDS: i64 = 60;

/// Most events a stream takes from the feed, and writes, in one go. One flush for 64 frames doubles the
/// throughput of one flush per frame.
pub const STREAM_BATCH_EVENTS: usize = 64;

/// A websocket flushes after so many bytes even within a batch: the send time-out then judges a reader by
/// pieces that a slow line can carry. (What a connection keeps is as large as its largest frame, which is the
/// websocket library's way.)
pub const FLUSH_BYTES: usize = 32 * 1024;

/// Largest request body, where nothing else is said. All our own endpoints are reads.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Largest body of the requests that WandererKills' clients send: a thousand ids take 10 kB.
pub const MAX_V1_BODY_BYTES: usize = 1024 * 1024;

/// How much of a body that is too large is read, and dropped, before it is refused.
pub const MAX_V1_DROPPED_BYTES: usize = 16 * 1024 * 1024;

/// Most systems whose past one address may want within a minute: at a page a second a third of it.
pub const MAX_WISHES_PER_MINUTE: usize = 20;

/// The same for this machine, where a proxy may sit with many clients behind it.
pub const MAX_WISHES_PER_MINUTE_HERE: usize = 200;

/// Addresses whose wishes are counted; within a minute no more are served.
pub const MAX_WISHING_ADDRESSES: usize = 4_096;

/// Most systems of one bulk request; the answer is bounded by [`MAX_PAGE_BYTES`] besides.
pub const MAX_BULK_SYSTEMS: usize = 1_000;

/// Most killmails of one system or character in one answer of WandererKills' interface.
pub const MAX_V1_KILLMAILS: i64 = 1_000;

/// How far those answers look back at most: one week, in hours. Longer spans are cut to it.
pub const MAX_SINCE_HOURS: i64 = 168;

/// Most killmails that one statement for those answers reads: some 2 MB.
pub const HISTORY_CHUNK: i64 = 500;

/// Streams that read a page of history at the same time.
pub const HISTORY_READERS: usize = 4;

/// Killmails of one `batch` of the enhanced event stream.
pub const HISTORY_BATCH: i64 = 50;

/// Most past killmails that one enhanced event stream is given: 90 days of a hundred busy systems. What is
/// older is left out, and the stream says so.
pub const MAX_STREAMED_HISTORY: i64 = 100_000;

/// Most ids of past killmails that a stream keeps in mind until their events come by: those that arrived
/// while the history was read.
pub const MAX_SEAM_KILLMAILS: usize = 50_000;

/// Most killmails of one page of a historical query: about 3 MB of documents.
pub const MAX_QUERY_KILLMAILS: i64 = 1_000;

/// Killmails of such a page when the request does not say.
pub const DEFAULT_QUERY_KILLMAILS: i64 = 100;

/// Killmails that a historical query reads in one go, and its answer holds at a time.
pub const QUERY_CHUNK: usize = 100;

/// Such a chunk ends early once its documents reach this size: fights of thousands have documents of megabytes.
pub const QUERY_CHUNK_BYTES: usize = 2 * 1024 * 1024;

/// Historical queries that are at work at the same time: the others take turns. With [`LONG_QUERIES`] as many as a third
/// of the default's connections, which is what they have.
pub const SHORT_QUERIES: usize = 3;

/// Historical queries beside them that take longer than others.
pub const LONG_QUERIES: usize = 3;

/// Largest request head: the request line carries filters of thousands of ids.
pub const MAX_HEAD_BYTES: usize = 128 * 1024;

/// Most header fields of one request.
pub const MAX_HEADERS: usize = 64;

/// Longest request id taken over from a client; a longer one is replaced by ours.
pub const MAX_REQUEST_ID_BYTES: usize = 128;

/// Largest frame or message a websocket client may send: a filter with all sets well filled.
pub const MAX_INBOUND_FRAME_BYTES: usize = 128 * 1024;

/// Read buffer of one websocket. Client frames are small; the library's default of 128 KiB is not.
pub const WEBSOCKET_READ_BUFFER_BYTES: usize = 4 * 1024;

/// A websocket's frames collect to this size before they are written: some eight killmails. Twice as much
/// writes no faster, half as much clearly slower, and every connection keeps the buffer once it had events.
pub const WEBSOCKET_WRITE_BUFFER_BYTES: usize = 32 * 1024;

/// Most bytes that wait in one websocket's write buffer: the buffer above and one frame of the largest kind.
pub const MAX_WEBSOCKET_BUFFER_BYTES: usize = 32 * 1024 * 1024;

/// Frames that are not understood before a websocket is closed.
pub const MAX_GARBAGE_FRAMES: u32 = 10;

/// Kernel send buffer of one connection (the kernel doubles it). Left to itself it grows to megabytes for
/// a client that does not read.
pub const SOCKET_SEND_BUFFER_BYTES: usize = 128 * 1024;

/// Longest `client_id`.
pub const MAX_CLIENT_ID_BYTES: usize = 100;

/// Longest wait for the other side of a websocket's closing handshake.
pub const CLOSE_HANDSHAKE: Duration = Duration::from_secs(2);

/// Pause after the kernel refused a connection: it is out of descriptors, and asking at once would spin.
pub const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How long a health check waits for the database.
pub const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// A tail that has not read the log for this long, beyond two of its usual pauses, has stopped looking. Its
/// longest pause while the database is away is 10 s.
pub const SILENT_TAIL: Duration = Duration::from_secs(30);

/// A process whose feed is further behind the log than this many events calls itself degraded.
pub const FEED_LAG_DEGRADED: i64 = 1_000;

/// Addresses whose requests are counted at the same time, some megabytes. While there are more, those that come
/// anew are turned away.
pub const MAX_LIMITED_ADDRESSES: usize = 65_536;

/// Proxies between a client and this service that are looked past.
pub const MAX_FORWARDED_HOPS: usize = 32;

/// A live source without anything new for so long, beside the daily downtimes, is called stale: in the quietest
/// quarter of an hour of a usual day dozens of killmails are published.
pub const SILENT_SOURCE: TimeDelta = TimeDelta::minutes(15);

/// Who follows a source and has asked it nothing for so long is stuck: no pause that a source may ask for, other
/// than a ban, is longer.
pub const SILENT_FOLLOWER: TimeDelta = TimeDelta::hours(1);

/// With less room on the disk of the private database an operator should look: some two weeks of killmails.
pub const LITTLE_DISK_BYTES: u64 = 1024 * 1024 * 1024;

/// With less room writes are about to fail: PostgreSQL's log alone takes 16 MiB at a time.
pub const LEAST_DISK_BYTES: u64 = 128 * 1024 * 1024;

/// Longest reference (`ref`, `join_ref`) of a Phoenix message: it is repeated in every frame that answers it.
pub const MAX_PHOENIX_REFERENCE_BYTES: usize = 1_024;

/// Most systems of one Phoenix subscription, as WandererKills has it.
pub const MAX_SUBSCRIBED_SYSTEMS: usize = 10_000;

/// Most characters of one Phoenix subscription, as WandererKills has it.
pub const MAX_SUBSCRIBED_CHARACTERS: usize = 50_000;

/// Most killmails of one system in a preload.
pub const MAX_PRELOAD_PER_SYSTEM: i64 = 100;

/// Longest time a preload looks back, hours: what WandererKills documents as its longest.
pub const MAX_PRELOAD_HOURS: i64 = 168;

/// Most killmails that one statement of a preload reads: about a megabyte.
pub const PRELOAD_PAGE_KILLMAILS: usize = 200;

/// Most killmails of one preload: the default five of as many systems as may be subscribed.
pub const MAX_PRELOAD_KILLMAILS: usize = 50_000;

/// Most bytes of the documents of one preload.
pub const MAX_PRELOAD_BYTES: usize = 256 * 1024 * 1024;

/// Preloads that read from the database at the same time; others take turns, so that a thousand clients that
/// reconnect after a restart leave connections to everyone else.
pub const PRELOAD_READERS: usize = 4;

/// Most systems whose kill count is kept in memory: more than New Eden has.
pub const MAX_COUNTED_SYSTEMS: usize = 16_384;

/// How long after a kill its system's count is told, on average: all who were pushed the kill need it at once,
/// and what they are still to be pushed comes first. Counts of one client that come together are told together.
pub const COUNT_DELAY: Duration = Duration::from_secs(2);

/// Pause before the database is asked again after it failed a Phoenix channel or a count.
pub const DATABASE_PAUSE: Duration = Duration::from_secs(1);

/// Killmails a channel remembers to have pushed, so that a preload does not bring them again.
pub const REMEMBERED_PUSHES: usize = 1_024;

/// Limits that an installation or a test may want different.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most TCP connections. Further ones wait in the kernel's backlog.
    pub connections: usize,
    /// Most long polls, SSE streams and websockets together.
    pub streams: usize,
    /// Most of those from one address (IPv6: one /64).
    pub streams_per_address: usize,
    /// Most TCP connections of one address.
    pub connections_per_address: usize,
    /// Requests that one address may make in a minute, on average.
    pub requests_per_minute: NonZeroU32,
    /// Requests that one address may make at once.
    pub request_burst: NonZeroU32,
    /// Addresses that are not limited.
    pub unlimited: Networks,
    /// Proxies whose word on the client's address is believed.
    pub proxies: Networks,
    /// Where they say it.
    pub proxy_header: ProxyHeader,
    /// Most plain requests at work at the same time; the database pool is far smaller.
    pub requests: usize,
    /// Most historical queries at work at the same time, those that are still being sent included.
    pub queries: usize,
    /// Longest time a plain request may take.
    pub request_timeout: Duration,
    /// Longest time a request's head may take to arrive, and a connection may idle between requests.
    pub head_timeout: Duration,
    /// A client that takes nothing for so long is disconnected.
    pub send_timeout: Duration,
    /// A stream with nothing to say says so this often.
    pub keep_alive: Duration,
    /// An enhanced event stream tells the time this often.
    pub heartbeat: Duration,
    /// A websocket without any frame from the client for so long is pinged.
    pub idle_ping: Duration,
    /// A Phoenix socket without any frame from the client for so long is closed, as WandererKills does.
    pub phoenix_idle: Duration,
    /// A Phoenix channel without killmail or count for so long gets an empty update: Wanderer takes 15
    /// minutes of silence for a broken connection.
    pub phoenix_keep_alive: Duration,
    /// A system's kill count is read, and told to one client, at most this often.
    pub count_every: Duration,
    /// Longest time connections get to end at shutdown.
    pub drain: Duration,
}

/// Historical queries: with a chunk each they hold some 60 MB at the very most.
const MAX_QUERIES: usize = 32;

/// Connections beyond the streams: plain requests that are at work, and idle keep-alive ones.
const CONNECTIONS_BESIDE_STREAMS: usize = 6_384;

impl From<&ApiConfig> for Limits {
    fn from(config: &ApiConfig) -> Self {
        let access = &config.access;
        Self {
            connections: config
                .max_streams
                .get()
                .saturating_add(CONNECTIONS_BESIDE_STREAMS),
            streams: config.max_streams.get(),
            streams_per_address: config.max_streams_per_address.get(),
            connections_per_address: access.max_connections_per_address.get(),
            requests_per_minute: access.requests_per_minute,
            request_burst: access.request_burst,
            unlimited: access.unlimited_networks.clone(),
            proxies: access.trusted_proxies.clone(),
            proxy_header: access.proxy_header,
            requests: config.max_requests.get(),
            queries: MAX_QUERIES,
            request_timeout: config.request_timeout(),
            head_timeout: access.head_timeout(),
            send_timeout: config.send_timeout(),
            keep_alive: Duration::from_secs(10),
            heartbeat: Duration::from_secs(30),
            idle_ping: Duration::from_mins(1),
            phoenix_idle: Duration::from_mins(1),
            phoenix_keep_alive: Duration::from_mins(10),
            count_every: Duration::from_mins(1),
            drain: Duration::from_secs(10),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::from(&ApiConfig::default())
    }
}
