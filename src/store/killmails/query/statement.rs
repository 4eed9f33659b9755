//! Statements that are put together: fixed pieces of text, and every value bound.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};

/// A bound value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A truth value.
    Flag(bool),
    /// A moment.
    Time(DateTime<Utc>),
    /// Ids.
    Ids(Vec<i64>),
    /// Texts.
    Texts(Vec<String>),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// The type in SQL.
    pub fn sql_type(&self) -> &'static str {
        match self {
            Self::Integer(_) => "bigint",
            Self::Number(_) => "double precision",
            Self::Flag(_) => "boolean",
            Self::Time(_) => "timestamptz",
            Self::Ids(_) => "bigint[]",
            Self::Texts(_) => "text[]",
            Self::Bytes(_) => "bytea",
        }
    }
}

/// SQL text with its values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statement {
    /// The text, with `$1` and so on.
    pub sql: String,
    /// The values, `$1` first.
    pub values: Vec<Value>,
}

impl Statement {
    /// Adds a value; the answer is what stands for it in the text.
    pub(super) fn bind(&mut self, value: Value) -> String {
        let sql_type = value.sql_type();
        self.values.push(value);
        format!("${}::{sql_type}", self.values.len())
    }

    /// Adds text. It comes from this module's own constants and from [`Statement::bind`] alone.
    pub(super) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Adds a number of ours.
    pub(super) fn push_number(&mut self, number: usize) {
        // Writing to a String cannot fail.
        let _written = write!(self.sql, "{number}");
    }

    /// Runs it and reads all rows; whoever wrote the text has set a limit.
    pub(super) async fn fetch<T>(self, conn: &mut PgConnection) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut query = sqlx::query_as(AssertSqlSafe(self.sql));
        for value in self.values {
            query = match value {
                Value::Integer(value) => query.bind(value),
                Value::Number(value) => query.bind(value),
                Value::Flag(value) => query.bind(value),
                Value::Time(value) => query.bind(value),
                Value::Ids(value) => query.bind(value),
                Value::Texts(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            };
        }
        query.fetch_all(conn).await
    }
}
