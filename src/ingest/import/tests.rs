use std::path::PathBuf;
use std::sync::Mutex;

use async_compression::tokio::write::{BzEncoder, GzipEncoder};
use chrono::DateTime;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use super::*;
use crate::ingest::envelope::{Envelope, Outcome, Payload};
use crate::runtime::clock::TestClock;
use crate::store::killmails::Change;

const ESI: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/killmails/esi.json"
));
const R2Z2: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/killmails/r2z2.json"
));

#[derive(Default)]
struct Recorder(Mutex<Vec<Position>>);

impl Progress for Recorder {
    fn advanced(&self, position: Position) {
        self.0.lock().unwrap().push(position);
    }
}

/// A stand-in for the pipeline: answers by what the document parses as, keeps origins.
async fn pipeline(mut envelopes: mpsc::Receiver<Envelope>) -> Vec<String> {
    let mut origins = Vec::new();
    while let Some(envelope) = envelopes.recv().await {
        assert_eq!(
            (envelope.source, envelope.announce),
            (SOURCE, Announce::Never)
        );
        let Payload::Raw(bytes) = envelope.payload else {
            panic!("imports send bytes");
        };
        let outcome = match crate::domain::parse(&bytes) {
            Ok(crate::domain::Parsed::Killmail(killmail)) => Outcome::Stored {
                killmail_id: killmail.killmail_id,
                change: Change::New,
                sequence: None,
            },
            Ok(crate::domain::Parsed::Reference(_)) => Outcome::Deferred,
            Ok(crate::domain::Parsed::Nothing) => Outcome::Nothing,
            Err(error) => Outcome::DeadLetter {
                reason: error.to_string(),
            },
        };
        envelope.done.unwrap().send(outcome).unwrap();
        origins.push(envelope.origin.rsplit('/').next().unwrap().to_owned());
    }
    origins
}

struct Imported {
    report: FileReport,
    origins: Vec<String>,
    last: Option<Position>,
}

async fn import(name: &str, bytes: &[u8]) -> Imported {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    import_path(path).await
}

async fn import_path(path: PathBuf) -> Imported {
    let (input, envelopes) = mpsc::channel(2);
    let importer = Importer {
        input,
        announce: Announce::Never,
        clock: TestClock::at(DateTime::UNIX_EPOCH),
    };
    let recorder = Recorder::default();
    let work = async {
        let report = importer.import(&path, &recorder).await;
        drop(importer);
        report
    };
    let (report, origins) = tokio::join!(work, pipeline(envelopes));
    let last = recorder.0.into_inner().unwrap().pop();
    Imported {
        report,
        origins,
        last,
    }
}

async fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzipEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

async fn tar(count: usize) -> Vec<u8> {
    let mut builder = tokio_tar::Builder::new(Vec::new());
    for id in 1..=count {
        let mut header = tokio_tar::Header::new_gnu();
        header.set_size(ESI.len().try_into().unwrap());
        header.set_mode(0o644);
        let name = format!("killmails/{id}.json");
        builder.append_data(&mut header, name, ESI).await.unwrap();
    }
    builder.into_inner().await.unwrap()
}

async fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = BzEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

#[tokio::test]
async fn lines_compressed_and_misnamed() {
    let mut text = ESI.trim_ascii().to_vec();
    text.extend_from_slice(b"\nnot json\n{\"package\":null}\n");
    text.extend_from_slice(R2Z2.trim_ascii());
    let bytes = gzip(&text).await;
    let imported = import("kills.txt", &bytes).await;
    assert!(imported.report.error.is_none());
    assert_eq!(
        imported.report.summary.to_string(),
        "4 read = 2 new + 0 updated + 0 unchanged + 1 dead letters + 1 empty"
    );
    assert_eq!(
        imported.origins,
        ["kills.txt:1", "kills.txt:2", "kills.txt:3", "kills.txt:4"]
    );
    let size = u64::try_from(bytes.len()).unwrap();
    let expected = Position {
        documents: 4,
        bytes: size,
        total_bytes: size,
    };
    assert_eq!(imported.last, Some(expected));
}

#[tokio::test]
async fn single_documents_lists_and_history() {
    let text = |bytes: &[u8]| String::from_utf8(bytes.trim_ascii().to_vec()).unwrap();
    let pretty: serde_json::Value = serde_json::from_slice(R2Z2).unwrap();
    for (content, summary, origins) in [
        (text(R2Z2), (1, 1, 0), vec!["f.json:1"]),
        (format!("{pretty:#}"), (1, 1, 0), vec!["f.json:1"]),
        (
            format!("[\n{},\n{}]", text(ESI), text(R2Z2)),
            (2, 2, 0),
            vec!["f.json:2", "f.json:3"],
        ),
        ("[]".to_owned(), (0, 0, 0), vec![]),
        (
            format!("{{\"140000001\":{}}}", text(ESI)),
            (1, 1, 0),
            vec!["f.json#140000001"],
        ),
        (
            format!("{{\"5\":\"{}\"}}", "ab".repeat(20)),
            (1, 0, 1),
            vec!["f.json#5"],
        ),
    ] {
        let imported = import("f.json", content.as_bytes()).await;
        let found = imported.report.summary;
        assert_eq!(
            (found.read, found.new, found.deferred),
            summary,
            "{content}"
        );
        assert_eq!(imported.origins, origins);
        assert!(imported.report.error.is_none());
    }
}

#[tokio::test]
async fn day_archives_whole_and_cut_off() {
    let tar = tar(100).await;
    let bytes = bzip2(&tar).await;
    let whole = import("day.tar.bz2", &bytes).await;
    assert!(whole.report.error.is_none());
    assert_eq!(whole.report.summary.new, 100);
    assert_eq!(whole.origins[0], "1.json");

    let cut = import("day.tar.bz2", &bytes[..bytes.len() - 10]).await;
    assert!(cut.report.error.is_some());

    let cut = import("day.tar", &tar[..tar.len() / 2]).await;
    assert!(matches!(
        cut.report.error,
        Some(ImportError::Archive { .. })
    ));
    assert!(cut.report.summary.new > 40);
    assert_eq!(cut.report.summary.read, cut.report.summary.new);
}

#[tokio::test]
async fn a_text_cut_off_keeps_what_came_before() {
    let mut text = b"[".to_vec();
    text.extend_from_slice(ESI);
    text.extend_from_slice(b",");
    text.extend_from_slice(&R2Z2[..100]);
    let imported = import("list.json", &text).await;
    let error = imported.report.error.unwrap().to_string();
    assert!(error.contains("is cut off in line"), "{error}");
    assert_eq!(
        (
            imported.report.summary.new,
            imported.report.summary.dead_letters
        ),
        (1, 1)
    );

    let lines = [ESI, b"\n"].concat().repeat(100);
    let mut bytes = gzip(&lines).await;
    bytes.truncate(bytes.len() - 12);
    let imported = import("lines.jsonl.gz", &bytes).await;
    assert!(matches!(
        imported.report.error,
        Some(ImportError::Read { .. })
    ));
}

#[tokio::test]
async fn what_is_not_there_is_an_error() {
    let folder = TempDir::new().unwrap();
    for path in [folder.path().join("nothing"), folder.path().to_owned()] {
        let imported = import_path(path).await;
        assert!(matches!(
            imported.report.error,
            Some(ImportError::Read { .. })
        ));
        assert_eq!(imported.report.summary, Summary::default());
    }
}

#[tokio::test]
async fn a_stopped_pipeline_ends_the_import() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("f.json");
    std::fs::write(&path, ESI).unwrap();
    let (input, envelopes) = mpsc::channel(2);
    drop(envelopes);
    let importer = Importer {
        input,
        announce: Announce::Always,
        clock: TestClock::at(DateTime::UNIX_EPOCH),
    };
    let report = importer.import(&path, &Recorder::default()).await;
    assert!(matches!(
        report.error,
        Some(ImportError::PipelineStopped { .. })
    ));
}
