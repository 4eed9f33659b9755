use std::time::Duration;

use super::start::Hole;
use crate::upstream::http::Retry;

/// What to ask for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `sequence.json`.
    Head,
    /// The document of this number.
    Document(i64),
}

/// The next step: wait, then ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// How long to wait first.
    pub wait: Duration,
    /// What to ask for then.
    pub ask: Ask,
}

/// What came of asking for a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A whole document.
    Document {
        /// The number it says it has; `None` where it says nothing.
        number: Option<i64>,
        /// An earlier number that was uploaded again.
        updated: Option<i64>,
        /// Whether it is a killmail (or the reference to one); if not, asking again will not help.
        readable: bool,
    },
    /// Bytes that are no document: cut off, HTML, empty.
    Unreadable,
    /// 404: not there yet, or never.
    Missing,
    /// No answer, or one that says to come back.
    Failed(Retry),
}

/// What came of asking for `sequence.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadAnswer {
    /// Its number.
    Number(i64),
    /// No answer, or one that says to come back.
    Failed(Retry),
}

/// A number that is passed over for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassedOver {
    /// The number.
    pub number: i64,
    /// Why.
    pub reason: Why,
}

/// Why a number has to be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It stayed 404 (or another number's document) while later ones were there.
    Missing,
    /// It could not be read.
    Garbage,
    /// It was uploaded again.
    Updated,
}

/// The stored position's next value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The last number that is done.
    pub number: i64,
    /// It lies below the stored one on purpose.
    pub rewind: bool,
}

/// Something a person should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alert {
    /// Nothing new for this long.
    Stale(Duration),
    /// The server banned this address; it is left alone for this long.
    Banned(Duration),
    /// The position was nonsense and is set back to this number.
    SnappedBack(i64),
}

/// What an answer leads to. All of it is committed together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// Hand the answer's bytes to the pipeline.
    pub deliver: bool,
    /// The position after it.
    pub position: Option<Position>,
    /// Numbers to ask for again later.
    pub passed_over: Vec<PassedOver>,
    /// Numbers skipped for good.
    pub hole: Option<Hole>,
    /// Something to say.
    pub alert: Option<Alert>,
}
