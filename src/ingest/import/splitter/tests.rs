use proptest::prelude::*;

use super::*;

/// Splits `text` in blocks of `size`; the documents as text and whether it was cut off.
fn split(layout: Layout, text: &str, size: usize) -> (Vec<(u64, Option<String>, String)>, bool) {
    let mut splitter = Splitter::new(layout);
    let mut pieces = Vec::new();
    for block in text.as_bytes().chunks(size) {
        splitter.feed(block, &mut pieces);
    }
    let cut_off = splitter.finish(&mut pieces);
    let pieces = pieces
        .into_iter()
        .map(|it| {
            (
                it.line,
                it.key,
                String::from_utf8(it.bytes.to_vec()).unwrap(),
            )
        })
        .collect();
    (pieces, cut_off)
}

fn texts(layout: Layout, text: &str) -> Vec<(u64, String)> {
    let (pieces, cut_off) = split(layout, text, 3);
    assert!(!cut_off, "{text}");
    pieces
        .into_iter()
        .map(|(line, _, text)| (line, text))
        .collect()
}

fn owned(pieces: &[(u64, &str)]) -> Vec<(u64, String)> {
    pieces
        .iter()
        .map(|(line, text)| (*line, (*text).to_owned()))
        .collect()
}

#[test]
fn lines_good_and_bad() {
    let text = "{\"a\":1}\r\n\n  {\"b\": \"{\nnot json\n{\"c\":3}";
    assert_eq!(
        texts(Layout::Lines, text),
        owned(&[
            (1, "{\"a\":1}"),
            (3, "{\"b\": \"{"),
            (4, "not json"),
            (5, "{\"c\":3}")
        ])
    );
}

#[test]
fn elements_of_lists() {
    let text = "[\n {\"a\":[1,{\"x\":\"],}\\\"\"}]},\n{},\n 7 , \"x,y\"]\n[{\"b\":1}] []";
    assert_eq!(
        texts(Layout::Values, text),
        owned(&[
            (2, "{\"a\":[1,{\"x\":\"],}\\\"\"}]}"),
            (3, "{}"),
            (4, "7"),
            (4, "\"x,y\""),
            (5, "{\"b\":1}"),
        ])
    );
    assert!(texts(Layout::Values, "[]").is_empty());
    assert!(texts(Layout::Values, " \n").is_empty());
}

#[test]
fn values_one_after_the_other() {
    let text = "{\n \"a\": {}\n}\n{\"b\":\"}\"}{\"c\":1}\noops\n";
    assert_eq!(
        texts(Layout::Values, text),
        owned(&[
            (1, "{\n \"a\": {}\n}"),
            (4, "{\"b\":\"}\"}"),
            (4, "{\"c\":1}"),
            (5, "oops"),
        ])
    );
}

#[test]
fn members_keep_their_keys() {
    let text = "{\"12\": {\"killmail_id\":12},\n\"13\":\"abc\"}";
    let (pieces, _) = split(Layout::Members, text, 5);
    let key = |key: &str| Some(key.to_owned());
    assert_eq!(
        pieces,
        [
            (1, key("12"), "{\"killmail_id\":12}".to_owned()),
            (
                2,
                key("13"),
                "{\"killmail_id\":13,\"hash\":\"abc\"}".to_owned()
            ),
        ]
    );
}

#[test]
fn what_is_cut_off_is_handed_out_and_told() {
    for (layout, text) in [
        (Layout::Values, "[{\"a\":1},{\"b\":"),
        (Layout::Values, "{\"a\":1}{\"b\":"),
        (Layout::Members, "{\"1\":{\"a\":1},\"2\":{\"b\":"),
    ] {
        let (pieces, cut_off) = split(layout, text, 4);
        assert!(cut_off);
        assert_eq!(pieces.len(), 2, "{text}");
        assert!(pieces[1].2.ends_with("{\"b\":"));
    }
}

#[test]
fn of_a_document_too_large_the_beginning_is_kept() {
    let mut splitter = Splitter {
        limit: 10_000,
        ..Splitter::new(Layout::Lines)
    };
    let mut pieces = Vec::new();
    let text = format!("{}\n{{}}\n", "x".repeat(50_000));
    splitter.feed(text.as_bytes(), &mut pieces);
    let sizes: Vec<usize> = pieces.iter().map(|it| it.bytes.len()).collect();
    assert_eq!(sizes, [KEPT_OF_TOO_LARGE, 2]);
    assert_eq!(pieces[1].line, 2);
}

proptest! {
    #[test]
    fn any_text_in_any_blocks_gives_the_same(
        text in "[\\[\\]{}\",:\\\\ \na1]{0,60}",
        size in 1..20_usize,
        layout in prop::sample::select(vec![Layout::Lines, Layout::Values, Layout::Members]),
    ) {
        prop_assert_eq!(split(layout, &text, size), split(layout, &text, 1_000));
    }
}
