//! A TCP proxy before PostgreSQL that a test can cut.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

/// Passes bytes between clients and PostgreSQL's socket until it is cut; while it is cut, every connection
/// ends at once.
#[derive(Debug)]
pub(crate) struct ChaosProxy {
    url: String,
    cut: watch::Sender<bool>,
    refused: watch::Receiver<u64>,
    // Aborts the proxy when dropped.
    _tasks: JoinSet<()>,
}

impl ChaosProxy {
    /// A proxy before the database of `url`, whose server listens on a socket (`?host=/folder`).
    pub(crate) async fn start(url: &str) -> Self {
        let socket = Arc::new(socket_of(url));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, is_cut) = watch::channel(false);
        let (refusals, refused) = watch::channel(0);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if *is_cut.borrow() {
                    refusals.send_modify(|number| *number += 1);
                    continue;
                }
                connections.spawn(pass(client, Arc::clone(&socket), is_cut.clone()));
            }
        });
        Self {
            url: tcp_url(url, port),
            cut,
            refused,
            _tasks: tasks,
        }
    }

    /// The same database, through the proxy.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends all connections and refuses new ones.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Lets connections through again.
    pub(crate) fn restore(&self) {
        self.cut.send_replace(false);
    }

    /// Waits until someone has been refused since the call: the marker that the outage was noticed.
    pub(crate) async fn refuses(&mut self) {
        let before = *self.refused.borrow_and_update();
        (self.refused.wait_for(|number| *number > before).await).unwrap();
    }
}

async fn pass(mut client: TcpStream, socket: Arc<PathBuf>, mut is_cut: watch::Receiver<bool>) {
    let Ok(mut server) = UnixStream::connect(socket.as_path()).await else {
        return;
    };
    tokio::select! {
        _ = is_cut.wait_for(|is_cut| *is_cut) => {}
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
    }
}

fn socket_of(url: &str) -> PathBuf {
    let url = Url::parse(url).unwrap();
    let value = |wanted: &str| {
        let found = url.query_pairs().find(|(key, _)| key == wanted);
        found.map(|(_, value)| value.into_owned())
    };
    let folder = value("host").expect("a server on a socket");
    let port = value("port")
        .or_else(|| url.port().map(|port| port.to_string()))
        .unwrap_or_else(|| "5432".to_owned());
    PathBuf::from(folder).join(format!(".s.PGSQL.{port}"))
}

fn tcp_url(url: &str, port: u16) -> String {
    let mut url = Url::parse(url).unwrap();
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != "host" && key != "port")
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(port)).unwrap();
    url.query_pairs_mut().clear().extend_pairs(kept);
    url.into()
}
