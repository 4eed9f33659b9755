use chrono::DateTime;
use clap::Parser;
use tokio::sync::mpsc;

use super::*;
use crate::ingest::{Envelope, Outcome};
use crate::runtime::clock::TestClock;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    import: ImportArgs,
}

#[tokio::test]
async fn a_file_that_fails_does_not_keep_the_others_back() {
    let folder = tempfile::TempDir::new().unwrap();
    let good = folder.path().join("good.json");
    std::fs::write(&good, "{}").unwrap();
    let missing = folder.path().join("missing.json");
    let arguments = Arguments::parse_from([
        "import".as_ref(),
        missing.as_os_str(),
        good.as_os_str(),
        "--announce".as_ref(),
    ]);
    assert!(arguments.import.announce);

    let (input, mut envelopes) = mpsc::channel::<Envelope>(1);
    let clock = TestClock::at(DateTime::UNIX_EPOCH);
    let answer = async {
        let mut count = 0;
        while let Some(envelope) = envelopes.recv().await {
            assert_eq!(envelope.announce, Announce::Always);
            envelope.done.unwrap().send(Outcome::Nothing).unwrap();
            count += 1;
        }
        count
    };
    let (result, count) = tokio::join!(run(arguments.import, input, clock), answer);
    assert_eq!(count, 1);
    assert_eq!(
        result.unwrap_err().to_string(),
        "1 of 2 files could not be read to their end"
    );
}

#[test]
fn at_least_one_file_is_needed() {
    assert!(Arguments::try_parse_from(["import"]).is_err());
}
