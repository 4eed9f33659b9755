//! The listener: connections in, bounded in every way; told to end at shutdown, and waited for.
//!
//! `axum::serve` has no limit on the time and size of a request's head, so connections are served by hyper
//! itself.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::address_places::{AddressPlace, AddressPlaces, counted};
use super::client_address::{self, ClientAddress};
use super::events::{LimitReached, Protocol, SlowClientClosed, Staying};
use super::limits::{ACCEPT_PAUSE, Limits, MAX_HEAD_BYTES, MAX_HEADERS, SOCKET_SEND_BUFFER_BYTES};
use super::router::router;
use super::stalled_writer::StalledWriter;
use super::state::ApiState;
use super::tls::Tls;
use crate::runtime::descriptors;

/// Serves until `token` is cancelled. Then it takes no more connections, lets running requests finish,
/// ends streams and websockets, and drops what is still open after [`Limits::drain`].
///
/// # Errors
/// A connection's task that panicked.
pub async fn serve(
    listener: TcpListener,
    mut state: ApiState,
    token: CancellationToken,
) -> anyhow::Result<()> {
    // Streams end with the server, whichever token its caller cancels first.
    let ending = token.child_token();
    let outer = state.shutdown.clone();
    state.shutdown = ending.clone();
    let limits = Arc::clone(&state.limits);
    let sessions = state.sessions.clone();
    let tls = state.tls.clone();
    let router = router(state);
    let places = places(limits.connections);
    let of_address = AddressPlaces::new(limits.connections_per_address);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = token.cancelled() => break,
            () = outer.cancelled() => break,
            Some(ended) = connections.join_next() => ended?,
            accepted = accept(&listener, &places) => {
                let Some((stream, peer, place)) = accepted else { continue };
                let Ok(of_address) = place_of(&of_address, peer, &limits) else { continue };
                let connection = Connection {
                    router: router.clone(),
                    limits: Arc::clone(&limits),
                    ending: ending.clone(),
                    tls: tls.clone(),
                    peer,
                };
                connections.spawn(async move {
                    let open = Staying::connection();
                    connection.serve(stream).await;
                    drop((open, of_address, place));
                });
            }
        }
    }
    drop(listener);
    ending.cancel();
    sessions.close();
    let drained = timeout(limits.drain, async {
        while connections.join_next().await.is_some() {}
        sessions.wait().await;
    });
    if drained.await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            websockets = sessions.len(),
            "connections did not end in time and are dropped"
        );
        connections.shutdown().await;
    }
    Ok(())
}

/// As many places as are `wanted`, or as file descriptors allow.
fn places(wanted: usize) -> Arc<Semaphore> {
    let connections = descriptors::for_clients(wanted);
    if connections < wanted {
        tracing::warn!(
            connections,
            "few open files are allowed to this process; so many clients can be connected"
        );
    }
    Arc::new(Semaphore::new(connections))
}

/// Takes one connection, once there is a place for it. `None` when the kernel had none to give.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            let of_one_client = matches!(
                error.kind(),
                std::io::ErrorKind::ConnectionAborted
                    | std::io::ErrorKind::ConnectionRefused
                    | std::io::ErrorKind::ConnectionReset
            );
            if !of_one_client {
                tracing::warn!(%error, "connections can't be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            None
        }
    }
}

/// The address has as many connections as it may have; the new one is closed at once.
struct TooManyConnections;

/// A place for a connection from `peer`. Proxies have as many as they need: their clients are counted by requests.
fn place_of(
    places: &Arc<AddressPlaces>,
    peer: SocketAddr,
    limits: &Limits,
) -> Result<Option<AddressPlace>, TooManyConnections> {
    let peer = peer.ip();
    let address = counted(peer, &limits.unlimited).filter(|_| !limits.proxies.contain(peer));
    let Some(address) = address else {
        return Ok(None);
    };
    let place = places.take(address);
    if place.is_none() {
        LimitReached {
            what: "connections",
        }
        .emit();
    }
    place.map(Some).ok_or(TooManyConnections)
}

struct Connection {
    router: Router,
    limits: Arc<Limits>,
    ending: CancellationToken,
    tls: Option<Tls>,
    peer: SocketAddr,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        if let Err(error) = prepare(&stream) {
            tracing::debug!(%error, "a socket option was refused");
        }
        let stream = StalledWriter::new(stream, self.limits.send_timeout);
        match self.tls.clone() {
            None => self.exchange(stream).await,
            Some(tls) => {
                if let Some(stream) = self.shake_hands(&tls, stream).await {
                    self.exchange(stream).await;
                }
            }
        }
    }

    /// `None` where nothing came of it.
    async fn shake_hands(
        &self,
        tls: &Tls,
        stream: StalledWriter,
    ) -> Option<TlsStream<StalledWriter>> {
        let handshake = timeout(self.limits.head_timeout, tls.acceptor().accept(stream));
        match self.ending.run_until_cancelled(handshake).await? {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, peer = %self.peer, "no TLS handshake");
                None
            }
            Err(_) => {
                HEAD_LATE.emit();
                None
            }
        }
    }

    async fn exchange(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (router, peer) = (self.router, self.peer);
        let limits = Arc::clone(&self.limits);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            let client = client_address::of(peer.ip(), request.headers(), &limits);
            request.extensions_mut().insert(ClientAddress(client));
            router.clone().oneshot(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = self.ending.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            ended_early(&error, peer);
        }
    }
}

/// A head that did not arrive in time.
const HEAD_LATE: LimitReached = LimitReached {
    what: "head_timeout",
};

fn ended_early(error: &hyper::Error, peer: SocketAddr) {
    if took_nothing(error) {
        SlowClientClosed {
            protocol: Protocol::Http,
        }
        .emit();
    } else if error.is_timeout() {
        HEAD_LATE.emit();
    }
    tracing::debug!(%error, %peer, "a connection ended early");
}

/// Whether the write gave up on the other end.
fn took_nothing(error: &hyper::Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<std::io::Error>())
        .is_some_and(|source| source.kind() == std::io::ErrorKind::TimedOut)
}

fn prepare(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(stream);
    socket.set_keepalive(true)?;
    socket.set_send_buffer_size(SOCKET_SEND_BUFFER_BYTES)
}
