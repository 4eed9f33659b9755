//! Ids in the order in which they were subscribed to.

use std::collections::HashSet;

/// A set that keeps its order.
#[derive(Debug, Default)]
pub(super) struct IdSet {
    order: Vec<i64>,
    members: HashSet<i64>,
}

impl IdSet {
    /// Those of `ids` that are not in it, each once.
    pub(super) fn missing(&self, ids: &[i64]) -> Vec<i64> {
        let mut seen = HashSet::new();
        let missing = |id: &i64| !self.members.contains(id) && seen.insert(*id);
        ids.iter().copied().filter(missing).collect()
    }

    /// Adds ids that are [`missing`](Self::missing).
    pub(super) fn extend(&mut self, ids: &[i64]) {
        for id in ids {
            if self.members.insert(*id) {
                self.order.push(*id);
            }
        }
    }

    /// Takes ids out. Returns those that were in it.
    pub(super) fn remove(&mut self, ids: &[i64]) -> HashSet<i64> {
        let removed: HashSet<i64> = ids
            .iter()
            .copied()
            .filter(|id| self.members.remove(id))
            .collect();
        self.order.retain(|id| !removed.contains(id));
        removed
    }

    /// The ids in their order.
    pub(super) fn as_slice(&self) -> &[i64] {
        &self.order
    }

    pub(super) fn contains(&self, id: i64) -> bool {
        self.members.contains(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

impl From<&[i64]> for IdSet {
    fn from(ids: &[i64]) -> Self {
        let mut set = Self::default();
        set.extend(ids);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_subscribing() {
        let mut set = IdSet::from(&[3, 1, 3, 2][..]);
        assert_eq!(set.as_slice(), [3, 1, 2]);
        assert_eq!(set.missing(&[2, 9, 9, 4]), [9, 4]);
        assert_eq!(set.remove(&[1, 7]), HashSet::from([1]));
        set.extend(&[1]);
        assert_eq!(set.as_slice(), [3, 2, 1]);
        assert!(set.contains(1) && !set.contains(7));
    }
}
