//! Who fought with whom, told from killmails alone.
//!
//! A *group* is an alliance, or a corporation without one, or a faction without either. Two groups are *friends* for
//! each killmail on which both attacked and *foes* for each on which one attacked the other. What is between them
//! is the number of the former less twice that of the latter.
//!
//! 1. Every group is a party by itself. The two parties with most between them become one, as long as that is more than
//!    nothing; among equals those with the lowest groups. Between parties is what is between their groups together.
//! 2. The two parties that were foes most often are the two sides; the one with the victim of the killmail that was
//!    asked for comes first, else the one with the lowest group.
//! 3. Every other party joins the side whose foe it was less often than the other's, where there is a difference: those
//!    who only came to shoot at one side belong to the other. The rest is neither's.

use std::collections::{BTreeMap, BTreeSet};

use super::names::EntityKind;

/// Most groups that are told apart; further ones are neither side's. The work grows with their square.
pub const MOST_GROUPS: usize = 300;

/// Weight of having shot at each other against having shot together: third parties end up on killmails of both sides.
const FOE: i64 = 2;

/// An alliance, a corporation without one, or a faction without either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// Which of them.
    pub kind: EntityKind,
    /// Its id.
    pub id: i64,
}

impl Group {
    /// The group of a participant; `None` for one who has none of these.
    pub fn of(
        alliance: Option<i64>,
        corporation: Option<i64>,
        faction: Option<i64>,
    ) -> Option<Self> {
        let of = |kind: EntityKind, id: Option<i64>| id.map(|id| Self { kind, id });
        of(EntityKind::Alliance, alliance)
            .or_else(|| of(EntityKind::Corporation, corporation))
            .or_else(|| of(EntityKind::Faction, faction))
    }
}

/// What a killmail says about groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Engagement {
    /// Groups of the attackers, each once.
    pub attackers: Vec<Group>,
    /// The victim's.
    pub victim: Option<Group>,
}

/// Where a group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// With the victim that was asked for, where it is of either.
    First,
    /// Against them.
    Second,
    /// Neither.
    Neither,
}

/// How often two groups met.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    friends: i64,
    foes: i64,
}

impl Met {
    fn between(self) -> i64 {
        self.friends - FOE * self.foes
    }
}

/// Groups that belong together, with what they have to do with the other parties.
struct Parties {
    /// By party; a party that was merged into another has no groups.
    groups: Vec<BTreeSet<Group>>,
    met: Vec<Vec<Met>>,
}

/// Where every group stands. `asked` is the group of the victim that was asked for.
pub fn sides(engagements: &[Engagement], asked: Option<Group>) -> BTreeMap<Group, Side> {
    let mut parties = Parties::of(engagements);
    while let Some((into, from)) = parties.closest() {
        parties.merge(into, from);
    }
    let mut sides = parties.sides(asked);
    for group in engagements.iter().flat_map(Engagement::groups) {
        sides.entry(group).or_insert(Side::Neither);
    }
    sides
}

impl Engagement {
    fn groups(&self) -> impl Iterator<Item = Group> {
        self.attackers.iter().copied().chain(self.victim)
    }
}

impl Parties {
    fn of(engagements: &[Engagement]) -> Self {
        let mut occurrences: BTreeMap<Group, usize> = BTreeMap::new();
        for group in engagements.iter().flat_map(Engagement::groups) {
            *occurrences.entry(group).or_default() += 1;
        }
        let mut most: Vec<(Group, usize)> = occurrences.into_iter().collect();
        most.sort_by_key(|(group, count)| (std::cmp::Reverse(*count), *group));
        most.truncate(MOST_GROUPS);
        let known: BTreeSet<Group> = most.into_iter().map(|(group, _)| group).collect();
        let index: BTreeMap<Group, usize> = known.iter().copied().zip(0..).collect();
        let mut parties = Self {
            groups: known.iter().map(|group| [*group].into()).collect(),
            met: vec![vec![Met::default(); known.len()]; known.len()],
        };
        for engagement in engagements {
            let known = |group: &Group| index.get(group).copied();
            let attackers: Vec<usize> = engagement.attackers.iter().filter_map(known).collect();
            let victim = engagement.victim.as_ref().and_then(known);
            for (place, attacker) in attackers.iter().enumerate() {
                for other in attackers.iter().skip(place + 1) {
                    parties.note(*attacker, *other, |met| met.friends += 1);
                }
                if let Some(victim) = victim {
                    parties.note(*attacker, victim, |met| met.foes += 1);
                }
            }
        }
        parties
    }

    /// Who shoots at the own group says nothing.
    fn note(&mut self, one: usize, other: usize, note: impl Fn(&mut Met)) {
        if one == other {
            return;
        }
        for (row, column) in [(one, other), (other, one)] {
            let met = self.met.get_mut(row).and_then(|row| row.get_mut(column));
            if let Some(met) = met {
                note(met);
            }
        }
    }

    fn met(&self, one: usize, other: usize) -> Met {
        let row = self.met.get(one);
        row.and_then(|row| row.get(other).copied())
            .unwrap_or_default()
    }

    /// Parties that have groups, in order of their lowest ones.
    fn standing(&self) -> Vec<usize> {
        let standing = self.groups.iter().enumerate();
        let standing = standing.filter(|(_, groups)| !groups.is_empty());
        standing.map(|(party, _)| party).collect()
    }

    /// Pairs of parties, those with the lowest groups first.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let standing = self.standing();
        let others = standing.clone();
        standing.into_iter().flat_map(move |one| {
            let others = others.clone().into_iter();
            others
                .filter(move |other| one < *other)
                .map(move |other| (one, other))
        })
    }

    fn closest(&self) -> Option<(usize, usize)> {
        self.greatest(Met::between)
    }

    /// The first pair with most of something, if it is more than nothing.
    fn greatest(&self, of: impl Fn(Met) -> i64) -> Option<(usize, usize)> {
        let mut best = None;
        let mut most = 0;
        for (one, other) in self.pairs() {
            let value = of(self.met(one, other));
            if value > most {
                (best, most) = (Some((one, other)), value);
            }
        }
        best
    }

    /// Merges the later party into the earlier one, which keeps the lowest group of both.
    fn merge(&mut self, into: usize, from: usize) {
        let moved = self.groups.get_mut(from).map(std::mem::take);
        if let (Some(groups), Some(moved)) = (self.groups.get_mut(into), moved) {
            groups.extend(moved);
        }
        for other in self.standing() {
            let met = self.met(from, other);
            self.note(into, other, |sum| {
                sum.friends += met.friends;
                sum.foes += met.foes;
            });
        }
    }

    fn sides(&self, asked: Option<Group>) -> BTreeMap<Group, Side> {
        let mut sides = BTreeMap::new();
        let Some((mut first, mut second)) = self.greatest(|met| met.foes) else {
            return sides;
        };
        let is_of = |party: usize| {
            let groups = self.groups.get(party);
            asked.is_some_and(|asked| groups.is_some_and(|groups| groups.contains(&asked)))
        };
        if is_of(second) {
            (first, second) = (second, first);
        }
        for party in self.standing() {
            let with = |other: usize| self.met(party, other).foes;
            let side = match with(first).cmp(&with(second)) {
                _ if party == first => Side::First,
                _ if party == second => Side::Second,
                std::cmp::Ordering::Less => Side::First,
                std::cmp::Ordering::Greater => Side::Second,
                std::cmp::Ordering::Equal => Side::Neither,
            };
            let groups = self.groups.get(party).into_iter().flatten();
            sides.extend(groups.map(|group| (*group, side)));
        }
        sides
    }
}

#[cfg(test)]
mod tests;
