use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/killmails/",
            $name,
            ".json"
        ))
    };
}

const ALL: [&[u8]; 13] = [
    fixture!("esi"),
    fixture!("r2z2"),
    fixture!("r2z2-without-body"),
    fixture!("redisq"),
    fixture!("redisq-reference"),
    fixture!("redisq-nothing"),
    fixture!("legacy"),
    fixture!("legacy-reference"),
    fixture!("relay"),
    fixture!("everef"),
    fixture!("zkb-element"),
    fixture!("zkb-reference"),
    fixture!("error"),
];

fn killmail(bytes: &[u8]) -> Killmail {
    match parse(bytes).unwrap() {
        Parsed::Killmail(killmail) => *killmail,
        other @ (Parsed::Reference(_) | Parsed::Nothing) => panic!("not a killmail: {other:?}"),
    }
}

fn reference(bytes: &[u8]) -> Reference {
    match parse(bytes).unwrap() {
        Parsed::Reference(reference) => reference,
        other @ (Parsed::Killmail(_) | Parsed::Nothing) => panic!("not a reference: {other:?}"),
    }
}

fn esi() -> Value {
    serde_json::from_slice(fixture!("esi")).unwrap()
}

/// The message with which the ESI fixture is refused once `change` has been made to it.
fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let mut document = esi();
    change(&mut document);
    parse_value(&(&document).into()).unwrap_err().to_string()
}

#[test]
fn esi_body() {
    let killmail = killmail(fixture!("esi"));
    assert_eq!(killmail.killmail_id, 140_000_001);
    assert_eq!(killmail.hash, None);
    assert_eq!(
        killmail.killmail_time.to_rfc3339(),
        "2026-10-01T12:34:56+00:00"
    );
    assert_eq!(killmail.solar_system_id, 30_000_142);
    assert_eq!(
        (killmail.moon_id, killmail.war_id),
        (Some(40_009_083), None)
    );
    assert_eq!(killmail.zkb, None);
    assert_eq!(killmail.victim.faction_id, Some(500_001));
    let position = killmail.victim.position.unwrap();
    assert_eq!(
        (position.x, position.y, position.z),
        (-150_000_000_000.0, 20_000_000_000.0, 0.125)
    );
    let container = &killmail.victim.items[0];
    assert_eq!(container.items[0].quantity_dropped, Some(3_000_000_000));
    assert_eq!(killmail.victim.items[1].singleton, 2);
    assert_eq!(killmail.attackers.len(), 3);
    assert_eq!(killmail.attackers[0].weapon_type_id, Some(2488));
    assert_eq!(killmail.attackers[1].damage_done, -4);
    assert_eq!(killmail.attackers[1].character_id, None);
    assert_eq!(killmail.attackers[2].faction_id, Some(500_010));
}

#[test]
fn r2z2_document() {
    let killmail = killmail(fixture!("r2z2"));
    assert_eq!(killmail.killmail_id, 140_000_002);
    assert_eq!(
        killmail.hash.unwrap().to_string(),
        "00112233445566778899aabbccddeeff00112233"
    );
    assert_eq!(killmail.victim.position, None);
    let zkb = killmail.zkb.unwrap();
    assert_eq!(zkb.location_id, Some(0));
    assert_eq!(zkb.fitted_value, Some(10_000.0));
    assert_eq!(zkb.destroyed_value, Some(627_868_229.1));
    assert_eq!(zkb.total_value, zkb.destroyed_value);
    assert_eq!(
        (zkb.npc, zkb.solo, zkb.awox),
        (Some(false), Some(true), None)
    );
    assert_eq!(zkb.labels.unwrap().len(), 5);

    let value = serde_json::from_slice(fixture!("r2z2")).unwrap();
    let numbers = r2z2_numbers(&value);
    assert_eq!(numbers.sequence_id, Some(100_000_007));
    assert_eq!(numbers.sequence_updated, Some(99_999_000));
    assert_eq!(numbers.uploaded_at.unwrap().timestamp(), 1_790_858_101);
}

#[test]
fn r2z2_numbers_that_are_odd_count_as_absent() {
    let value = json!({"sequence_id": "7", "sequence_updated": true, "uploaded_at": -1});
    let numbers = r2z2_numbers(&(&value).into());
    assert_eq!(numbers.sequence_id, Some(7));
    assert_eq!(numbers.sequence_updated, None);
    assert_eq!(numbers.uploaded_at, None);
    assert_eq!(r2z2_numbers(&(&json!([])).into()), R2z2Numbers::default());
}

#[test]
fn references() {
    let missing_body = reference(fixture!("r2z2-without-body"));
    assert_eq!(missing_body.killmail_id, 140_000_003);
    let zkb = missing_body.zkb.unwrap();
    assert_eq!(
        (zkb.total_value, zkb.npc, zkb.labels),
        (Some(1.5), None, None)
    );

    let redisq = reference(fixture!("redisq-reference"));
    assert_eq!(redisq.killmail_id, 140_000_005);
    assert_eq!(redisq.zkb.unwrap().npc, Some(true));

    let legacy = reference(fixture!("legacy-reference"));
    assert_eq!(
        legacy.hash.to_string(),
        "00112233445566778899aabbccddeeff00112277"
    );

    let element = reference(fixture!("zkb-reference"));
    assert_eq!(element.zkb.unwrap().points, Some(2));
}

#[test]
fn redisq_package() {
    let killmail = killmail(fixture!("redisq"));
    assert_eq!(killmail.victim.alliance_id, None);
    assert_eq!(killmail.victim.damage_taken, 10);
    let attacker = &killmail.attackers[0];
    assert_eq!((attacker.damage_done, attacker.final_blow), (10, true));
    assert_eq!(attacker.security_status.to_bits(), 0.5_f64.to_bits());
    assert_eq!(attacker.ship_type_id, Some(670));
    assert_eq!(parse(fixture!("redisq-nothing")).unwrap(), Parsed::Nothing);
}

#[test]
fn other_whole_shapes() {
    let legacy = killmail(fixture!("legacy"));
    assert!(legacy.attackers.is_empty());
    assert!(legacy.hash.is_some());
    assert_eq!(
        legacy.zkb, None,
        "a block that has only the hash adds nothing"
    );

    let relay = killmail(fixture!("relay"));
    assert_eq!(
        relay.attackers[0].security_status.to_bits(),
        0.0_f64.to_bits()
    );
    assert_eq!(relay.zkb.unwrap().total_value, Some(10_000.0));

    let everef = killmail(fixture!("everef"));
    assert!(everef.hash.is_some());
    assert_eq!(everef.war_id, Some(600_001));
    assert_eq!(
        everef.attackers.iter().filter(|it| it.final_blow).count(),
        2
    );
    assert_eq!(everef.victim.items[0].item_type_id, 0);

    let element = killmail(fixture!("zkb-element"));
    assert_eq!(
        element.zkb.unwrap().labels.unwrap(),
        ["cat:6".to_owned(), "solo".to_owned()]
    );
}

#[test]
fn upstream_errors_keep_their_message() {
    let error = parse(fixture!("error")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the upstream answered with an error: Invalid type for killID"
    );
    assert!(matches!(
        parse(br#"{"access":"denied!"}"#),
        Err(ParseError::UpstreamError { .. })
    ));
}

#[test]
fn what_is_no_killmail_says_what_it_was() {
    for (text, message) in [
        ("<html>", "not JSON: expected value at line 1 column 1"),
        ("", "not JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "not a killmail: a list of 0"),
        ("null", "not a killmail: null"),
        ("{}", "not a killmail: an empty object"),
        (
            r#"{"sequence":5,"b":1}"#,
            "not a killmail: an object with the keys sequence, b",
        ),
        (
            r#"{"package":[]}"#,
            "package is a list of 0, allowed is an object, or null for nothing new",
        ),
        (
            r#"{"killmail_id":7}"#,
            "hash is missing, allowed is a killmail hash of 40 hexadecimal digits",
        ),
        (
            r#"{"package":{"killID":7,"zkb":{"hash":"xyz"}}}"#,
            "package.zkb.hash is \"xyz\", allowed is a killmail hash of 40 hexadecimal digits",
        ),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend_from_slice(fixture!("esi"));
    assert_eq!(killmail(&bytes), killmail(fixture!("esi")));
}

#[test]
fn strict_fields_are_named() {
    for (message, change) in [
        (
            "killmail_id is 0, allowed is a whole number greater than 0",
            json!({"killmail_id": 0}),
        ),
        (
            "killmail_id is missing, allowed is a whole number greater than 0",
            json!({"killmail_id": null}),
        ),
        (
            "solar_system_id is -1, allowed is a whole number greater than 0",
            json!({"solar_system_id": -1}),
        ),
        (
            "killmail_time is \"yesterday\", allowed is an RFC 3339 time of the years 2000 to 2099",
            json!({"killmail_time": "yesterday"}),
        ),
        (
            "victim is null, allowed is an object",
            json!({"victim": null}),
        ),
        (
            "attackers is \"none\", allowed is a list",
            json!({"attackers": "none"}),
        ),
        (
            "killmail_hash is \"12\", allowed is a killmail hash of 40 hexadecimal digits",
            json!({"killmail_hash": "12"}),
        ),
        (
            "attackers[1] is 3, allowed is an object",
            json!({"attackers": [{}, 3]}),
        ),
        (
            "attackers[0].damage_done is 1.5, allowed is a whole number of 64 bits",
            json!({"attackers": [{"damage_done": 1.5}]}),
        ),
        (
            "victim.items[0].items[0].item_type_id is missing, allowed is a whole number, 0 or greater",
            json!({"victim": {"items": [{"item_type_id": 1, "items": [{}]}]}}),
        ),
    ] {
        let refused = refusal(|document| {
            let map = document.as_object_mut().unwrap();
            map.extend(change.as_object().unwrap().clone());
        });
        assert_eq!(refused, message);
    }
}

#[test]
fn long_values_are_cut() {
    let refused = refusal(|document| document["killmail_time"] = json!("é".repeat(10_000)));
    let expected = format!("killmail_time is \"{}, allowed is", "é".repeat(79));
    assert!(refused.starts_with(&expected), "{refused}");
}

#[test]
fn contradictions_name_both_places() {
    let mut document: Value = serde_json::from_slice(fixture!("r2z2")).unwrap();
    document["esi"]["killmail_id"] = json!(1);
    assert_eq!(
        parse_value(&(&document).into()).unwrap_err().to_string(),
        "killmail_id and esi.killmail_id is 140000002 and 1, allowed is the same killmail id in both"
    );

    let mut document: Value = serde_json::from_slice(fixture!("r2z2")).unwrap();
    document["zkb"]["hash"] = json!("ff".repeat(20));
    let message = parse_value(&(&document).into()).unwrap_err().to_string();
    assert!(
        message.starts_with("hash and zkb.hash is 0011"),
        "{message}"
    );
    assert!(
        message.ends_with("ffff, allowed is the same hash in both"),
        "{message}"
    );
}

#[test]
fn an_empty_hash_counts_as_absent() {
    let mut document = esi();
    document["killmail_hash"] = json!("  ");
    assert!(matches!(
        parse_value(&(&document).into()),
        Ok(Parsed::Killmail(_))
    ));
}

#[test]
fn lists_are_bounded() {
    let message = refusal(|document| document["attackers"] = json!(vec![json!({}); 20_001]));
    assert!(message.contains("at most 20000"), "{message}");
    let item = json!({"item_type_id": 1});
    let message = refusal(|document| {
        document["victim"]["items"] = json!(vec![item.clone(); MAX_ITEMS + 1]);
    });
    assert!(message.contains("at most 50000"), "{message}");
}

#[test]
fn items_nest_to_the_limit_and_no_deeper() {
    let nested = |levels: usize| {
        let mut items = json!([]);
        for _ in 0..levels {
            items = json!([{"item_type_id": 1, "items": items}]);
        }
        let mut document = esi();
        document["victim"]["items"] = items;
        parse_value(&(&document).into())
    };
    assert!(nested(MAX_ITEM_DEPTH).is_ok());
    let message = nested(MAX_ITEM_DEPTH + 1).unwrap_err().to_string();
    assert!(
        message.ends_with("nothing below 8 levels of items"),
        "{message}"
    );
}

#[test]
fn fractions_of_a_second_are_cut_and_zones_converted() {
    let mut document = esi();
    document["killmail_time"] = json!("2026-10-01T14:34:56.789+02:00");
    let killmail = killmail(document.to_string().as_bytes());
    assert_eq!(
        killmail.killmail_time.to_rfc3339(),
        "2026-10-01T12:34:56+00:00"
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("killmail_id".to_owned()),
        Just("killID".to_owned()),
        Just("victim".to_owned()),
        Just("attackers".to_owned()),
        Just("package".to_owned()),
        Just("esi".to_owned()),
        Just("zkb".to_owned()),
        Just("hash".to_owned()),
        Just("items".to_owned()),
        ".{0,3}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("00112233445566778899aabbccddeeff00112233")),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Puts `value` in place of the `index`-th value of `document`, counted depth first.
fn replace(document: &mut Value, index: &mut usize, value: &Value) -> bool {
    if *index == 0 {
        *document = value.clone();
        return true;
    }
    *index -= 1;
    match document {
        Value::Array(list) => list.iter_mut().any(|it| replace(it, index, value)),
        Value::Object(map) => map.values_mut().any(|it| replace(it, index, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

proptest! {
    #[test]
    fn any_bytes_give_a_value_or_a_reason(bytes: Vec<u8>) {
        let _outcome = parse(&bytes);
    }

    #[test]
    fn any_json_gives_a_value_or_a_reason(value in any_json()) {
        let _outcome = (parse_value(&(&value).into()), r2z2_numbers(&(&value).into()));
    }

    #[test]
    fn fixtures_cut_short_are_refused(which in 0..ALL.len(), at in 0.0..1.0_f64) {
        let text = ALL[which].trim_ascii();
        #[expect(
            clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
            reason = "a place in a short text"
        )]
        let end = (text.len() as f64 * at) as usize;
        prop_assert!(matches!(parse(&text[..end]), Err(ParseError::NotJson { .. })), "cut at {end}");
    }

    #[test]
    fn fixtures_with_other_bytes_do_no_harm(
        which in 0..ALL.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut bytes = ALL[which].to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _outcome = parse(&bytes);
    }

    #[test]
    fn fixtures_with_other_values_do_no_harm(
        which in 0..ALL.len(),
        mut at in 0..80_usize,
        value in any_json(),
    ) {
        let mut document: Value = serde_json::from_slice(ALL[which]).unwrap();
        replace(&mut document, &mut at, &value);
        if let Ok(Parsed::Killmail(killmail)) = parse_value(&(&document).into()) {
            prop_assert!(killmail.killmail_id > 0 && killmail.solar_system_id > 0);
        }
    }
}
