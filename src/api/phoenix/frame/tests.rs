use rstest::rstest;

use super::*;

const LOBBY: &str = "killmails:lobby";

#[rstest]
#[case(None, Some(Version::V1))]
#[case(Some("1.0.0"), Some(Version::V1))]
#[case(Some("1.0.7"), Some(Version::V1))]
#[case(Some("2.0.0"), Some(Version::V2))]
#[case(Some("2.0.12"), Some(Version::V2))]
#[case(Some("2.1.0"), None)]
#[case(Some("3.0.0"), None)]
#[case(Some("2.0"), None)]
#[case(Some("2.0.0.0"), None)]
#[case(Some("2.0.00"), None)]
#[case(Some("x"), None)]
#[case(Some(""), None)]
fn versions_choose_the_serializer(
    #[case] requested: Option<&str>,
    #[case] expected: Option<Version>,
) {
    assert_eq!(Version::negotiate(requested), expected);
}

#[rstest]
#[case("hello")]
#[case("5")]
#[case("")]
#[case("[]")]
#[case("{}")]
#[case("[null,null,null,null,null]")]
#[case(r#"["1","1","killmails:lobby","phx_join"]"#)]
#[case(r#"["1","1",5,"phx_join",{}]"#)]
#[case(r#"{"topic":"killmails:lobby","event":"phx_join","ref":"1"}"#)]
#[case(r#"{"topic":"killmails:lobby","event":"phx_join","payload":{}}"#)]
fn what_is_no_message_is_undecodable_in_both(#[case] text: &str) {
    assert!(Version::V1.decode(text).is_err());
    assert!(Version::V2.decode(text).is_err());
}

#[rstest]
#[case(r#"["1","2","t","e",{"a":1}]"#, Some(r#""1""#), r#""2""#)]
#[case(r#"[null,7,"t","e",{"a":1},"more"]"#, None, "7")]
#[case(r#"[3,null,"t","e",{"a":1}]"#, Some("3"), "null")]
fn arrays_are_read(#[case] text: &str, #[case] join_ref: Option<&str>, #[case] reference: &str) {
    let message = Version::V2.decode(text).unwrap();
    assert_eq!((message.join_ref, message.reference), (join_ref, reference));
    assert_eq!((&*message.topic, &*message.event), ("t", "e"));
    assert_eq!(message.payload, r#"{"a":1}"#);
}

#[rstest]
#[case(r#"{"topic":"t","event":"e","payload":[],"ref":null}"#, None)]
#[case(
    r#"{"topic":"t","event":"e","payload":[],"ref":null,"join_ref":null}"#,
    None
)]
#[case(
    r#"{"topic":"t","event":"e","payload":[],"ref":null,"join_ref":"j"}"#,
    Some(r#""j""#)
)]
fn objects_are_read(#[case] text: &str, #[case] join_ref: Option<&str>) {
    let message = Version::V1.decode(text).unwrap();
    assert_eq!((message.join_ref, message.reference), (join_ref, "null"));
    assert_eq!(message.payload, "[]");
}

#[test]
fn a_reference_that_would_be_repeated_for_ever_is_refused() {
    let long = "x".repeat(MAX_PHOENIX_REFERENCE_BYTES);
    let text = format!(r#"["{long}","1","t","e",{{}}]"#);
    assert_eq!(Version::V2.decode(&text).unwrap_err(), Undecodable);
}

#[test]
fn frames_are_written_word_for_word() {
    let names = (r#""7""#, "phoenix");
    assert_eq!(
        Version::V2.reply(None, names, Status::Ok, "{}"),
        r#"[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]"#
    );
    assert_eq!(
        Version::V1.reply(Some("1"), names, Status::Ok, "{}"),
        r#"{"topic":"phoenix","event":"phx_reply","payload":{"status":"ok","response":{}},"ref":"7"}"#
    );
    assert_eq!(
        Version::V2.refusal(None, ("9", "a\"b"), "unmatched topic"),
        r#"[null,9,"a\"b","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#
    );
    assert_eq!(
        Version::V2.ended(Some(r#""1""#), LOBBY, "phx_close"),
        r#"["1","1","killmails:lobby","phx_close",{}]"#
    );
    assert_eq!(
        Version::V1.ended(None, LOBBY, "phx_close"),
        r#"{"topic":"killmails:lobby","event":"phx_close","payload":{},"ref":null}"#
    );
    let pieces: [&[u8]; 2] = [b"{\"a\":", b"1}"];
    assert_eq!(
        Version::V2.push(Some(r#""1""#), LOBBY, "e", &pieces),
        r#"["1",null,"killmails:lobby","e",{"a":1}]"#
    );
    assert_eq!(
        Version::V1.push(Some(r#""1""#), LOBBY, "e", &pieces),
        r#"{"topic":"killmails:lobby","event":"e","payload":{"a":1},"ref":null}"#
    );
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in r#"[\[\]{}",:0-9a-z null]{0,60}"#) {
        drop(Version::V1.decode(&text));
        drop(Version::V2.decode(&text));
    }
}
