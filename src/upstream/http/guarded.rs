//! Requests to addresses that somebody else chose: every look-up is checked, and the connection goes to what
//! was checked.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use reqwest::StatusCode;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use url::{Host, Url};

use super::client::HttpSettings;
use super::error::{Error, Result, place};
use super::request::Request;
use crate::runtime::tls;

/// Turns a name into addresses.
pub trait LookUp: Send + Sync + fmt::Debug {
    /// Every address of `name`.
    fn look_up(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy)]
pub struct SystemLookUp;

impl LookUp for SystemLookUp {
    fn look_up(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    }
}

/// Says whether an address may be connected to.
pub type Allows = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// An address that must not be connected to. Does not say which: names inside a network are nobody's business.
#[derive(Debug, thiserror::Error)]
#[error("the host has an address that is not public")]
struct Forbidden;

struct Checked {
    look_up: Arc<dyn LookUp>,
    allows: Allows,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.look_up.look_up(name.as_str());
        let allows = Arc::clone(&self.allows);
        Box::pin(async move {
            let addresses = found.await?;
            // One bad address among good ones is an attempt to get in by chance.
            if !addresses.iter().all(|address| allows(*address)) {
                return Err(Forbidden.into());
            }
            let sockets = addresses
                .into_iter()
                .map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Addrs)
        })
    }
}

/// An answer of any status, with the beginning of its body.
#[derive(Debug, Clone)]
pub struct GuardedAnswer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body up to the request's limit; less where it broke off or took too long.
    pub body: Bytes,
}

/// A client that follows no redirect, uses no proxy, keeps no connection, and connects only to allowed
/// addresses. Cheap to clone.
#[derive(Clone)]
pub struct GuardedClient {
    client: reqwest::Client,
    allows: Allows,
}

impl fmt::Debug for GuardedClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("GuardedClient")
    }
}

impl GuardedClient {
    /// A client with this policy.
    ///
    /// # Errors
    /// When TLS can't be set up.
    pub fn new(settings: &HttpSettings, look_up: Arc<dyn LookUp>, allows: Allows) -> Result<Self> {
        tls::install();
        let resolver = Checked {
            look_up,
            allows: Arc::clone(&allows),
        };
        let client = reqwest::Client::builder()
            .user_agent(settings.user_agent_header())
            .connect_timeout(settings.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .no_gzip()
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(resolver))
            .build()
            .map_err(|source| Error::Build {
                source: source.into(),
            })?;
        Ok(Self { client, allows })
    }

    /// Asks once. The answer counts once its head is there; of the body as much is read as the request's
    /// limits let through, the rest is dropped with the connection.
    ///
    /// # Errors
    /// An address that is not allowed, no connection, no head within the whole time.
    #[expect(
        clippy::disallowed_methods,
        reason = "outgoing requests to addresses of others start here"
    )]
    pub async fn send(&self, request: &Request) -> Result<GuardedAnswer> {
        self.check_literal(&request.url)?;
        let deadline = tokio::time::Instant::now() + request.limits.total;
        let mut builder = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let mut response = tokio::time::timeout_at(deadline, builder.send())
            .await
            .map_err(|_| timed_out(&request.url, request.limits.total))?
            .map_err(|source| connection(&request.url, source))?;
        let mut body = BytesMut::new();
        let limit = request.limits.body_bytes;
        while body.len() < limit {
            let chunk = tokio::time::timeout_at(deadline, response.chunk()).await;
            let Ok(Ok(Some(piece))) = chunk else { break };
            let room = limit - body.len();
            body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        }
        Ok(GuardedAnswer {
            status: response.status(),
            headers: response.headers().clone(),
            body: body.freeze(),
        })
    }

    /// Addresses in the URL itself are never looked up.
    fn check_literal(&self, url: &Url) -> Result<()> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if (self.allows)(address) {
            return Ok(());
        }
        Err(Error::Forbidden { at: place(url) })
    }
}

fn timed_out(url: &Url, after: Duration) -> Error {
    Error::TimedOut {
        at: place(url),
        after,
    }
}

/// Finds the refusal of [`Checked`] among the causes.
fn connection(url: &Url, source: reqwest::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&source);
    while let Some(error) = cause {
        if error.is::<Forbidden>() {
            return Error::Forbidden { at: place(url) };
        }
        cause = error.source();
    }
    Error::Connection {
        at: place(url),
        source: source.without_url().into(),
    }
}
