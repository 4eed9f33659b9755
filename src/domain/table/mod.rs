//! Killmails as rows of tables: what CSV and Parquet hold of a document and its items.

mod document;
mod rows;

use std::borrow::Cow;

pub use rows::{ATTACKERS, ITEMS, KILLMAILS};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
    /// Truth values.
    Flag,
    /// Texts: names, labels, hashes.
    Text,
    /// Moments, as in the document: `2026-01-31T18:00:00Z`.
    Time,
}

/// A column's name and what it holds.
pub type Column = (&'static str, Kind);

/// One field of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing is known.
    Absent,
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A truth value.
    Flag(bool),
    /// A text.
    Text(String),
    /// A moment, as in the document.
    Time(String),
}

/// Which rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// One row a killmail, with the victim and whoever struck last.
    Killmails,
    /// One row an attacker.
    Attackers,
    /// One row a stack of items, containers before their content.
    Items,
}

impl Table {
    /// The columns, in order.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Killmails => &KILLMAILS,
            Self::Attackers => &ATTACKERS,
            Self::Items => &ITEMS,
        }
    }

    /// The header of a CSV file.
    pub fn header(self) -> String {
        let names: Vec<&str> = self.columns().iter().map(|(name, _)| *name).collect();
        names.join(",")
    }

    /// The rows of one killmail; `items` are its items as ESI writes them, and only looked at for their table.
    ///
    /// # Errors
    /// When either is not the JSON that we write.
    pub fn rows(
        self,
        document: &str,
        items: Option<&str>,
    ) -> Result<Vec<Vec<Cell>>, serde_json::Error> {
        match self {
            Self::Killmails => Ok(vec![rows::killmail(&serde_json::from_str(document)?)]),
            Self::Attackers => Ok(rows::attackers(&serde_json::from_str(document)?)),
            Self::Items => {
                let items: Vec<document::Stack> = serde_json::from_str(items.unwrap_or("[]"))?;
                Ok(rows::items(&serde_json::from_str(document)?, &items))
            }
        }
    }
}

impl Cell {
    /// The field of a CSV file. Texts that a spreadsheet would run as a formula get an apostrophe in front.
    pub fn csv(&self) -> Cow<'_, str> {
        match self {
            Self::Absent => Cow::Borrowed(""),
            Self::Integer(number) => number.to_string().into(),
            Self::Number(number) => number.to_string().into(),
            Self::Flag(flag) => flag.to_string().into(),
            Self::Text(text) => safe(text),
            Self::Time(time) => Cow::Borrowed(time),
        }
    }
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

    const DOCUMENT: &str = r#"{"killmail_id":7,"kill_time":"2026-01-01T00:00:00Z","system_id":1,"solar_system_id":1,
        "solar_system_name":"Jita","security_status":0.945913,"attacker_count":2,
        "victim":{"character_id":5,"character_name":"=HYPERLINK(\"x\")","ship_type_id":587,"damage_taken":-3},
        "attackers":[{"character_name":"first","damage_done":1,"final_blow":false,"security_status":0.0},
            {"character_id":6,"character_name":"-1","damage_done":1,"final_blow":true,"security_status":-2.5}],
        "zkb":{"totalValue":12345678901.25,"npc":false,"labels":["a","b"]}}"#;

    fn fields(table: Table, row: &[Cell]) -> impl Fn(&str) -> String {
        assert_eq!(row.len(), table.columns().len());
        let fields: Vec<String> = row.iter().map(|cell| cell.csv().into_owned()).collect();
        move |name: &str| {
            let index = table.columns().iter().position(|(it, _)| *it == name);
            fields[index.unwrap()].clone()
        }
    }

    #[test]
    fn a_killmail_has_every_column_and_no_formula() {
        let rows = Table::Killmails.rows(DOCUMENT, None).unwrap();
        let field = fields(Table::Killmails, &rows[0]);
        assert_eq!(field("victim_character_name"), "'=HYPERLINK(\"x\")");
        assert_eq!(field("final_blow_character_name"), "'-1");
        assert_eq!(field("final_blow_character_id"), "6");
        assert_eq!(field("damage_taken"), "-3");
        assert_eq!(field("total_value"), "12345678901.25");
        assert_eq!(field("labels"), "a b");
        assert_eq!(
            (field("npc"), field("solo")),
            ("false".into(), String::new())
        );
        assert_eq!(
            (field("ship_type_id"), field("attacker_count")),
            ("587".into(), "2".into())
        );
    }

    #[test]
    fn attackers_keep_their_order() {
        let rows = Table::Attackers.rows(DOCUMENT, None).unwrap();
        let field = fields(Table::Attackers, &rows[1]);
        assert_eq!((rows.len(), field("ordinal")), (2, "1".into()));
        assert_eq!(
            (field("final_blow"), field("security_status")),
            ("true".into(), "-2.5".into())
        );
    }

    #[test]
    fn items_are_numbered_containers_before_their_content() {
        let items = r#"[{"item_type_id":1,"flag":5,"singleton":0,"items":[{"item_type_id":2,"flag":0,"singleton":0,
            "quantity_dropped":9}]},{"item_type_id":3,"flag":27,"singleton":0,"quantity_destroyed":1}]"#;
        let rows = Table::Items.rows(DOCUMENT, Some(items)).unwrap();
        let read: Vec<[String; 3]> = rows
            .iter()
            .map(|row| {
                let field = fields(Table::Items, row);
                [
                    field("item_index"),
                    field("parent_index"),
                    field("item_type_id"),
                ]
            })
            .collect();
        let expected = [["1", "", "1"], ["2", "1", "2"], ["3", "", "3"]];
        assert_eq!(read, expected);
        assert_eq!(
            Table::Items.rows(DOCUMENT, None).unwrap(),
            Vec::<Vec<Cell>>::new()
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
