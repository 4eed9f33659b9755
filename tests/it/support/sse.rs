//! A client of the old contract's event streams, which sees blocks as they come, comments included.

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
