use super::*;

fn group(id: i64) -> Group {
    Group {
        kind: EntityKind::Alliance,
        id,
    }
}

fn engagement(attackers: &[i64], victim: i64) -> Engagement {
    Engagement {
        attackers: attackers.iter().copied().map(group).collect(),
        victim: Some(group(victim)),
    }
}

fn told(engagements: &[Engagement], asked: i64) -> Vec<(i64, Side)> {
    let sides = sides(engagements, Some(group(asked)));
    sides
        .into_iter()
        .map(|(group, side)| (group.id, side))
        .collect()
}

#[test]
fn who_shoots_together_belongs_together() {
    let battle = [
        engagement(&[1, 2], 3),
        engagement(&[1, 2], 4),
        engagement(&[3, 4], 1),
    ];
    let expected = [
        (1, Side::Second),
        (2, Side::Second),
        (3, Side::First),
        (4, Side::First),
    ];
    assert_eq!(told(&battle, 3), expected);
}

#[test]
fn a_third_party_on_a_few_killmails_joins_nobody_into_one() {
    let mut battle = vec![engagement(&[1], 2); 5];
    battle.extend(vec![engagement(&[2], 1); 5]);
    battle.push(engagement(&[1, 9], 2));
    battle.push(engagement(&[2, 9], 1));
    let sides = told(&battle, 1);
    assert!(sides.contains(&(1, Side::First)) && sides.contains(&(2, Side::Second)));
}

#[test]
fn who_only_shoots_at_one_side_is_of_the_other() {
    let battle = [
        engagement(&[1], 2),
        engagement(&[1], 2),
        engagement(&[5], 2),
        engagement(&[6], 7),
    ];
    let expected = [
        (1, Side::Second),
        (2, Side::First),
        (5, Side::Second),
        (6, Side::Neither),
        (7, Side::Neither),
    ];
    assert_eq!(told(&battle, 2), expected);
}

#[test]
fn the_order_of_killmails_says_nothing() {
    let mut battle = vec![
        engagement(&[1, 2], 3),
        engagement(&[3, 9], 2),
        engagement(&[4, 3], 1),
        engagement(&[1, 9], 4),
    ];
    let before = told(&battle, 1);
    battle.reverse();
    assert_eq!(told(&battle, 1), before);
}

#[test]
fn nobody_against_nobody() {
    let alone = Engagement {
        attackers: vec![group(1)],
        victim: None,
    };
    assert_eq!(
        told(&[alone, engagement(&[2], 2)], 2),
        [(1, Side::Neither), (2, Side::Neither)]
    );
}

#[test]
fn a_group_is_the_widest_there_is() {
    let of = |a, c, f| Group::of(a, c, f).map(|group| group.kind);
    assert_eq!(of(Some(1), Some(2), Some(3)), Some(EntityKind::Alliance));
    assert_eq!(of(None, Some(2), Some(3)), Some(EntityKind::Corporation));
    assert_eq!(of(None, None, Some(3)), Some(EntityKind::Faction));
    assert_eq!(of(None, None, None), None);
}
