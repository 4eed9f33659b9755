//! The system's Chromium with the page of kills, driven by `tests/clients/live_page.mjs`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::scripts::{Client, Language};

/// Names of the program. Ubuntu's packages of these names are stubs, which don't start.
const PROGRAMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser with one page.
pub(crate) struct Browser(Client);

/// The program of a browser that starts.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let starts = |program: &PathBuf| {
        let version = Command::new(program)
            .arg("--version")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output();
        program.is_file() && version.is_ok_and(|version| version.status.success())
    };
    std::env::split_paths(&path)
        .flat_map(|folder| PROGRAMS.map(|name| folder.join(name)))
        .find(starts)
}

impl Browser {
    /// `None`, with the reason printed, where there is no browser or no Node.js.
    pub(crate) async fn start(service: SocketAddr) -> Option<Self> {
        let Some(program) = program() else {
            println!("skipped: no Chromium; Debian has it as `apt-get install chromium`");
            return None;
        };
        let arguments = [program.display().to_string(), service.to_string()];
        let mut client = Client::start(Language::JavaScript, "live_page.mjs", &arguments)?;
        client.until("ready").await;
        Some(Self(client))
    }

    /// Gives a command and returns its answer.
    pub(crate) async fn push(&mut self, command: &str, payload: Value) -> Value {
        let answer = self.0.push(command, payload).await;
        assert!(answer["failed"].is_null(), "{command}: {answer}");
        answer
    }

    /// Opens a page and waits until it is connected.
    pub(crate) async fn open(&mut self, path: &str) {
        self.push("open", json!({ "path": path })).await;
    }

    /// Waits for these kills; all that are shown.
    pub(crate) async fn sees(&mut self, ids: &[i64]) -> Value {
        self.push("sees", json!({ "ids": ids })).await
    }

    /// Waits until the page shows these kills, in this order, and no other.
    pub(crate) async fn shows_exactly(&mut self, ids: &[i64]) {
        self.push("exactly", json!({ "ids": ids })).await;
    }

    /// Waits until the page shows so many kills.
    pub(crate) async fn shows_so_many(&mut self, kills: usize) {
        self.push("many", json!({ "count": kills })).await;
    }

    /// What a kill says.
    pub(crate) async fn kill(&mut self, id: i64) -> Value {
        self.push("kill", json!({ "id": id })).await
    }

    /// Waits until an element has this state.
    pub(crate) async fn reaches(&mut self, id: &str, state: &str) {
        self.push("state", json!({ "id": id, "state": state }))
            .await;
    }

    /// Waits until an element has this text.
    pub(crate) async fn says(&mut self, selector: &str, text: &str) {
        self.push("text", json!({ "selector": selector, "text": text }))
            .await;
    }

    /// Fills fields by the keyboard alone and presses Enter.
    pub(crate) async fn type_in(&mut self, fields: Value) -> Value {
        self.push("type", json!({ "fields": fields })).await
    }

    /// Sets the window's size and the preferred colours.
    pub(crate) async fn look(&mut self, (width, height): (u32, u32), scheme: &str) -> Value {
        let payload = json!({ "width": width, "height": height, "scheme": scheme });
        self.push("look", payload).await
    }

    /// Takes a picture.
    pub(crate) async fn picture(&mut self, file: &Path) {
        self.push("picture", json!({ "file": file })).await;
    }

    /// axe finds nothing.
    pub(crate) async fn is_accessible(&mut self, name: &str, scheme: &str) {
        let found = self.push("accessibility", json!({})).await;
        assert_eq!(found["violations"], json!([]), "{name}, {scheme}");
        assert!(found["passes"].as_i64().unwrap() > 20, "{found}");
    }

    /// Nothing stood in the console since the last look.
    pub(crate) async fn has_no_problems(&mut self) {
        let found = self.push("problems", json!({})).await;
        assert_eq!(found["problems"], json!([]));
    }

    /// Nothing stood in the console but what a browser says of a server that is away or not ready yet.
    pub(crate) async fn expects_a_lost_connection(&mut self) {
        let found = self.push("problems", json!({})).await;
        for problem in found["problems"].as_array().unwrap() {
            let problem = problem.as_str().unwrap();
            let is_away = problem.contains("net::ERR_") || problem.contains("status of 503");
            assert!(is_away, "{problem}");
        }
    }
}
