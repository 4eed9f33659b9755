//! In which form the answer comes: what `Accept` prefers of what there is.

use std::cmp::Ordering;

use axum::http::{HeaderMap, header};

use crate::api::ApiError;
use crate::api::error::shown;

/// A form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One object with the killmails, the next page's cursor and whether there is one.
    Json,
    /// One killmail a line.
    Ndjson,
    /// A header row and one row a killmail.
    Csv,
}

/// Every form with its media types, the preferred one first.
const FORMS: [(Form, &[&str]); 3] = [
    (Form::Json, &["application/json"]),
    (
        Form::Ndjson,
        &["application/x-ndjson", "application/ndjson"],
    ),
    (Form::Csv, &["text/csv"]),
];

const ALLOWED: &str = "application/json, application/x-ndjson, text/csv";

impl Form {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// One of the header's media ranges.
struct Range {
    kind: String,
    quality: f64,
}

/// How a form is wanted: by quality, and among equals rather the one that was named.
#[derive(Clone, Copy)]
struct Wish {
    quality: f64,
    specificity: u8,
}

/// The form that the request prefers; JSON where it does not say.
///
/// # Errors
/// [`ApiError::NotAcceptable`] when none is wanted.
pub(super) fn chosen(headers: &HeaderMap) -> Result<Form, ApiError> {
    let accept: Vec<_> = headers
        .get_all(header::ACCEPT)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let accept = accept.join(",");
    let ranges: Vec<Range> = accept.split(',').filter_map(range).collect();
    if ranges.is_empty() && accept.split(',').all(|range| range.trim().is_empty()) {
        return Ok(Form::Json);
    }
    let mut best: Option<(Form, Wish)> = None;
    for (form, kinds) in FORMS {
        let Some(wish) = wish(&ranges, kinds).filter(|wish| wish.quality > 0.0) else {
            continue;
        };
        if best.is_none_or(|(_, other)| is_stronger(wish, other)) {
            best = Some((form, wish));
        }
    }
    best.map(|(form, _)| form)
        .ok_or_else(|| ApiError::NotAcceptable {
            accept: shown(&accept),
            allowed: ALLOWED,
        })
}

fn is_stronger(wish: Wish, other: Wish) -> bool {
    let by_quality = wish.quality.total_cmp(&other.quality);
    by_quality.then(wish.specificity.cmp(&other.specificity)) == Ordering::Greater
}

/// A media range; `None` for one that can't be read.
fn range(text: &str) -> Option<Range> {
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().filter(|kind| kind.contains('/'))?;
    let quality = parts.find_map(|part| part.strip_prefix("q=").map(str::to_owned));
    let quality = match quality {
        None => 1.0,
        Some(text) => text.parse().ok().filter(|it| (0.0..=1.0).contains(it))?,
    };
    Some(Range { kind, quality })
}

/// What the most specific range says of these media types.
fn wish(ranges: &[Range], kinds: &[&str]) -> Option<Wish> {
    let mut found: Option<Wish> = None;
    for range in ranges {
        let specificity = kinds.iter().filter_map(|kind| fit(&range.kind, kind)).max();
        let Some(specificity) = specificity else {
            continue;
        };
        if found.is_none_or(|wish| specificity > wish.specificity) {
            found = Some(Wish {
                quality: range.quality,
                specificity,
            });
        }
    }
    found
}

/// How closely a range fits a media type; `None` where it does not.
fn fit(range: &str, kind: &str) -> Option<u8> {
    let group = range.strip_suffix("/*");
    if range == kind {
        Some(2)
    } else if group.is_some_and(|group| kind.split('/').next() == Some(group)) {
        Some(1)
    } else {
        (range == "*/*").then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn chosen_for(accept: &[&str]) -> Result<Form, ApiError> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, value.parse().unwrap());
        }
        chosen(&headers)
    }

    #[rstest]
    #[case(&[], Form::Json)]
    #[case(&[""], Form::Json)]
    #[case(&["*/*"], Form::Json)]
    #[case(&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Form::Json)]
    #[case(&["text/csv"], Form::Csv)]
    #[case(&["text/*"], Form::Csv)]
    #[case(&["text/csv, */*"], Form::Csv)]
    #[case(&["TEXT/CSV; charset=utf-8"], Form::Csv)]
    #[case(&["application/x-ndjson"], Form::Ndjson)]
    #[case(&["application/ndjson"], Form::Ndjson)]
    #[case(&["application/json;q=0.5, application/x-ndjson;q=0.8"], Form::Ndjson)]
    #[case(&["application/json;q=0.5", "text/csv;q=0.9"], Form::Csv)]
    #[case(&["application/json;q=0, */*"], Form::Ndjson)]
    #[case(&["application/*;q=0.2, text/csv;q=0.1"], Form::Json)]
    #[case(&["text/csv;q=broken, application/json"], Form::Json)]
    fn what_is_preferred_is_given(#[case] accept: &[&str], #[case] form: Form) {
        assert_eq!(chosen_for(accept).unwrap(), form);
    }

    #[rstest]
    #[case(&["image/png"])]
    #[case(&["application/json;q=0"])]
    #[case(&["*/*;q=0"])]
    #[case(&["nonsense"])]
    fn what_there_is_not_is_refused_with_what_there_is(#[case] accept: &[&str]) {
        let error = chosen_for(accept).unwrap_err();
        assert_eq!(
            (error.code(), error.status().as_u16()),
            ("not_acceptable", 406)
        );
        assert!(error.to_string().ends_with(ALLOWED), "{error}");
    }
}
