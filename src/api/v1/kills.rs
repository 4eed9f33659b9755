//! Lists of killmails, put together from the text that is stored.

use chrono::{DateTime, Utc};

use super::read::Span;
use crate::api::limits::{HISTORY_CHUNK, MAX_PAGE_BYTES};
use crate::api::{ApiError, ApiState};
use crate::store::killmails::history::{self, Before, Interests, PastKillmail};

/// Documents of one answer, as the JSON of a list.
#[derive(Debug, Default)]
pub(super) struct Kills {
    /// `[…]`, complete.
    pub(super) json: String,
    /// There were more than an answer may hold.
    pub(super) truncated: bool,
}

/// What is left of an answer's size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room(usize);

impl Room {
    /// A whole answer.
    pub(super) fn whole() -> Self {
        Self(MAX_PAGE_BYTES)
    }

    /// Takes the room of one document; false when it does not fit.
    fn take(&mut self, document: &str) -> bool {
        match self.0.checked_sub(document.len().saturating_add(1)) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

/// Joins documents, as many as there is room for.
pub(super) fn join<'a>(documents: impl Iterator<Item = &'a str>, room: &mut Room) -> Kills {
    let mut kills = Kills {
        json: String::from("["),
        truncated: false,
    };
    for document in documents {
        if !room.take(document) {
            kills.truncated = true;
            break;
        }
        if kills.json.len() > 1 {
            kills.json.push(',');
        }
        kills.json.push_str(document);
    }
    kills.json.push(']');
    kills
}

/// What follows a list that had to be cut; nothing after one that is complete.
pub(super) fn mark(truncated: bool) -> &'static str {
    if truncated {
        r#","truncated":true"#
    } else {
        ""
    }
}

/// Whose killmails a list has.
#[derive(Debug)]
pub(super) enum Whose {
    /// Those of one system.
    System(i64),
    /// Those in which one character took part.
    Character(i64),
}

impl Whose {
    /// The newest killmails of a span that ends `now`.
    pub(super) async fn newest(
        &self,
        state: &ApiState,
        span: Span,
        now: DateTime<Utc>,
    ) -> Result<Kills, ApiError> {
        let since = span.since(now);
        let mut found: Vec<PastKillmail> = Vec::new();
        let mut bytes = 0_usize;
        let mut left = span.limit;
        while left > 0 && bytes <= MAX_PAGE_BYTES {
            let before = found.last().map_or(Before::END, Before::killmail);
            let wanted = left.min(HISTORY_CHUNK);
            let rows = self.page(state, since, before, wanted).await?;
            let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            bytes += rows.iter().map(|row| row.document.len()).sum::<usize>();
            found.extend(rows);
            left = left.saturating_sub(count);
            if count < wanted {
                break;
            }
        }
        let documents = found.iter().map(|row| row.document.as_str());
        Ok(join(documents, &mut Room::whole()))
    }

    async fn page(
        &self,
        state: &ApiState,
        since: DateTime<Utc>,
        before: Before,
        limit: i64,
    ) -> crate::store::Result<Vec<PastKillmail>> {
        let pool = &state.store.reads.any().await.reads;
        match self {
            Self::System(id) => history::in_systems(pool, &[*id], since, before, limit).await,
            Self::Character(id) => {
                let interests = Interests {
                    characters: vec![*id],
                    ..Interests::default()
                };
                history::of_interests(pool, &interests, since, before, limit).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_and_said() {
        let mut room = Room(9);
        let all = join(["{1}", "{2}"].into_iter(), &mut room);
        assert_eq!((all.json.as_str(), all.truncated), ("[{1},{2}]", false));
        let rest = join(["{3}"].into_iter(), &mut room);
        assert_eq!((rest.json.as_str(), rest.truncated), ("[]", true));
        assert_eq!(join(std::iter::empty(), &mut room).json, "[]");
    }
}
