use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;

fn package() -> Value {
    json!({
        "killID": 7,
        "killmail": {
            "solar_system_id": 30_000_142,
            "victim": {
                "ship_type_id": 587,
                "items": [{ "item_type_id": 3436, "items": [{ "item_type_id": 34, "flag": 5 }] }],
            },
            "attackers": [
                { "character_id": 1, "security_status": -9.9, "final_blow": true },
                { "character_id": 2, "security_status": 0.0, "final_blow": false },
            ],
        },
        "zkb": { "totalValue": 10_000.5, "npc": false, "labels": ["pvp", "loc:nullsec"], "locationID": null },
    })
}

#[rstest]
#[case("", true)]
#[case(" ", true)]
#[case("killID=7", true)]
#[case("killID = 7", true)]
#[case("killID=7.0", true)]
#[case("killID!=7", false)]
#[case("killID!=8", true)]
#[case("solar_system_id=30000142", true)]
#[case("solar_system_id<30000142", false)]
#[case("solar_system_id<=30000142", true)]
#[case("solar_system_id>30000141", true)]
#[case("solar_system_id>=30000143", false)]
#[case("character_id=2", true)]
#[case("character_id=3", false)]
#[case("character_id!=1", true)]
#[case("item_type_id=34", true)]
#[case("flag=5", true)]
#[case("security_status<-5", true)]
#[case("security_status=-0", true)]
#[case("totalValue>10000", true)]
#[case("totalValue>1e5", false)]
#[case("npc=false", true)]
#[case("labels=pvp", true)]
#[case("labels=loc:nullsec", true)]
#[case("labels=solo", false)]
#[case("labels!=pvp", true)]
#[case("locationID!=5", false)]
#[case("victim=587", false)]
#[case("nowhere!=1", false)]
#[case("killID=7;npc=false", true)]
#[case("killID=7;npc=true", false)]
#[case("killID=8,npc=false", true)]
#[case("killID=8,npc=true", false)]
fn packages_are_sorted_out(#[case] filter: &str, #[case] through: bool) {
    let filter = PackageFilter::parse(filter).unwrap();
    assert_eq!(filter.matches(&package()), through);
}

#[rstest]
#[case("killID")]
#[case("killID=")]
#[case("=7")]
#[case("killID==7")]
#[case("killID!7")]
#[case("killID=7;")]
#[case("killID=7;npc=true,solo=true")]
#[case(";")]
fn what_is_no_filter_is_refused(#[case] filter: &str) {
    assert!(PackageFilter::parse(filter).is_err());
}

#[test]
fn a_filter_has_an_end() {
    assert!(PackageFilter::parse(&"a=1;".repeat(MAX_CONDITIONS)).is_err());
    let most = vec!["a=1"; MAX_CONDITIONS].join(";");
    assert!(PackageFilter::parse(&most).is_ok());
    assert!(PackageFilter::parse(&format!("{most};a=1")).is_err());
    let long = format!("a={}", "1".repeat(MAX_FILTER_BYTES));
    assert!(PackageFilter::parse(&long).is_err());
}

#[test]
fn items_are_needed_only_when_asked_for() {
    let needs = |text| PackageFilter::parse(text).unwrap().needs_items();
    assert!(needs("item_type_id=34"));
    assert!(needs("npc=false;flag=5"));
    assert!(!needs("solar_system_id=30000142"));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ab0-9.e-]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[ab]", inner), 0..4)
                .prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,120}|[ab!<>=;,0-9.e -]{0,40}", package in json_value()) {
        if let Ok(filter) = PackageFilter::parse(&text) {
            filter.matches(&package);
        }
    }

    #[test]
    fn joined_conditions_are_all_or_any(
        conditions in prop::collection::vec("[ab](=|!=|<|<=|>|>=)[ab0-9]{1,2}", 1..4),
        package in json_value(),
    ) {
        let one = |text: &String| PackageFilter::parse(text).unwrap().matches(&package);
        let all = PackageFilter::parse(&conditions.join(";")).unwrap();
        let any = PackageFilter::parse(&conditions.join(",")).unwrap();
        prop_assert_eq!(all.matches(&package), conditions.iter().all(one));
        prop_assert_eq!(any.matches(&package), conditions.iter().any(one));
    }

    #[test]
    fn a_number_is_below_or_equal_or_above(left in any::<i64>(), right in any::<i64>()) {
        let package = json!({ "a": left });
        let holds = |sign: &str| {
            PackageFilter::parse(&format!("a{sign}{right}")).unwrap().matches(&package)
        };
        prop_assert_eq!(holds("="), left == right);
        prop_assert_eq!(holds("!="), left != right);
        prop_assert_eq!(holds("<"), left < right);
        prop_assert_eq!(holds(">="), left >= right);
    }
}
