//! Where a page ended, as a text for clients to hand back: order, time and id, with a checksum. The feed's head of
//! then is in it too: the next page is not read from a replica that is not as far.
//!
//! The checksum keeps cursors of elsewhere, and cut or edited ones, from being taken for a place. It is no
//! secret: whoever makes a cursor up only begins at another place of a list that is open anyway.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike as _};
use sha2::{Digest as _, Sha256};

use crate::domain::FeedSequence;
use crate::store::killmails::query::{Order, Place};

/// Goes into the checksum; another form of cursors has another name.
const NAME: &[u8] = b"wanderer-kills killmails cursor 2";

/// Bytes: one for the order, eight each for time, id and the feed's head, and the checksum's.
const PLACE_BYTES: usize = 25;
const CHECKSUM_BYTES: usize = 4;

/// The cursor behind `place`, read from a database that held the feed up to `head`.
pub(super) fn write(order: Order, place: Place, head: FeedSequence) -> String {
    let mut bytes = Vec::with_capacity(PLACE_BYTES + CHECKSUM_BYTES);
    bytes.push(letter(order));
    bytes.extend_from_slice(&place.killmail_time.timestamp_micros().to_be_bytes());
    bytes.extend_from_slice(&place.killmail_id.to_be_bytes());
    bytes.extend_from_slice(&head.0.to_be_bytes());
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place and the feed's head of a cursor that was made for this order; `None` for every other text.
pub(super) fn read(order: Order, text: &str) -> Option<(Place, FeedSequence)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (place, given) = bytes.split_at_checked(PLACE_BYTES)?;
    let (made_for, numbers) = place.split_first()?;
    let (time, numbers) = numbers.split_at_checked(8)?;
    let (id, head) = numbers.split_at_checked(8)?;
    if given != checksum(place) || *made_for != letter(order) {
        return None;
    }
    let killmail_time = DateTime::from_timestamp_micros(i64::from_be_bytes(time.try_into().ok()?))?;
    let killmail_id = i64::from_be_bytes(id.try_into().ok()?);
    // Beyond these years the database has no time.
    let is_place = (0..10_000).contains(&killmail_time.year()) && killmail_id > 0;
    let head = FeedSequence(i64::from_be_bytes(head.try_into().ok()?));
    let place = Place {
        killmail_time,
        killmail_id,
    };
    is_place.then_some((place, head))
}

fn letter(order: Order) -> u8 {
    match order {
        Order::Newest => b'n',
        Order::Oldest => b'o',
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut digest = Sha256::new();
    digest.update(NAME);
    digest.update(bytes);
    let digest: [u8; 32] = digest.finalize().into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place() -> impl Strategy<Value = Place> {
        (
            -60_000_000_000_000_000_i64..250_000_000_000_000_000,
            1..=i64::MAX,
        )
            .prop_map(|(time, id)| Place {
                killmail_time: DateTime::from_timestamp_micros(time).unwrap(),
                killmail_id: id,
            })
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_in_its_own_order_only(place in place(), head in 0..=i64::MAX) {
            let text = write(Order::Newest, place, FeedSequence(head));
            prop_assert_eq!(read(Order::Newest, &text), Some((place, FeedSequence(head))));
            prop_assert_eq!(read(Order::Oldest, &text), None);
            prop_assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        }

        #[test]
        fn an_edited_cursor_is_none(place in place(), at in 0..39_usize, to in "[A-Za-z0-9_-]") {
            let text = write(Order::Oldest, place, FeedSequence(7));
            let mut edited = text.clone();
            edited.replace_range(at..=at, &to);
            prop_assert_eq!(read(Order::Oldest, &edited).is_some(), edited == text);
        }

        #[test]
        fn other_texts_are_none(text in ".{0,40}") {
            prop_assert_eq!(read(Order::Newest, &text), None);
        }
    }
}
