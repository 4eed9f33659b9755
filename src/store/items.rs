//! Items as their rows keep them: three numbers a stack, where those say everything.

use std::ops::Deref;

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef, Postgres};
use sqlx::{Decode, Type};

use crate::domain::{Item, wire};

/// `singleton` is 0, 1 or 2; it lies in the lowest two bits of the second number.
const SINGLETONS: i64 = 4;

/// Numbers of a stack: its type; flag times 4 plus singleton; how many, below 0 where they were destroyed.
const STACK: usize = 3;

/// Bytes before the elements of a one-dimensional array as PostgreSQL sends it: dimensions, flags, type, length, first
/// index.
const ARRAY_HEADER: usize = 20;
/// Bytes of an element: its length, and 4 of its own.
const ARRAY_ELEMENT: usize = 8;
/// The first byte of an array's dimensions; JSON has none such.
const ARRAY_BEGINNING: u8 = 0;

/// Items as JSON, as ESI writes them; read from what a row has of them:
/// `coalesce(array_send(item_stacks), convert_to(items::text, 'UTF8'))`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items(pub String);

impl Deref for Items {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Type<Postgres> for Items {
    fn type_info() -> PgTypeInfo {
        <Vec<u8> as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Items {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = <&[u8] as Decode<'r, Postgres>>::decode(value)?;
        if bytes.first() != Some(&ARRAY_BEGINNING) {
            return Ok(Self(str::from_utf8(bytes)?.to_owned()));
        }
        let items = unpack(bytes).ok_or("not an array of three numbers a stack")?;
        Ok(Self(wire::items(&items)))
    }
}

/// What a row is to have of a killmail's items: neither where there are none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Packed {
    /// For `item_stacks`.
    pub(super) stacks: Option<Vec<i32>>,
    /// For `items`: what the numbers can't say.
    pub(super) json: Option<String>,
}

impl Packed {
    pub(super) fn of(items: &[Item]) -> Self {
        if items.is_empty() {
            return Self::default();
        }
        let stacks = items.iter().map(stack).collect::<Option<Vec<_>>>();
        Self {
            json: stacks.is_none().then(|| wire::items(items)),
            stacks: stacks.map(|stacks| stacks.concat()),
        }
    }
}

/// `None` for a container with something in it, and for numbers that nobody has seen yet.
fn stack(item: &Item) -> Option<[i32; STACK]> {
    let quantity = match (item.quantity_dropped, item.quantity_destroyed) {
        (Some(dropped), None) => Some(dropped).filter(|it| *it > 0),
        (None, Some(destroyed)) => Some(destroyed).filter(|it| *it > 0).map(|it| -it),
        _ => None,
    }?;
    let known = (0..SINGLETONS).contains(&item.singleton) && item.flag >= 0;
    let place = item
        .flag
        .checked_mul(SINGLETONS)?
        .checked_add(item.singleton)?;
    let numbers = [item.item_type_id, place, quantity].map(|number| i32::try_from(number).ok());
    match numbers {
        [Some(item_type_id), Some(place), Some(quantity)] if known && item.items.is_empty() => {
            Some([item_type_id, place, quantity])
        }
        _ => None,
    }
}

fn unpack(array: &[u8]) -> Option<Vec<Item>> {
    let elements = array.get(ARRAY_HEADER..)?.chunks_exact(ARRAY_ELEMENT);
    let numbers: Vec<i64> = elements
        .map(|element| {
            let number = element.last_chunk().copied().unwrap_or_default();
            i64::from(i32::from_be_bytes(number))
        })
        .collect();
    let (stacks, []) = numbers.as_chunks::<STACK>() else {
        return None;
    };
    let item = |[item_type_id, place, quantity]: &[i64; STACK]| Item {
        item_type_id: *item_type_id,
        flag: place / SINGLETONS,
        singleton: place % SINGLETONS,
        quantity_destroyed: (*quantity < 0).then_some(-quantity),
        quantity_dropped: (*quantity > 0).then_some(*quantity),
        items: Vec::new(),
    };
    Some(stacks.iter().map(item).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(quantity_dropped: Option<i64>, quantity_destroyed: Option<i64>) -> Item {
        Item {
            item_type_id: 2048,
            flag: 27,
            singleton: 2,
            quantity_destroyed,
            quantity_dropped,
            items: Vec::new(),
        }
    }

    /// As PostgreSQL sends it.
    fn sent(numbers: &[i32]) -> Vec<u8> {
        let header = [1, 0, 23, i32::try_from(numbers.len()).unwrap(), 1];
        let elements = numbers.iter().flat_map(|number| [4, *number]);
        (header.into_iter().chain(elements))
            .flat_map(i32::to_be_bytes)
            .collect()
    }

    #[test]
    fn stacks_come_back() {
        let items = [item(Some(7), None), item(None, Some(i64::from(i32::MAX)))];
        let packed = Packed::of(&items);
        let stacks = packed.stacks.unwrap();
        assert_eq!(stacks, [2048, 110, 7, 2048, 110, -i32::MAX]);
        assert_eq!(packed.json, None);
        assert_eq!(unpack(&sent(&stacks)).unwrap(), items);
    }

    #[test]
    fn what_numbers_cannot_say_stays_json() {
        assert_eq!(Packed::of(&[]), Packed::default());
        let container = Item {
            items: vec![item(Some(1), None)],
            ..item(Some(1), None)
        };
        for odd in [
            container,
            item(None, None),
            item(Some(1), Some(1)),
            item(Some(0), None),
            item(Some(-3), None),
            item(Some(1 << 40), None),
            Item {
                flag: -1,
                ..item(Some(1), None)
            },
            Item {
                flag: i64::MAX,
                ..item(Some(1), None)
            },
            Item {
                singleton: 4,
                ..item(Some(1), None)
            },
            Item {
                item_type_id: 1 << 33,
                ..item(Some(1), None)
            },
        ] {
            let items = [item(Some(1), None), odd];
            let packed = Packed::of(&items);
            assert_eq!(
                (packed.stacks, packed.json),
                (None, Some(wire::items(&items)))
            );
        }
    }

    #[test]
    fn an_array_of_something_else_is_refused() {
        assert_eq!(unpack(&sent(&[1, 2])), None);
        assert_eq!(unpack(&[0, 0]), None);
    }
}
