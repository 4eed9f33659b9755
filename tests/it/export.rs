//! `export`: what it writes, read back; and that an interrupted one leaves nothing.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_schema::DataType;
use chrono::{DateTime, SecondsFormat, TimeDelta};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::RowGroupMetaData;
use rstest::rstest;
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection};
use wanderer_kills::domain::Killmail;
use wanderer_kills::store::Store;
use wanderer_kills::store::killmails::query::{self, HistoricalQuery};

use crate::store_samples::{killmail, store, time, upsert};
use crate::support::app::{PATIENCE, TestApp, read, storable};
use crate::support::binary::ServiceCommand;
use crate::support::scripts::python;

/// Killmails of 1 January and of the 3rd; none of the 2nd, and some before and behind.
async fn fill(store: &Store) {
    let day = |id: i64| [0, 2, -1, 3][usize::try_from(id % 4).unwrap()];
    let killmails: Vec<Killmail> = (1..=200)
        .map(|id| Killmail {
            killmail_time: time("2026-01-01T00:00:00Z")
                + TimeDelta::days(day(id))
                + TimeDelta::seconds(id * 60),
            ..killmail(id)
        })
        .collect();
    upsert(store, killmails).await;
}

/// Runs `export` over the three days; what it wrote to standard output.
async fn export(url: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let command = ServiceCommand::new(folder.path()).env("DATABASE_URL", url);
    let days = ["export", "--from", "2026-01-01", "--to", "2026-01-03"];
    let output = command.run(&[&days, arguments].concat()).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A batch's rows as CSV writes their fields.
fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let field = |column: &dyn arrow_array::Array, row: usize| {
        if column.is_null(row) {
            return String::new();
        }
        let kind = column.data_type();
        if *kind == DataType::Int64 {
            column.as_primitive::<Int64Type>().value(row).to_string()
        } else if *kind == DataType::Float64 {
            column.as_primitive::<Float64Type>().value(row).to_string()
        } else if *kind == DataType::Boolean {
            column.as_boolean().value(row).to_string()
        } else if *kind == DataType::Utf8 {
            column.as_string::<i32>().value(row).to_owned()
        } else {
            let times = column.as_primitive::<TimestampMicrosecondType>();
            let time = DateTime::from_timestamp_micros(times.value(row)).unwrap();
            time.to_rfc3339_opts(SecondsFormat::Secs, true)
        }
    };
    (0..batch.num_rows())
        .map(|row| {
            let columns = batch.columns().iter();
            columns.map(|column| field(column.as_ref(), row)).collect()
        })
        .collect()
}

fn csv_rows(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let record = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
    reader.records().map(|it| record(it.unwrap())).collect()
}

#[rstest]
#[case("killmails", 1)]
#[case("attackers", 2)]
#[case("items", 3)]
#[tokio::test]
async fn parquet_holds_every_row_in_a_group_for_each_day(#[case] table: &str, #[case] each: usize) {
    let (database, store) = store().await;
    fill(&store).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kills.parquet");
    let output = path.to_str().unwrap();
    let arguments = ["--format", "parquet", "--table", table, "--output", output];
    let summary = export(database.url(), &arguments).await;
    let bytes = std::fs::metadata(&path).unwrap().len();
    let expected = format!(
        "3 days = 2 with killmails + 1 without; 100 killmails, {} rows, {bytes} bytes\n",
        100 * each
    );
    assert_eq!(summary, expected);

    let file = std::fs::File::open(&path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let groups = reader.metadata().row_groups();
    let rows: Vec<i64> = groups.iter().map(RowGroupMetaData::num_rows).collect();
    let of_a_day = i64::try_from(50 * each).unwrap();
    assert_eq!(rows, [of_a_day, of_a_day]);
    let batches = reader.build().unwrap();
    let rows: Vec<Vec<String>> = batches.flat_map(|batch| texts(&batch.unwrap())).collect();
    let table = export(database.url(), &["--format", "csv", "--table", table]).await;
    assert_eq!(rows, csv_rows(&table));
}

#[tokio::test]
async fn duckdb_reads_the_file() {
    let (database, store) = store().await;
    fill(&store).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kills.parquet");
    let output = path.to_str().unwrap();
    export(database.url(), &["--format", "parquet", "--output", output]).await;
    let Some(read) = python("parquet.py", &[output.to_owned()]).await else {
        return;
    };
    let expected =
        json!({"rows": 100, "isk": 15_050.0, "first_day": "2026-01-01", "row_groups": 2});
    assert_eq!(read, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_and_tables_are_those_of_the_historical_query() {
    let app = TestApp::start().await;
    let killmails: Vec<_> = (1..=150)
        .map(|id| {
            let moved = Killmail {
                killmail_time: time("2026-01-01T00:00:00Z") + TimeDelta::minutes(id * 25),
                ..killmail(id)
            };
            storable(moved)
        })
        .collect();
    app.append_batch(&killmails).await;
    let query = "from=2026-01-01&to=2026-01-04&order=oldest&limit=1000&characters=91000001";
    for (format, accept, include, more) in [
        ("ndjson", "application/x-ndjson", "", &[][..]),
        (
            "ndjson",
            "application/x-ndjson",
            "&include=items",
            &["--items"][..],
        ),
        ("csv", "text/csv", "", &[][..]),
    ] {
        let path = format!("/api/killmails?{query}{include}");
        let request = app.request(reqwest::Method::GET, &path);
        let answer = read(request.header("accept", accept)).await;
        assert!(answer.body.lines().count() >= 150);
        let arguments = ["--format", format, "--character", "91000001"];
        let written = export(app.database_url(), &[&arguments, more].concat()).await;
        assert_eq!(written, answer.body, "{format}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_day_is_as_it_was_at_one_moment() {
    let (_database, store) = store().await;
    upsert(&store, (1..=10).map(killmail).collect()).await;
    let limit = Duration::from_secs(20);
    let everything = HistoricalQuery::default();
    let mut conn = store.reads.primary().history.acquire().await.unwrap();
    let mut snapshot = query::begin_snapshot(&mut conn, limit).await.unwrap();
    let first = query::places(&mut snapshot, &everything, None, 100)
        .await
        .unwrap();
    upsert(&store, (11..=20).map(killmail).collect()).await;
    let again = query::places(&mut snapshot, &everything, None, 100)
        .await
        .unwrap();
    assert_eq!((first.len(), again), (10, first));
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
    entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn an_interrupted_export_leaves_no_file() {
    let (database, store) = store().await;
    fill(&store).await;
    let folder = tempfile::tempdir().unwrap();
    let mut holder = PgConnection::connect(database.url()).await.unwrap();
    let mut lock = holder.begin().await.unwrap();
    lock.execute("LOCK TABLE killmails IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_wanderer-kills"))
        .args([
            "export",
            "--format",
            "csv",
            "--from",
            "2026-01-01",
            "--to",
            "2026-01-03",
        ])
        .arg("--output")
        .arg(folder.path().join("kills.csv"))
        .env("DATABASE_URL", database.url())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let begun = async {
        while files(folder.path()).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, begun).await.unwrap();
    let partial = files(folder.path());
    assert!(partial[0].ends_with(".partial"), "{partial:?}");
    let pid = Pid::from_raw(i32::try_from(process.id().unwrap()).unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    let status = tokio::time::timeout(PATIENCE, process.wait()).await;
    assert_eq!(status.unwrap().unwrap().code(), Some(1));
    assert_eq!(files(folder.path()), Vec::<String>::new());
    lock.rollback().await.unwrap();
}
