//! Accepting connections and serving them.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use http_body_util::BodyExt as _;
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::{
    ListenError,
    connections::{Connection, Connections},
};

/// Time in which the peer must acknowledge what was sent to it, or take the rest of it.
const PEER_TIMEOUT: Duration = Duration::from_secs(30);
/// Time to wait when the process has no file descriptor left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Bytes of the head of a request, at most; more are answered with 431.
const HEAD_BYTES: usize = 32 * 1024;
/// What a connection gets for which there is no place.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Binds an address. Where every address is wanted and the machine has no IPv6, those of IPv4 are taken.
pub(super) async fn bind(listener: &'static str, address: IpAddr, port: u16) -> Result<TcpListener, ListenError> {
    let mut bound = TcpListener::bind((address, port)).await;
    if address == Ipv6Addr::UNSPECIFIED && bound.as_ref().is_err_and(|it| it.kind() != io::ErrorKind::AddrInUse) {
        bound = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await;
    }
    let failed = |source| ListenError {
        listener,
        address,
        port,
        source,
    };
    let bound = bound.map_err(failed)?;
    let local: SocketAddr = bound.local_addr().map_err(failed)?;
    tracing::info!(listener, address = %local, "listening");
    Ok(bound)
}

/// A listener that answers.
#[derive(Debug)]
pub(super) struct Serving {
    connections: Connections,
    stop: CancellationToken,
}

impl Serving {
    /// Begins to answer.
    pub(super) fn start(listener: TcpListener, routes: Router, limit: usize, head_timeout: Duration) -> Self {
        let serving = Self {
            connections: Connections::new(limit),
            stop: CancellationToken::new(),
        };
        let accepting = Accepting {
            listener,
            routes,
            head_timeout,
            connections: serving.connections.clone(),
            stop: serving.stop.clone(),
        };
        // Not one of the service's tasks: it ends after them, when it is closed.
        tokio::spawn(accepting.run());
        serving
    }

    /// Lets nobody in any more, and lets every connection end after the request that it has begun.
    pub(super) fn close(&self) {
        self.stop.cancel();
    }

    /// Waits until no connection is open.
    pub(super) async fn none_open(&self) {
        self.connections.none_open().await;
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.connections.open()
    }
}

struct Accepting {
    listener: TcpListener,
    routes: Router,
    head_timeout: Duration,
    connections: Connections,
    stop: CancellationToken,
}

impl Accepting {
    async fn run(self) {
        while let Some(accepted) = self.stop.run_until_cancelled(self.listener.accept()).await {
            match accepted {
                Ok((stream, _)) => self.admit(stream),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(error = %error, "a connection could not be accepted: {error}");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream) {
        let Some(connection) = self.connections.admit() else {
            // As much as fits into the socket's buffer, which is empty: never waits.
            return drop(stream.try_write(FULL));
        };
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout)
            .max_header_size(HEAD_BYTES);
        tokio::spawn(serve(stream, http, connection, self.routes.clone(), self.stop.clone()));
    }
}

/// The client of this connection gave up; the next one may not.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve(
    stream: TcpStream,
    http: http1::Builder,
    connection: Arc<Connection>,
    routes: Router,
    stop: CancellationToken,
) {
    configure(&stream);
    let service = service_fn(|request: Request<Incoming>| answer(request, Arc::clone(&connection), routes.clone()));
    let serving = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut serving = pin!(serving);
    tokio::select! {
        // What goes wrong on a connection is the client's: it went away, or does not speak HTTP.
        _ = serving.as_mut() => return,
        () = connection.evicted() => return,
        () = stop.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = serving => {}
        () = connection.evicted() => {}
    }
}

/// A socket that cannot be configured works all the same.
fn configure(stream: &TcpStream) {
    drop(stream.set_nodelay(true));
    drop(SockRef::from(stream).set_tcp_user_timeout(Some(PEER_TIMEOUT)));
}

async fn answer(
    request: Request<Incoming>,
    connection: Arc<Connection>,
    routes: Router,
) -> Result<hyper::Response<Body>, std::convert::Infallible> {
    let busy = connection.busy();
    let response = routes.oneshot(request).await?;
    if response.body().size_hint().exact().is_some() {
        return Ok(response);
    }
    // A body that is made while it is sent keeps the connection busy to its end.
    Ok(response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _ = &busy;
            frame
        }))
    }))
}
