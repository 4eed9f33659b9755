//! HTTPS by the real binary, with certificates of the test's own making.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::app::PATIENCE;
use crate::support::binary::ServiceCommand;
use crate::support::http::get;
use crate::support::postgres::database;

/// Long enough for a start, and for the look at the files.
const LONG: Duration = Duration::from_mins(1);

/// A new certificate for `localhost`, in these files.
fn certify(certificate: &Path, key: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    made.cert.der().clone()
}

/// A handshake that trusts this certificate alone.
async fn handshake(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

/// The answer to a request for `/ping`.
async fn ping(address: SocketAddr, trusted: &CertificateDer<'static>) -> std::io::Result<String> {
    let mut stream = handshake(address, trusted).await?;
    stream
        .write_all(b"GET /ping HTTP/1.0\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn until_served(address: SocketAddr, trusted: &CertificateDer<'static>) {
    let served = async {
        while !ping(address, trusted)
            .await
            .is_ok_and(|it| it.ends_with("pong"))
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, served)
        .await
        .expect("it is served with this certificate");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn https_is_spoken_and_a_new_certificate_is_taken_up() {
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    let first = certify(&certificate, &key);
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", database.url())
        .env("WK_LIVE_SOURCE", "none")
        .env("WK_TLS_CERT", certificate.display())
        .env("WK_TLS_KEY", key.display());
    let address = command.listen();
    let service = command.spawn();
    until_served(address, &first).await;
    assert!(
        get(address, "/ping").await.is_err(),
        "plain HTTP gets no answer"
    );
    assert!(command.run(&["healthcheck"]).await.status.success());
    let stream = handshake(address, &first).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async("ws://localhost/api/killfeed/ws", stream)
        .await
        .unwrap();

    let second = certify(&certificate, &key);
    until_served(address, &second).await;
    assert!(ping(address, &first).await.is_err());
    std::fs::write(&certificate, "no certificate").unwrap();
    assert!(ping(address, &second).await.is_ok());
    let plain = ServiceCommand::new(folder.path()).env("WK_LISTEN", address);
    assert!(!plain.run(&["healthcheck"]).await.status.success());
    // Connections that were there stay.
    socket.close(None).await.unwrap();
    assert_eq!(service.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_shakes_no_hands_is_dropped() {
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    let trusted = certify(&certificate, &key);
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", database.url())
        .env("WK_LIVE_SOURCE", "none")
        .env("WK_HEAD_TIMEOUT_S", 1)
        .env("WK_TLS_CERT", certificate.display())
        .env("WK_TLS_KEY", key.display());
    let service = command.spawn();
    until_served(command.listen(), &trusted).await;
    let mut silent = TcpStream::connect(command.listen()).await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, silent.read_to_end(&mut rest));
    ended.await.expect("the server closed it").ok();
    assert_eq!(rest, b"");
    assert_eq!(service.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_a_usable_certificate_says_why() {
    let database = database().await;
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    certify(&certificate, &key);
    let command = ServiceCommand::new(folder.path())
        .env("DATABASE_URL", database.url())
        .env("WK_LIVE_SOURCE", "none")
        .env("WK_LOG", "error");
    let run = async |certificate: &Path, key: &Path| {
        let command = command
            .clone()
            .env("WK_TLS_CERT", certificate.display())
            .env("WK_TLS_KEY", key.display());
        let output = command.run(&["serve"]).await;
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = run(&folder.path().join("nowhere.pem"), &key).await;
    assert!(
        missing.contains("nowhere.pem holds no readable certificate"),
        "{missing}"
    );
    let swapped = run(&certificate, &certificate).await;
    assert!(
        swapped.contains("chain.pem holds no readable private key"),
        "{swapped}"
    );
}
