use super::*;

#[tokio::test]
async fn a_folder_has_files_by_their_names_on_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let day = NaiveDate::from_ymd_opt(2021, 12, 3).unwrap();
    let source = Source::folder(BackfillSource::Everef, folder.path().to_owned());
    assert!(matches!(
        source.fetch(day, None).await.unwrap(),
        Fetched::Missing
    ));
    std::fs::create_dir(folder.path().join("2021")).unwrap();
    let path = folder.path().join("2021/killmails-2021-12-03.tar.bz2");
    std::fs::write(&path, b"abc").unwrap();
    let Fetched::Content(content) = source.fetch(day, None).await.unwrap() else {
        panic!("it is there");
    };
    assert_eq!((content.label, content.file.bytes), (path, 3));
    let again = source
        .fetch(day, Some(&content.file.version))
        .await
        .unwrap();
    assert!(matches!(again, Fetched::Unchanged));
}

#[tokio::test]
async fn a_folder_of_history_has_bodies_and_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let day = NaiveDate::from_ymd_opt(2021, 12, 3).unwrap();
    let source = Source::folder(BackfillSource::R2z2, folder.path().to_owned());
    std::fs::create_dir(folder.path().join("raw")).unwrap();
    std::fs::write(folder.path().join("raw/20211203.json"), b"{}").unwrap();
    std::fs::write(folder.path().join("20211203.json"), br#"{"7":"ab"}"#).unwrap();
    let Fetched::Content(content) = source.fetch(day, None).await.unwrap() else {
        panic!("it is there");
    };
    assert_eq!(content.hashes, Hashes::from([(7, "ab".to_owned())]));
    std::fs::write(folder.path().join("20211203.json"), b"[1]").unwrap();
    let error = source.fetch(day, None).await.unwrap_err();
    assert!(matches!(error, SourceError::BadList { .. }), "{error}");
}
