//! The only place that names metrics.

mod description;
mod table;
mod values;
mod write;

pub use description::{Description, Kind};
pub use values::precreate;
pub use write::{add, count, record, set, set_count};

/// Every metric of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Killmails committed, by `source` and `outcome` (`new`, `updated`, `unchanged`, `conflict`).
    KillmailsCommitted,
    /// Seconds that one transaction of the committer took.
    CommitSeconds,
    /// Killmails in one transaction of the committer.
    BatchKillmails,
    /// Seconds from a kill to the commit of its killmail.
    LagSeconds,
    /// Seconds from the publication of a document by its source until it was here.
    PublicationLagSeconds,
    /// 1 while this process runs the live source, else 0.
    IngestLeader,
    /// Documents that a source was ahead of us when it last told its newest number.
    SourceLag,
    /// Missing upstream sequence numbers that are still looked for.
    GapsOpen,
    /// Bytes from a source that could not be read, by reason `code`.
    DeadLetters,
    /// Dead letters in the database, counted up to 1000.
    DeadLettersStored,
    /// Look-ups that a memory cache answered.
    CacheHits,
    /// Look-ups that a memory cache could not answer.
    CacheMisses,
    /// Rows of the last load of reference data, by `subject` (`ship_types`, `solar_systems`, `names`).
    ReferenceDataRows,
    /// Checks for newer reference data, by `outcome` (`loaded`, `unchanged`, `refused`, `failed`).
    ReferenceDataChecks,
    /// 1 while this process completes what is stored, else 0.
    UpkeepLeader,
    /// Stored documents that lack nothing any more.
    DocumentsCompleted,
    /// Stored documents that still lack names, types or places.
    DocumentsPending,
    /// Seconds that one walk through all pending documents took.
    SweepSeconds,
    /// Killmails whose values zKillboard was asked for, by `outcome` (`found`, `none`, `failed`).
    ValuesAsked,
    /// Entries of a memory cache.
    CacheEntries,
    /// Bytes of a memory cache, as its limit counts them.
    CacheBytes,
    /// Seconds that a batch of killmails spent with the enricher.
    EnrichSeconds,
    /// Killmails that left the enricher, by `outcome` (`complete`, `pending`).
    KillmailsEnriched,
    /// Days of history that a backfill has looked at, by `source` and `outcome` (`filled`, `unchanged`, `absent`, `failed`).
    BackfillDays,
    /// Documents of days of history that were read.
    BackfillDocuments,
    /// Days whose statistics are not made yet, so that whoever asks counts them.
    StatisticsDaysMarked,
    /// Seconds that making the statistics of a day took.
    StatisticsDaySeconds,
    /// Newest sequence number of the feed that this process has read.
    FeedHead,
    /// Readers of the feed in this process.
    FeedReaders,
    /// Events that are kept in memory for readers.
    RingEvents,
    /// Oldest cursor that is served from memory.
    RingFloor,
    /// Bytes of the documents that are kept in memory for readers.
    RingBytes,
    /// Pages that readers behind the ring fetched from the database.
    FeedDatabaseReads,
    /// Events between a reader's place and the feed's head, when it was given some.
    ReaderLagEvents,
    /// Requests to other servers, by `host` and `outcome`.
    UpstreamRequests,
    /// Seconds until another server had answered.
    UpstreamRequestSeconds,
    /// Seconds that a request waited for its server's budget.
    UpstreamWaitSeconds,
    /// 1 while a server is not asked because it failed repeatedly, else 0.
    UpstreamBreakerOpen,
    /// Tokens that ESI last said are left, by the route (`group`) that was told.
    EsiBudgetRemaining,
    /// Errors that ESI last said are left of its legacy limit.
    EsiErrorsRemaining,
    /// 1 while ESI is left alone because of its downtime or maintenance, else 0.
    EsiDowntime,
    /// Requests that we answered, by `route` and `status` class (`2xx`, `4xx`, …).
    HttpRequests,
    /// Seconds until an answer's head was ready.
    HttpRequestSeconds,
    /// Open connections.
    HttpConnections,
    /// Clients that were turned away by a limit, by `reason` (`requests`, `connections`, `streams`, `head_timeout`).
    HttpRefused,
    /// Open websockets, by `protocol` (`json`, `phoenix`).
    WebsocketConnections,
    /// Open event streams.
    SseConnections,
    /// Killmails pushed to clients of streams, by `protocol` (`json`, `phoenix`, `sse`).
    StreamKillmails,
    /// Seconds from the commit of a killmail until it was on its way to the client of a stream, by `protocol` (`json`, `phoenix`, `sse`).
    SendLagSeconds,
    /// Clients that were disconnected because they did not read.
    SlowClientsClosed,
    /// Messages to webhooks, by `outcome` (`delivered`, `failed`).
    WebhookDeliveries,
    /// Seconds until a webhook had answered.
    WebhookDeliverySeconds,
    /// Webhooks that were paused after failures.
    WebhooksPaused,
    /// Webhooks, by `state` (`active`, `retrying`, `paused`).
    Webhooks,
    /// 1 while this process delivers to webhooks, else 0.
    WebhookLeader,
    /// 1 while this process reads the past that is wanted, else 0.
    PreloadLeader,
    /// Entities whose past is wanted and not yet read.
    HistoryWishesOpen,
    /// Pages of somebody's past that zKillboard was asked for, by `outcome` (`read`, `failed`).
    HistoryPages,
    /// Killmails that such pages brought and that were not stored.
    HistoryKillmails,
    /// 1 while this process holds days against what others count, else 0.
    ReconcileLeader,
    /// Runs that held days against what others count, by `outcome` (`done`, `failed`).
    ReconcileRuns,
    /// Days of the last such run of which something obtainable is not stored.
    DaysLacking,
    /// Missing upstream sequence numbers that history closed, by `closing` (`history_read`, `history_unavailable`).
    GapsClosed,
    /// Killmails deleted one by one because they are no longer kept.
    KillmailsExpired,
    /// Years dropped because they are no longer kept.
    YearsDropped,
    /// Connections to the database, by `pool` (`primary`, `read`, `replica`) and `state` (`used`, `idle`).
    DatabaseConnections,
    /// Most connections to the database, by `pool`.
    DatabaseConnectionsMax,
    /// Whether queries go to the replica.
    ReplicaInUse,
    /// Free bytes on the private database's disk.
    DiskFreeBytes,
    /// 1, with the `version` of the program.
    BuildInfo,
    /// Memory that the process occupies.
    ProcessResidentMemory,
    /// Open file descriptors of the process.
    ProcessOpenFiles,
    /// Most file descriptors that the process may open.
    ProcessMaxFiles,
    /// When the process started, in seconds since 1970.
    ProcessStartTime,
}

impl Metric {
    /// All metrics, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::KillmailsCommitted,
        Self::CommitSeconds,
        Self::BatchKillmails,
        Self::LagSeconds,
        Self::PublicationLagSeconds,
        Self::IngestLeader,
        Self::SourceLag,
        Self::GapsOpen,
        Self::DeadLetters,
        Self::DeadLettersStored,
        Self::CacheHits,
        Self::CacheMisses,
        Self::ReferenceDataRows,
        Self::ReferenceDataChecks,
        Self::UpkeepLeader,
        Self::DocumentsCompleted,
        Self::DocumentsPending,
        Self::SweepSeconds,
        Self::ValuesAsked,
        Self::CacheEntries,
        Self::CacheBytes,
        Self::EnrichSeconds,
        Self::KillmailsEnriched,
        Self::BackfillDays,
        Self::BackfillDocuments,
        Self::StatisticsDaysMarked,
        Self::StatisticsDaySeconds,
        Self::FeedHead,
        Self::FeedReaders,
        Self::RingEvents,
        Self::RingFloor,
        Self::RingBytes,
        Self::FeedDatabaseReads,
        Self::ReaderLagEvents,
        Self::UpstreamRequests,
        Self::UpstreamRequestSeconds,
        Self::UpstreamWaitSeconds,
        Self::UpstreamBreakerOpen,
        Self::EsiBudgetRemaining,
        Self::EsiErrorsRemaining,
        Self::EsiDowntime,
        Self::HttpRequests,
        Self::HttpRequestSeconds,
        Self::HttpConnections,
        Self::HttpRefused,
        Self::WebsocketConnections,
        Self::SseConnections,
        Self::StreamKillmails,
        Self::SendLagSeconds,
        Self::SlowClientsClosed,
        Self::WebhookDeliveries,
        Self::WebhookDeliverySeconds,
        Self::WebhooksPaused,
        Self::Webhooks,
        Self::WebhookLeader,
        Self::PreloadLeader,
        Self::HistoryWishesOpen,
        Self::HistoryPages,
        Self::HistoryKillmails,
        Self::ReconcileLeader,
        Self::ReconcileRuns,
        Self::DaysLacking,
        Self::GapsClosed,
        Self::KillmailsExpired,
        Self::YearsDropped,
        Self::DatabaseConnections,
        Self::DatabaseConnectionsMax,
        Self::ReplicaInUse,
        Self::DiskFreeBytes,
        Self::BuildInfo,
        Self::ProcessResidentMemory,
        Self::ProcessOpenFiles,
        Self::ProcessMaxFiles,
        Self::ProcessStartTime,
    ];

    /// The name in Prometheus' exposition.
    pub fn name(self) -> &'static str {
        self.description().name
    }
}
