use super::*;

fn laid_out(text: &str) -> Layout {
    layout(text.as_bytes(), true, Path::new("file"))
}

#[test]
fn layouts_by_content() {
    for (text, expected) in [
        ("", Layout::Lines),
        ("[]", Layout::Values),
        (" \n[{\"a\":1}]", Layout::Values),
        ("{\"killmail_id\":1}", Layout::Values),
        ("{\n \"killmail_id\": 1\n}", Layout::Values),
        ("{\"a\":1}\n{\"a\":2}\n", Layout::Lines),
        ("not json\n{\"a\":2}\n", Layout::Lines),
        ("{\"a\":\"cut of\n{\"a\":2}\n", Layout::Lines),
        ("{\"a\":{\n{\"a\":2}\n", Layout::Lines),
        ("{\"123\": {}}", Layout::Members),
        ("{ \"123\" : \"abc\"}", Layout::Members),
    ] {
        assert_eq!(laid_out(text), expected, "{text:?}");
    }
}

#[test]
fn a_name_decides_where_the_content_does_not() {
    let text = b"{\"a\":\n1}";
    assert_eq!(layout(text, true, Path::new("x.jsonl.gz")), Layout::Lines);
    assert_eq!(layout(text, true, Path::new("x.json")), Layout::Values);
    let long = format!("{{\"a\":\"{}", "x".repeat(70_000));
    assert_eq!(
        layout(long.as_bytes(), false, Path::new("x")),
        Layout::Lines
    );
}
