use crate::store;

/// Why a pipeline stopped before its input ended. What it had not committed is not lost: the source's
/// cursor has not moved over it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process moves this source's cursor now.
    #[error("fenced off: another process ingests {source_name} now")]
    Fenced {
        /// The source.
        source_name: String,
    },
    /// An envelope moves the cursor of a source for which the pipeline holds no fence.
    #[error("no right to move the cursor of {source_name} (envelope {origin})")]
    NoFence {
        /// The source.
        source_name: &'static str,
        /// Where in the source.
        origin: String,
    },
    /// The database refuses even the position, gaps and dead letter of an envelope, for good.
    #[error("committing {source_name} {origin} failed for good")]
    Commit {
        /// The source.
        source_name: &'static str,
        /// Where in the source.
        origin: String,
        /// The database's answer.
        #[source]
        source: store::Error,
    },
    /// A stage's task panicked.
    #[error("a pipeline stage broke")]
    Broken {
        /// How it ended.
        #[source]
        source: tokio::task::JoinError,
    },
}
