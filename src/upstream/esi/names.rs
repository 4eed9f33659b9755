use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use serde_json::Value;

use super::bisection::Bisection;
use super::client::EsiClient;
use super::directory::{EsiError, NamedId, NamesAnswer};
use super::events::BatchRefused;
use super::gate::{LIMITS, dated, is_refused};
use super::operation::Operation;
use super::wire::{self, clean};
use crate::upstream::http::{Error, Request, Result};

/// The most ids that ESI takes at once.
const BATCH: usize = 1_000;
/// An answer that names none of so many ids is not believed.
const NONE_OF: usize = 10;

impl EsiClient {
    /// Names of up to 1000 distinct ids with one request, and a bisection where ESI refuses the batch. More
    /// ids take more requests.
    pub async fn names(&self, ids: &[i64]) -> NamesAnswer {
        let mut answer = NamesAnswer::default();
        let mut seen = HashSet::new();
        let mut possible: Vec<i64> = Vec::new();
        for id in ids.iter().copied().filter(|id| seen.insert(*id)) {
            if id > 0 {
                possible.push(id);
            } else {
                answer.refused.push(id);
            }
        }
        for batch in possible.chunks(BATCH) {
            if answer.error.is_some() {
                answer.unanswered.extend(batch);
            } else {
                self.name_batch(batch.to_vec(), &mut answer).await;
            }
        }
        answer
    }

    async fn name_batch(&self, ids: Vec<i64>, answer: &mut NamesAnswer) {
        let mut search = Bisection::new(ids);
        while !search.next().is_empty() {
            match self.ask_names(search.next()).await {
                Ok(mut names) => {
                    for id in search.next() {
                        match names.remove(id) {
                            Some(found) => answer.named.push(found),
                            None => answer.refused.push(*id),
                        }
                    }
                    search.passed();
                }
                Err(error) if is_refused(&error, &[400, 404]) => {
                    BatchRefused {
                        ids: search.next().len(),
                    }
                    .emit();
                    search.failed();
                }
                Err(error) => {
                    answer.error = Some(error);
                    break;
                }
            }
        }
        let (refused, unanswered) = search.into_parts();
        answer.refused.extend(refused);
        answer.unanswered.extend(unanswered);
    }

    async fn ask_names(&self, ids: &[i64]) -> Result<HashMap<i64, NamedId>, EsiError> {
        let url = self.url(&Operation::Names.path(0))?;
        let body = serde_json::to_vec(ids).map_err(|error| unreadable(error.to_string()))?;
        let request = dated(Request::post_json(url, Bytes::from(body), LIMITS));
        self.ask(Operation::Names, request, |body| read(&body, ids))
            .await
    }
}

/// The names in an answer, by id; entries without a usable id or name count as absent.
fn read(body: &[u8], asked: &[i64]) -> Result<HashMap<i64, NamedId>> {
    let rows: Vec<Value> = wire::read("universe/names", body)?;
    let names: HashMap<i64, NamedId> = rows
        .iter()
        .filter_map(named)
        .map(|named| (named.id, named))
        .collect();
    if asked.len() >= NONE_OF && !asked.iter().any(|id| names.contains_key(id)) {
        return Err(unreadable("none of the names asked for".to_owned()));
    }
    Ok(names)
}

fn named(row: &Value) -> Option<NamedId> {
    let text = |field: &str| row.get(field).and_then(Value::as_str).map(clean);
    Some(NamedId {
        id: row.get("id")?.as_i64()?,
        name: text("name").filter(|name| !name.is_empty())?,
        category: text("category")?,
    })
}

fn unreadable(reason: String) -> Error {
    Error::Unreadable {
        at: Operation::Names.path(0),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain(r#"[{"id":7,"name":"Ann","category":"character"}]"#, Some(("Ann", "character")))]
    #[case::unknown_category(r#"[{"id":7,"name":"Ann","category":"moon"}]"#, Some(("Ann", "moon")))]
    #[case::control_characters(r#"[{"id":7,"name":" A\u0000n\nn ","category":"character"}]"#, Some(("Ann", "character")))]
    #[case::more_fields(r#"[{"id":7,"name":"Ann","category":"character","since":{}}]"#, Some(("Ann", "character")))]
    #[case::among_garbage(r#"[null,3,{"id":"7"},{"id":7,"name":"Ann","category":"character"},[]]"#, Some(("Ann", "character")))]
    #[case::an_id_in_words(r#"[{"id":"seven","name":"Ann","category":"character"}]"#, None)]
    #[case::a_fraction(r#"[{"id":7.5,"name":"Ann","category":"character"}]"#, None)]
    #[case::too_large(r#"[{"id":1e300,"name":"Ann","category":"character"}]"#, None)]
    #[case::nothing_but_control(r#"[{"id":7,"name":"\u0007","category":"character"}]"#, None)]
    #[case::no_category(r#"[{"id":7,"name":"Ann"}]"#, None)]
    #[case::nobody("[]", None)]
    fn rows_are_read_leniently(#[case] body: &str, #[case] expected: Option<(&str, &str)>) {
        let names = read(body.as_bytes(), &[7]).unwrap();
        let found = names
            .get(&7)
            .map(|it| (it.name.as_str(), it.category.as_str()));
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case::an_object(r#"{"id":7}"#)]
    #[case::half(r#"[{"id":7,"na"#)]
    #[case::none_of_many("[]")]
    fn what_is_no_answer_is_an_error(#[case] body: &str) {
        let asked: Vec<i64> = (1..=10).collect();
        assert!(read(body.as_bytes(), &asked).is_err());
    }
}
