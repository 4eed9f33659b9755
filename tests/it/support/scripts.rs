//! Scripts of `tests/clients`: libraries that others wrote, at work.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const PATIENCE: Duration = Duration::from_mins(1);

/// The language of a script.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Language {
    JavaScript,
    Python,
}

impl Language {
    /// The interpreter; `None`, with the reason printed, where it or its packages are not there.
    fn interpreter(self, folder: &Path) -> Option<PathBuf> {
        let (program, packages, remedy) = match self {
            Self::JavaScript => (
                PathBuf::from("node"),
                folder.join("node_modules"),
                "npm ci --prefix tests/clients",
            ),
            Self::Python => (
                folder.join(".venv/bin/python"),
                folder.join(".venv/.complete"),
                "sh tests/clients/venv",
            ),
        };
        if packages.exists() {
            return Some(program);
        }
        println!("skipped: `{remedy}` has not been run");
        None
    }

    /// Starts a script; `None`, with the reason printed, where it can't be.
    fn start(self, script: &str, arguments: &[String]) -> Option<Child> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let started = Command::new(self.interpreter(&folder)?)
            .arg(folder.join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        started
            .inspect_err(|error| println!("skipped: {self:?} can't be started: {error}"))
            .ok()
    }
}

/// Gives a script of Node.js one JSON document and returns the one that it answers with.
pub(crate) async fn node(script: &str, input: &Value) -> Option<Value> {
    let mut process = Language::JavaScript.start(script, &[])?;
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, process.wait_with_output()).await;
    Some(serde_json::from_slice(&output.unwrap().unwrap().stdout).unwrap())
}

/// What a script of Python answers; `None`, with the reason printed, where it or a package of it is not there.
pub(crate) async fn python(script: &str, arguments: &[String]) -> Option<Value> {
    let process = Language::Python.start(script, arguments)?;
    let output = tokio::time::timeout(PATIENCE, process.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    assert!(output.status.success(), "{script} failed");
    if output.stdout.is_empty() {
        println!("skipped: {script} lacks a package; run `sh tests/clients/venv` again");
        return None;
    }
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// A client that says one JSON object a line and takes commands.
pub(crate) struct Client {
    lines: Lines<BufReader<ChildStdout>>,
    input: ChildStdin,
    /// How often each killmail was seen live.
    pub(crate) live: BTreeMap<i64, usize>,
    _process: Child,
}

impl Client {
    /// `None`, with the reason printed, where the language or its packages are not there.
    pub(crate) fn start(language: Language, script: &str, arguments: &[String]) -> Option<Self> {
        let mut process = language.start(script, arguments)?;
        Some(Self {
            lines: BufReader::new(process.stdout.take().unwrap()).lines(),
            input: process.stdin.take().unwrap(),
            live: BTreeMap::new(),
            _process: process,
        })
    }

    /// What it says next; live killmails are counted on the way.
    async fn next(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("the client goes on").unwrap();
        let said: Value = serde_json::from_str(&line.expect("the client is there")).unwrap();
        if said["type"] == "killmail_update" && said["preload"] == false {
            for id in said["killmails"].as_array().unwrap() {
                *self.live.entry(id.as_i64().unwrap()).or_default() += 1;
            }
        }
        if said["type"] == "killmail" {
            let id = said["data"]["killmail"]["killmail_id"].as_i64().unwrap();
            *self.live.entry(id).or_default() += 1;
        }
        said
    }

    /// Reads on until it says something of this type.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        loop {
            let said = self.next().await;
            if said["type"] == kind {
                return said;
            }
        }
    }

    /// Reads on until all of `ids` came live.
    pub(crate) async fn sees(&mut self, ids: &[i64]) {
        while !ids.iter().all(|id| self.live.contains_key(id)) {
            self.next().await;
        }
    }

    pub(crate) async fn push(&mut self, event: &str, payload: Value) -> Value {
        let line = format!("{}\n", json!({"push": event, "payload": payload}));
        self.input.write_all(line.as_bytes()).await.unwrap();
        self.until("reply").await["response"].take()
    }

    pub(crate) fn saw_each_once(&self, ids: &[i64]) {
        for id in ids {
            assert_eq!(self.live.get(id), Some(&1), "killmail {id}");
        }
    }
}
