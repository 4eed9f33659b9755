//! A client of the old contract's event streams, which sees blocks as they come, comments included.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;

use super::app::{Answer, PATIENCE, read, send};
use super::served::Served;

/// The client's end of one stream.
pub(crate) struct Blocks {
    response: reqwest::Response,
    text: String,
}

/// One block between empty lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) text: String,
    pub(crate) id: Option<i64>,
    pub(crate) event: String,
    pub(crate) data: String,
}

impl Block {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).unwrap()
    }

    /// The id of the killmail that is the data.
    pub(crate) fn killmail_id(&self) -> i64 {
        self.json()["killmail_id"].as_i64().unwrap()
    }
}

impl Blocks {
    /// Opens the stream at `path`.
    pub(crate) async fn open(app: &impl Served, path: &str, last_event_id: Option<i64>) -> Self {
        let mut request = app.request(reqwest::Method::GET, path);
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = send(request).await;
        assert_eq!(response.status(), 200);
        Self {
            response,
            text: String::new(),
        }
    }

    /// The stream's answer where it is refused.
    pub(crate) async fn refused(app: &impl Served, path: &str, last_event_id: &str) -> Answer {
        let request = app.request(reqwest::Method::GET, path);
        read(request.header("Last-Event-ID", last_event_id)).await
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.response.headers()[name].to_str().unwrap()
    }

    /// The next block; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Block> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = parse(block);
                self.text = rest.to_owned();
                return Some(block);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk());
            let chunk = chunk.await.unwrap().unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next block with data.
    pub(crate) async fn event(&mut self) -> Block {
        loop {
            let block = self.next().await.expect("the stream goes on");
            if !block.data.is_empty() {
                return block;
            }
        }
    }
}

/// The blocks of a stream that may end, or fail, at any time.
pub(crate) struct BareBlocks(Lines<BufReader<TcpStream>>);

impl BareBlocks {
    /// Opens the stream at `path` behind a cursor.
    pub(crate) async fn open(
        address: SocketAddr,
        path: &str,
        last_event_id: i64,
    ) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!(
            "GET {path} HTTP/1.0\r\nHost: {address}\r\nLast-Event-ID: {last_event_id}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next_line().await?.unwrap_or_default();
        if status.split_whitespace().nth(1) != Some("200") {
            return Err(io::Error::other(status));
        }
        while lines
            .next_line()
            .await?
            .is_some_and(|line| !line.is_empty())
        {}
        Ok(Self(lines))
    }

    /// The next block; `None` when the stream has ended, be it within a block.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Block>> {
        let mut text = String::new();
        while let Some(line) = self.0.next_line().await? {
            if line.is_empty() {
                return Ok(Some(parse(&text)));
            }
            text.push_str(&line);
            text.push('\n');
        }
        Ok(None)
    }
}

fn parse(text: &str) -> Block {
    let mut block = Block {
        text: text.to_owned(),
        ..Block::default()
    };
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => block.id = Some(id.parse().unwrap()),
            Some(("event", name)) => block.event = name.to_owned(),
            Some(("data", data)) => block.data = data.to_owned(),
            _ => {}
        }
    }
    block
}
