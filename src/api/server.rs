//! The listener: connections in, bounded in every way; told to end at shutdown, and waited for.
//!
//! `axum::serve` has no limit on the time and size of a request's head, so connections are served by hyper
//! itself.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::events::{Protocol, SlowClientClosed};
use super::limits::{ACCEPT_PAUSE, Limits, MAX_HEAD_BYTES, MAX_HEADERS, SOCKET_SEND_BUFFER_BYTES};
use super::router::router;
use super::stalled_writer::StalledWriter;
use super::state::ApiState;
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
    let router = router(state);
    let places = places(limits.connections);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = token.cancelled() => break,
            () = outer.cancelled() => break,
            Some(ended) = connections.join_next() => ended?,
            accepted = accept(&listener, &places) => {
                let Some((stream, peer, place)) = accepted else { continue };
                let connection = Connection {
                    router: router.clone(),
                    limits: Arc::clone(&limits),
                    ending: ending.clone(),
                    peer,
                };
                connections.spawn(async move {
                    connection.serve(stream).await;
                    drop(place);
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

struct Connection {
    router: Router,
    limits: Arc<Limits>,
    ending: CancellationToken,
    peer: SocketAddr,
}

impl Connection {
    #[expect(
        clippy::cognitive_complexity,
        reason = "a straight line; select and the log macros count as many branches"
    )]
    async fn serve(self, stream: TcpStream) {
        if let Err(error) = prepare(&stream) {
            tracing::debug!(%error, "a socket option was refused");
        }
        let (router, peer) = (self.router, self.peer);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request)
        });
        let io = TokioIo::new(StalledWriter::new(stream, self.limits.send_timeout));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_timeout)
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .serve_connection(io, service)
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
            if took_nothing(&error) {
                SlowClientClosed {
                    protocol: Protocol::Http,
                }
                .emit();
            }
            tracing::debug!(%error, %peer, "a connection ended early");
        }
    }
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
