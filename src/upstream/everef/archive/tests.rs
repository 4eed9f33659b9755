use async_compression::tokio::write::BzEncoder;
use futures::TryStreamExt;
use tokio::io::AsyncWriteExt;
use tokio_tar::{Builder, EntryType, Header};

use super::*;

async fn tar(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len().try_into().unwrap());
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, name, *bytes)
            .await
            .unwrap();
    }
    builder.into_inner().await.unwrap()
}

async fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = BzEncoder::new(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    encoder.into_inner()
}

fn reader(bytes: Vec<u8>) -> std::io::Cursor<Vec<u8>> {
    std::io::Cursor::new(bytes)
}

const FILE: EntryType = EntryType::Regular;

#[tokio::test]
async fn killmails_in_order_and_nothing_else() {
    let archive = tar(&[
        ("killmails/", EntryType::Directory, b""),
        ("killmails/1.json", FILE, br#"{"killmail_id":1}"#),
        ("killmails/README.md", FILE, b"hello"),
        ("killmails/index.json", FILE, b"[]"),
        ("killmails/3.json", FILE, br#"{"killmail_id":3}"#),
        ("killmails/2.json", FILE, b""),
    ])
    .await;
    let found: Vec<_> = documents(reader(bzip2(&archive).await))
        .try_collect()
        .await
        .unwrap();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["killmails/1.json", "killmails/3.json", "killmails/2.json"]
    );
    assert_eq!(found[1].1, br#"{"killmail_id":3}"#.as_slice());
}

#[tokio::test]
async fn several_members_are_one_archive() {
    let archive = tar(&[("1.json", FILE, b"{}"), ("2.json", FILE, b"{}")]).await;
    let (first, second) = archive.split_at(700);
    let mut bytes = bzip2(first).await;
    bytes.extend(bzip2(second).await);
    let found: Vec<_> = documents(reader(bytes)).try_collect().await.unwrap();
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn an_archive_cut_off_says_how_far_it_got() {
    let body = vec![b' '; 10_000];
    let archive = tar(&[
        ("killmails/1.json", FILE, &body),
        ("killmails/2.json", FILE, &body),
    ])
    .await;

    let cut = archive[..15_000].to_vec();
    let items: Vec<_> = tar_documents(reader(cut)).collect().await;
    assert_eq!(items.len(), 2);
    let error = items[1].as_ref().unwrap_err().to_string();
    assert_eq!(
        error,
        "the archive breaks off after 1 documents, the last one \"killmails/1.json\""
    );

    let compressed = bzip2(&archive).await;
    for missing in [compressed.len() / 2, 3] {
        let cut = compressed[..compressed.len() - missing].to_vec();
        let items: Vec<_> = documents(reader(cut)).collect().await;
        assert!(matches!(
            items.last(),
            Some(Err(ArchiveError::Broken { .. }))
        ));
    }
}

#[tokio::test]
async fn what_is_no_archive_is_an_error_not_an_empty_one() {
    let items: Vec<_> = documents(reader(b"<html>not found</html>".to_vec()))
        .collect()
        .await;
    assert!(matches!(
        items.as_slice(),
        [Err(ArchiveError::Broken { documents: 0, .. })]
    ));
}

#[tokio::test]
async fn an_entry_too_large_does_not_keep_the_rest_back() {
    let large = vec![b' '; 33 * 1024 * 1024];
    let archive = tar(&[("1.json", FILE, &large), ("2.json", FILE, b"{}")]).await;
    let items: Vec<_> = tar_documents(reader(archive)).collect().await;
    assert!(matches!(
        items.as_slice(),
        [Err(ArchiveError::EntryTooLarge { .. }), Ok((name, _))] if name == "2.json"
    ));
}
