use rstest::rstest;

use super::*;

#[rstest]
#[case("after=0", Some(0))]
#[case("after=17", Some(17))]
#[case("after=9223372036854775807", Some(i64::MAX))]
#[case("", None)]
fn a_cursor_is_a_number_from_0(#[case] query: &str, #[case] cursor: Option<i64>) {
    let read = Params::parse(query).after().unwrap();
    assert_eq!(read, cursor.map(FeedSequence));
}

#[rstest]
#[case("after=abc")]
#[case("after=-1")]
#[case("after=")]
#[case("after=1.5")]
#[case("after=9223372036854775808")]
#[case("after=%201")]
#[case("after=1&after=2")]
fn a_wrong_cursor_is_named(#[case] query: &str) {
    let error = Params::parse(query).after().unwrap_err();
    assert!(
        matches!(&error, ApiError::BadParameter { field, .. } if field == "after"),
        "{error}"
    );
}

#[test]
fn a_range_is_told() {
    let error = Params::parse("limit=-1").integer("limit", 1..=1000);
    assert_eq!(
        error.unwrap_err().to_string(),
        r#"limit is "-1", allowed is a whole number from 1 to 1000"#
    );
}

#[test]
fn what_is_left_is_refused_by_name() {
    let mut params = Params::parse("limit=5&sytems=30000142");
    assert_eq!(params.integer("limit", 1..=10).unwrap(), Some(5));
    let error = params.finish().unwrap_err();
    assert_eq!(
        error.to_string(),
        "sytems is not a parameter of this request"
    );
}

#[test]
fn several_names_are_taken_in_order() {
    let mut params = Params::parse("systems[]=3&x=0&systems=1,2&systems%5B%5D=4");
    assert_eq!(
        params.take_all(&["systems", "systems[]"]),
        ["3", "1,2", "4"]
    );
    assert!(params.has("x") && !params.has("systems"));
}

proptest::proptest! {
    #[test]
    fn no_query_panics(query in ".{0,200}") {
        let mut params = Params::parse(&query);
        drop(params.after());
        drop(params.integer("limit", 1..=1000));
        drop(params.finish());
    }
}
