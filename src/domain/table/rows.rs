//! The columns of each table and the rows that fill them.

use super::document::{Document, Party, Stack, Zkb};
use super::{Cell, Column, Kind};

/// Columns of killmails.
pub const KILLMAILS: [Column; 44] = [
    ("killmail_id", Kind::Integer),
    ("killmail_time", Kind::Time),
    ("solar_system_id", Kind::Integer),
    ("solar_system_name", Kind::Text),
    ("constellation_id", Kind::Integer),
    ("constellation_name", Kind::Text),
    ("region_id", Kind::Integer),
    ("region_name", Kind::Text),
    ("security_status", Kind::Number),
    ("war_id", Kind::Integer),
    ("victim_character_id", Kind::Integer),
    ("victim_character_name", Kind::Text),
    ("victim_corporation_id", Kind::Integer),
    ("victim_corporation_name", Kind::Text),
    ("victim_alliance_id", Kind::Integer),
    ("victim_alliance_name", Kind::Text),
    ("victim_faction_id", Kind::Integer),
    ("victim_faction_name", Kind::Text),
    ("ship_type_id", Kind::Integer),
    ("ship_name", Kind::Text),
    ("ship_group_id", Kind::Integer),
    ("ship_group_name", Kind::Text),
    ("damage_taken", Kind::Integer),
    ("attacker_count", Kind::Integer),
    ("final_blow_character_id", Kind::Integer),
    ("final_blow_character_name", Kind::Text),
    ("final_blow_corporation_id", Kind::Integer),
    ("final_blow_corporation_name", Kind::Text),
    ("final_blow_alliance_id", Kind::Integer),
    ("final_blow_alliance_name", Kind::Text),
    ("final_blow_faction_id", Kind::Integer),
    ("final_blow_faction_name", Kind::Text),
    ("final_blow_ship_type_id", Kind::Integer),
    ("final_blow_ship_name", Kind::Text),
    ("total_value", Kind::Number),
    ("fitted_value", Kind::Number),
    ("dropped_value", Kind::Number),
    ("destroyed_value", Kind::Number),
    ("points", Kind::Integer),
    ("npc", Kind::Flag),
    ("solo", Kind::Flag),
    ("awox", Kind::Flag),
    ("labels", Kind::Text),
    ("hash", Kind::Text),
];

/// Columns of attackers.
pub const ATTACKERS: [Column; 20] = [
    ("killmail_id", Kind::Integer),
    ("killmail_time", Kind::Time),
    ("ordinal", Kind::Integer),
    ("character_id", Kind::Integer),
    ("character_name", Kind::Text),
    ("corporation_id", Kind::Integer),
    ("corporation_name", Kind::Text),
    ("alliance_id", Kind::Integer),
    ("alliance_name", Kind::Text),
    ("faction_id", Kind::Integer),
    ("faction_name", Kind::Text),
    ("ship_type_id", Kind::Integer),
    ("ship_name", Kind::Text),
    ("ship_group_id", Kind::Integer),
    ("ship_group_name", Kind::Text),
    ("weapon_type_id", Kind::Integer),
    ("weapon_name", Kind::Text),
    ("damage_done", Kind::Integer),
    ("security_status", Kind::Number),
    ("final_blow", Kind::Flag),
];

/// Columns of items: those of the view `killmail_items`.
pub const ITEMS: [Column; 9] = [
    ("killmail_id", Kind::Integer),
    ("killmail_time", Kind::Time),
    ("item_index", Kind::Integer),
    ("parent_index", Kind::Integer),
    ("item_type_id", Kind::Integer),
    ("flag", Kind::Integer),
    ("singleton", Kind::Integer),
    ("quantity_dropped", Kind::Integer),
    ("quantity_destroyed", Kind::Integer),
];

#[derive(Default)]
struct Row(Vec<Cell>);

impl Row {
    fn cell<T>(&mut self, value: Option<T>, cell: impl Fn(T) -> Cell) {
        self.0.push(value.map_or(Cell::Absent, cell));
    }

    fn integer(&mut self, number: impl Into<Option<i64>>) {
        self.cell(number.into(), Cell::Integer);
    }

    fn number(&mut self, number: Option<f64>) {
        self.cell(number, Cell::Number);
    }

    fn flag(&mut self, flag: Option<bool>) {
        self.cell(flag, Cell::Flag);
    }

    fn text(&mut self, text: Option<&str>) {
        self.cell(text, |text| Cell::Text(text.to_owned()));
    }

    /// What every table begins with.
    fn killmail(&mut self, document: &Document<'_>) {
        self.integer(document.killmail_id);
        self.0.push(Cell::Time(document.kill_time.to_string()));
    }

    fn party(&mut self, party: &Party<'_>) {
        self.integer(party.character_id);
        self.text(party.character_name.as_deref());
        self.integer(party.corporation_id);
        self.text(party.corporation_name.as_deref());
        self.integer(party.alliance_id);
        self.text(party.alliance_name.as_deref());
        self.integer(party.faction_id);
        self.text(party.faction_name.as_deref());
        self.integer(party.ship_type_id);
        self.text(party.ship_name.as_deref());
    }

    fn group(&mut self, party: &Party<'_>) {
        self.integer(party.ship_group_id);
        self.text(party.ship_group_name.as_deref());
    }

    fn place(&mut self, document: &Document<'_>) {
        self.integer(document.solar_system_id);
        self.text(document.solar_system_name.as_deref());
        self.integer(document.constellation_id);
        self.text(document.constellation_name.as_deref());
        self.integer(document.region_id);
        self.text(document.region_name.as_deref());
        self.number(document.security_status);
        self.integer(document.war_id);
    }

    fn zkb(&mut self, zkb: &Zkb<'_>) {
        self.number(zkb.total_value);
        self.number(zkb.fitted_value);
        self.number(zkb.dropped_value);
        self.number(zkb.destroyed_value);
        self.integer(zkb.points);
        self.flag(zkb.npc);
        self.flag(zkb.solo);
        self.flag(zkb.awox);
        let labels = (!zkb.labels.is_empty()).then(|| zkb.labels.join(" "));
        self.text(labels.as_deref());
        self.text(zkb.hash.as_deref());
    }
}

/// The row of a killmail. Labels stand in one field, a space between them.
pub(super) fn killmail(document: &Document<'_>) -> Vec<Cell> {
    let mut row = Row(Vec::with_capacity(KILLMAILS.len()));
    row.killmail(document);
    row.place(document);
    row.party(&document.victim);
    row.group(&document.victim);
    row.integer(document.victim.damage_taken);
    row.integer(document.attacker_count);
    let nobody = Party::default();
    let mut attackers = document.attackers.iter();
    row.party(
        attackers
            .find(|attacker| attacker.final_blow)
            .unwrap_or(&nobody),
    );
    row.zkb(&document.zkb);
    row.0
}

/// A row for each attacker, in the killmail's order.
pub(super) fn attackers(document: &Document<'_>) -> Vec<Vec<Cell>> {
    (0..)
        .zip(&document.attackers)
        .map(|(ordinal, attacker)| {
            let mut row = Row(Vec::with_capacity(ATTACKERS.len()));
            row.killmail(document);
            row.integer(ordinal);
            row.party(attacker);
            row.group(attacker);
            row.integer(attacker.weapon_type_id);
            row.text(attacker.weapon_name.as_deref());
            row.integer(attacker.damage_done);
            row.number(attacker.security_status);
            row.flag(Some(attacker.final_blow));
            row.0
        })
        .collect()
}

/// A row for each stack, numbered from 1, containers before their content.
pub(super) fn items(document: &Document<'_>, items: &[Stack]) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    add_items(document, items, None, &mut 0, &mut rows);
    rows
}

fn add_items(
    document: &Document<'_>,
    items: &[Stack],
    container: Option<i64>,
    index: &mut i64,
    rows: &mut Vec<Vec<Cell>>,
) {
    for item in items {
        *index += 1;
        let own_index = *index;
        let mut row = Row(Vec::with_capacity(ITEMS.len()));
        row.killmail(document);
        row.integer(own_index);
        row.integer(container);
        row.integer(item.item_type_id);
        row.integer(item.flag);
        row.integer(item.singleton);
        row.integer(item.quantity_dropped);
        row.integer(item.quantity_destroyed);
        rows.push(row.0);
        add_items(document, &item.items, Some(own_index), index, rows);
    }
}
