//! The groups of all ships of a killmail in a few bytes, by which an index rules killmails out.
//!
//! Two bytes a group: the first with its highest bit set and seven bits of the group, the second with the last seven. So
//! a code is never found between two others.

use std::collections::BTreeSet;

use super::insert::group_of;
use crate::domain::{Enrichment, Killmail};

/// The most groups that a killmail may have to be coded: a large battle has some 40, and an index takes no more than
/// 2.7 kB a row. The same number stands in the SQL function of this name.
const MAX_GROUPS: usize = 64;

/// The code of one group; there are codes for 0 to 16,383, ten times the game's highest.
pub(super) fn code(group_id: i64) -> Option<[u8; 2]> {
    let first = u8::try_from(group_id >> 7).ok().filter(|it| *it < 0x80)?;
    let last = u8::try_from(group_id & 0x7f).ok()?;
    Some([0x80 | first, last])
}

/// What `killmails.ship_group_codes` is for a new killmail; `None` where the group of a ship is not known, or has no
/// code.
pub(super) fn codes(killmail: &Killmail, enrichment: &Enrichment) -> Option<Vec<u8>> {
    let attackers = killmail.attackers.iter().map(|it| it.ship_type_id);
    let types = attackers.chain([killmail.victim.ship_type_id]);
    codes_of(types.flatten(), enrichment)
}

fn codes_of(types: impl Iterator<Item = i64>, enrichment: &Enrichment) -> Option<Vec<u8>> {
    let groups: Option<BTreeSet<i64>> = types
        .map(|type_id| group_of(Some(type_id), enrichment))
        .collect();
    let groups = groups.filter(|groups| groups.len() <= MAX_GROUPS)?;
    let codes: Option<Vec<[u8; 2]>> = groups.into_iter().map(code).collect();
    Some(codes?.concat())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::ShipType;

    fn enrichment(groups: &[(i64, i64)]) -> Enrichment {
        let mut enrichment = Enrichment::default();
        for (type_id, group_id) in groups {
            let known = ShipType {
                type_id: *type_id,
                name: String::new(),
                group_id: *group_id,
                group_name: String::new(),
                category_id: 6,
                category_name: String::new(),
                published: true,
            };
            enrichment.ship_types.insert(*type_id, Arc::new(known));
        }
        enrichment
    }

    #[test]
    fn each_group_stands_once_and_no_code_lies_across_two() {
        let enrichment = enrichment(&[(1, 25), (2, 831), (3, 25), (4, 128 * 25)]);
        let codes = codes_of([1, 2, 3, 4].into_iter(), &enrichment).unwrap();
        assert_eq!(codes, [0x80, 25, 0x86, 63, 0x99, 0]);
        let found: Vec<i64> = (0..16_384)
            .filter(|group| {
                codes
                    .windows(2)
                    .any(|two| code(*group).is_some_and(|code| two == code))
            })
            .collect();
        assert_eq!(found, [25, 831, 128 * 25]);
    }

    #[test]
    fn who_has_no_ship_has_no_group_and_an_unknown_group_makes_all_unknown() {
        let enrichment = enrichment(&[(1, 25), (3, 16_384), (4, -1)]);
        let of = |types: &[i64]| codes_of(types.iter().copied(), &enrichment);
        assert_eq!(of(&[]), Some(Vec::new()));
        assert_eq!(of(&[1, 1]), Some(vec![0x80, 25]));
        for uncoded in [2, 3, 4] {
            assert_eq!(of(&[1, uncoded]), None);
        }
    }

    #[test]
    fn so_many_groups_that_an_index_could_not_take_them_are_not_coded() {
        let types: Vec<(i64, i64)> = (1..=65).map(|id| (id, id)).collect();
        let enrichment = enrichment(&types);
        let of = |most| codes_of(1..=most, &enrichment).map(|codes| codes.len());
        assert_eq!(of(64), Some(128));
        assert_eq!(of(65), None);
    }
}
