use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::names::{EntityKey, EntityKind, EntityName};
use crate::domain::testing;
use crate::domain::{ShipType, SolarSystem};

const R2Z2: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/killmails/r2z2.json"
));
const ESI: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/killmails/esi.json"
));

fn killmail(bytes: &[u8]) -> Killmail {
    match parse::parse(bytes).unwrap() {
        Parsed::Killmail(killmail) => *killmail,
        other @ (Parsed::Reference(_) | Parsed::Nothing) => panic!("not a killmail: {other:?}"),
    }
}

fn ship_type(type_id: i64, name: &str) -> (i64, Arc<ShipType>) {
    let ship = ShipType {
        type_id,
        name: name.to_owned(),
        group_id: 25,
        group_name: "Frigate".to_owned(),
        category_id: 6,
        category_name: "Ship".to_owned(),
        published: true,
    };
    (type_id, Arc::new(ship))
}

fn enrichment() -> Enrichment {
    let name = |kind, id, name: &str, ticker: Option<&str>| {
        let name = EntityName {
            name: name.to_owned(),
            ticker: ticker.map(str::to_owned),
        };
        (EntityKey { kind, id }, Arc::new(name))
    };
    let system = SolarSystem {
        solar_system_id: 30_000_142,
        name: "Jita".to_owned(),
        constellation_id: 20_000_020,
        constellation_name: "Kimotoro".to_owned(),
        region_id: 10_000_002,
        region_name: "The Forge".to_owned(),
        security_status: 0.945_913,
        wormhole_class: None,
    };
    Enrichment {
        names: [
            name(EntityKind::Character, 90_000_001, "Some \"Pilot\"", None),
            name(
                EntityKind::Corporation,
                98_000_001,
                "Some Corp",
                Some("SCORP"),
            ),
            name(
                EntityKind::Alliance,
                99_000_001,
                "Some Alliance",
                Some("SA"),
            ),
            name(EntityKind::Faction, 500_001, "Caldari State", None),
        ]
        .into(),
        ship_types: [ship_type(587, "Rifter"), ship_type(2488, "Gun")].into(),
        solar_systems: [(30_000_142, Arc::new(system))].into(),
    }
}

#[test]
fn the_document_in_full() {
    let text = document(&killmail(ESI), &enrichment());
    insta::assert_json_snapshot!(serde_json::from_str::<Value>(&text).unwrap());
    assert!(!text.contains("killID") && !text.contains("victim_char_id") && !text.contains("null"));
    assert!(text.starts_with(
        r#"{"killmail_id":140000001,"kill_time":"2026-10-01T12:34:56Z","system_id":30000142,"#
    ));
}

#[test]
fn the_zkb_block() {
    let text = document(&killmail(R2Z2), &Enrichment::default());
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        value["zkb"],
        json!({
            "locationID": 0,
            "hash": "00112233445566778899aabbccddeeff00112233",
            "fittedValue": 10_000.0,
            "droppedValue": 0.0,
            "destroyedValue": 627_868_229.1,
            "totalValue": 627_868_229.1,
            "totalDroppableValue": 21_992_912.9,
            "points": 1,
            "npc": false,
            "solo": true,
            "labels": ["tz:usw", "cat:22", "solo", "pvp", "loc:w-space"],
        })
    );
}

#[test]
fn a_hash_without_a_block_stands_in_one() {
    let mut killmail = killmail(ESI);
    assert!(!document(&killmail, &Enrichment::default()).contains("zkb"));
    killmail.hash = Some("AB".repeat(20).parse().unwrap());
    let text = document(&killmail, &Enrichment::default());
    let expected = format!(r#","zkb":{{"hash":"{}"}}}}"#, "ab".repeat(20));
    assert!(text.ends_with(&expected), "{text}");
}

#[test]
fn items_join_the_victim_and_nothing_else_changes() {
    let killmail = killmail(ESI);
    let text = document(&killmail, &enrichment());
    let items = items(&killmail.victim.items);
    let joined = with_items(&text, &items).unwrap();
    let source: Value = serde_json::from_slice(ESI).unwrap();
    let mut value: Value = serde_json::from_str(&joined).unwrap();
    assert_eq!(value["victim"]["items"], source["victim"]["items"]);
    let victim = value["victim"].as_object_mut().unwrap();
    victim.remove("items");
    assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
    assert_eq!(
        with_items(&joined, &items).unwrap(),
        joined,
        "put in twice, there once"
    );
}

#[test]
fn items_join_only_documents() {
    let text = document(&killmail(ESI), &Enrichment::default());
    for (document, items) in [
        (text.as_str(), "{}"),
        (text.as_str(), "[1"),
        ("{}", "[]"),
        ("[]", "[]"),
        (r#"{"victim":3}"#, "[]"),
    ] {
        assert!(with_items(document, items).is_err(), "{document} {items}");
    }
}

#[test]
fn only_documents_are_read() {
    assert!(read("{}", None).is_err());
    assert!(read(r#"{"package":null}"#, None).is_err());
    let text = document(&killmail(ESI), &Enrichment::default());
    assert!(read(&text, Some("[")).is_err());
    assert!(read(&text, Some("[3]")).is_err());
}

proptest! {
    #[test]
    fn reading_undoes_rendering(killmail in testing::killmail()) {
        let text = document(&killmail, &enrichment());
        let items = items(&killmail.victim.items);
        prop_assert_eq!(&read(&text, Some(&items)).unwrap(), &killmail);
        let joined = with_items(&text, &items).unwrap();
        prop_assert_eq!(&read(&joined, None).unwrap(), &killmail);
    }
}

#[test]
fn affiliations_become_objects_and_the_rest_keeps_its_bytes() {
    let document = concat!(
        r#"{"killmail_id":7,"victim":{"corporation_id":1,"corporation_name":"A","corporation_ticker":"TA","#,
        r#""alliance_id":2,"alliance_name":"B"},"attackers":[{"damage_done":1.50},"#,
        r#"{"alliance_ticker":"C\u0041"}],"zkb":{"totalValue":1e9}}"#,
    );
    let expected = concat!(
        r#"{"killmail_id":7,"victim":{"corporation_id":1,"corporation_name":"A","corporation_ticker":"TA","#,
        r#""alliance_id":2,"alliance_name":"B","corporation":{"name":"A","ticker":"TA"},"#,
        r#""alliance":{"name":"B"}},"attackers":[{"damage_done":1.50},"#,
        r#"{"alliance_ticker":"C\u0041","alliance":{"ticker":"C\u0041"}}],"zkb":{"totalValue":1e9}}"#,
    );
    assert_eq!(with_affiliations(document).unwrap(), expected);
    assert!(with_affiliations("[]").is_err());
}
