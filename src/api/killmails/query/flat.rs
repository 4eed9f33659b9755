//! Killmails as rows of a table.
//!
//! Names may begin with what a spreadsheet takes for a formula (`=`, `+`, `-`, `@`, tab, carriage return); those
//! get an apostrophe in front.

use std::borrow::Cow;

use serde::Deserialize;

/// The header row.
pub(super) const COLUMNS: [&str; 44] = [
    "killmail_id",
    "killmail_time",
    "solar_system_id",
    "solar_system_name",
    "constellation_id",
    "constellation_name",
    "region_id",
    "region_name",
    "security_status",
    "war_id",
    "victim_character_id",
    "victim_character_name",
    "victim_corporation_id",
    "victim_corporation_name",
    "victim_alliance_id",
    "victim_alliance_name",
    "victim_faction_id",
    "victim_faction_name",
    "ship_type_id",
    "ship_name",
    "ship_group_id",
    "ship_group_name",
    "damage_taken",
    "attacker_count",
    "final_blow_character_id",
    "final_blow_character_name",
    "final_blow_corporation_id",
    "final_blow_corporation_name",
    "final_blow_alliance_id",
    "final_blow_alliance_name",
    "final_blow_faction_id",
    "final_blow_faction_name",
    "final_blow_ship_type_id",
    "final_blow_ship_name",
    "total_value",
    "fitted_value",
    "dropped_value",
    "destroyed_value",
    "points",
    "npc",
    "solo",
    "awox",
    "labels",
    "hash",
];

/// What the table takes of a document.
#[derive(Deserialize)]
struct Document<'d> {
    killmail_id: i64,
    #[serde(borrow)]
    kill_time: Cow<'d, str>,
    solar_system_id: i64,
    solar_system_name: Option<Cow<'d, str>>,
    constellation_id: Option<i64>,
    constellation_name: Option<Cow<'d, str>>,
    region_id: Option<i64>,
    region_name: Option<Cow<'d, str>>,
    security_status: Option<f64>,
    war_id: Option<i64>,
    attacker_count: u64,
    victim: Party<'d>,
    attackers: Vec<Party<'d>>,
    #[serde(default)]
    zkb: Zkb<'d>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Party<'d> {
    character_id: Option<i64>,
    #[serde(borrow)]
    character_name: Option<Cow<'d, str>>,
    corporation_id: Option<i64>,
    corporation_name: Option<Cow<'d, str>>,
    alliance_id: Option<i64>,
    alliance_name: Option<Cow<'d, str>>,
    faction_id: Option<i64>,
    faction_name: Option<Cow<'d, str>>,
    ship_type_id: Option<i64>,
    ship_name: Option<Cow<'d, str>>,
    ship_group_id: Option<i64>,
    ship_group_name: Option<Cow<'d, str>>,
    damage_taken: Option<i64>,
    final_blow: bool,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Zkb<'d> {
    total_value: Option<f64>,
    fitted_value: Option<f64>,
    dropped_value: Option<f64>,
    destroyed_value: Option<f64>,
    points: Option<i64>,
    npc: Option<bool>,
    solo: Option<bool>,
    awox: Option<bool>,
    #[serde(borrow)]
    labels: Vec<Cow<'d, str>>,
    hash: Option<Cow<'d, str>>,
}

/// The fields of one row, in the order of [`COLUMNS`].
struct Row(Vec<String>);

impl Row {
    fn value(&mut self, value: Option<impl ToString>) {
        let text = value.map(|value| value.to_string());
        self.0.push(text.unwrap_or_default());
    }

    fn name(&mut self, name: Option<&str>) {
        self.0.push(safe(name.unwrap_or_default()).into_owned());
    }

    fn party(&mut self, party: &Party<'_>) {
        self.value(party.character_id);
        self.name(party.character_name.as_deref());
        self.value(party.corporation_id);
        self.name(party.corporation_name.as_deref());
        self.value(party.alliance_id);
        self.name(party.alliance_name.as_deref());
        self.value(party.faction_id);
        self.name(party.faction_name.as_deref());
        self.value(party.ship_type_id);
        self.name(party.ship_name.as_deref());
    }

    fn place(&mut self, document: &Document<'_>) {
        self.value(Some(document.killmail_id));
        self.value(Some(&document.kill_time));
        self.value(Some(document.solar_system_id));
        self.name(document.solar_system_name.as_deref());
        self.value(document.constellation_id);
        self.name(document.constellation_name.as_deref());
        self.value(document.region_id);
        self.name(document.region_name.as_deref());
        self.value(document.security_status);
        self.value(document.war_id);
    }

    fn zkb(&mut self, zkb: &Zkb<'_>) {
        self.value(zkb.total_value);
        self.value(zkb.fitted_value);
        self.value(zkb.dropped_value);
        self.value(zkb.destroyed_value);
        self.value(zkb.points);
        self.value(zkb.npc);
        self.value(zkb.solo);
        self.value(zkb.awox);
        self.name(Some(&zkb.labels.join(" ")));
        self.name(zkb.hash.as_deref());
    }
}

/// One row of a stored document. Labels stand in one field, a space between them.
///
/// # Errors
/// When it is not the JSON that we write.
pub(super) fn row(document: &str) -> Result<Vec<String>, serde_json::Error> {
    let document: Document<'_> = serde_json::from_str(document)?;
    let mut row = Row(Vec::with_capacity(COLUMNS.len()));
    row.place(&document);
    row.party(&document.victim);
    row.value(document.victim.ship_group_id);
    row.name(document.victim.ship_group_name.as_deref());
    row.value(document.victim.damage_taken);
    row.value(Some(document.attacker_count));
    let nobody = Party::default();
    let mut attackers = document.attackers.iter();
    row.party(
        attackers
            .find(|attacker| attacker.final_blow)
            .unwrap_or(&nobody),
    );
    row.zkb(&document.zkb);
    Ok(row.0)
}

/// The text, kept from being a formula.
fn safe(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_every_column_and_no_formula() {
        let document = r#"{"killmail_id":7,"kill_time":"2026-01-01T00:00:00Z","system_id":1,"solar_system_id":1,
            "solar_system_name":"Jita","security_status":0.945913,"attacker_count":2,
            "victim":{"character_id":5,"character_name":"=HYPERLINK(\"x\")","ship_type_id":587,"damage_taken":-3},
            "attackers":[{"character_name":"first","damage_done":1,"final_blow":false,"security_status":0.0},
                {"character_id":6,"character_name":"-1","damage_done":1,"final_blow":true,"security_status":0.0}],
            "zkb":{"totalValue":12345678901.25,"npc":false,"labels":["a","b"]}}"#;
        let row = row(document).unwrap();
        assert_eq!(row.len(), COLUMNS.len());
        let field = |name: &str| {
            let index = COLUMNS.iter().position(|column| *column == name).unwrap();
            row[index].as_str()
        };
        assert_eq!(field("victim_character_name"), "'=HYPERLINK(\"x\")");
        assert_eq!(field("final_blow_character_name"), "'-1");
        assert_eq!(field("final_blow_character_id"), "6");
        assert_eq!(field("damage_taken"), "-3");
        assert_eq!(field("total_value"), "12345678901.25");
        assert_eq!(field("labels"), "a b");
        assert_eq!((field("npc"), field("solo")), ("false", ""));
        assert_eq!(
            (field("ship_type_id"), field("attacker_count")),
            ("587", "2")
        );
    }

    #[test]
    fn what_spreadsheets_run_gets_an_apostrophe() {
        for text in ["=1", "+1", "-1", "@a", "\t=1", "\r=1"] {
            assert_eq!(safe(text), format!("'{text}"));
        }
        assert_eq!(safe("Jita IV - Moon 4"), "Jita IV - Moon 4");
    }
}
