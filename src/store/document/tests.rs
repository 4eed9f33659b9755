use super::*;

/// What the first version that packed has written: whoever replaces the dictionary keeps this one for reading.
const FIRST_FRAME: &[u8] = include_bytes!("frame-1");
const FIRST_DOCUMENT: &str = include_str!("frame-1.json");

#[test]
fn what_is_packed_comes_back_and_is_small() {
    let frame = pack(FIRST_DOCUMENT);
    assert_eq!(unpack(&frame).unwrap(), FIRST_DOCUMENT);
    assert!(
        frame.len() * 4 < FIRST_DOCUMENT.len(),
        "{} bytes",
        frame.len()
    );
}

#[test]
fn frames_of_the_first_program_stay_readable() {
    assert_eq!(unpack(FIRST_FRAME).unwrap(), FIRST_DOCUMENT);
}

#[test]
fn text_of_before_is_read_as_it_is() {
    assert_eq!(
        unpack(br#"{"killmail_id":1}"#).unwrap(),
        r#"{"killmail_id":1}"#
    );
    assert_eq!(unpack(&pack("")).unwrap(), "");
}

#[test]
fn what_is_no_document_is_an_error() {
    let frame = pack(r#"{"killmail_id":1,"attackers":[]}"#);
    let cut = frame.get(..frame.len() - 1).unwrap();
    let zeros = vec![0; MAX_BYTES + 1];
    let too_long = zstd::bulk::compress(&zeros, 1).unwrap();
    for bytes in [
        b"".as_slice(),
        b"[1]",
        b"\xff\xfe",
        b"{\xff}",
        cut,
        &too_long,
    ] {
        assert!(unpack(bytes).is_err(), "{bytes:?}");
    }
}
