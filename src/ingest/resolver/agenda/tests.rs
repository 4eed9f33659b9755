use std::collections::HashSet;

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn pilot(id: i64) -> Subject {
    let kind = EntityKind::Character;
    Subject::Entity(EntityKey { kind, id })
}

fn corporation(id: i64) -> Subject {
    let kind = EntityKind::Corporation;
    Subject::Entity(EntityKey { kind, id })
}

fn question(subject: Subject, urgency: Urgency, foremost: bool) -> Question {
    Question::of(subject, false, urgency, foremost)
}

fn ids(questions: &[Question]) -> Vec<i64> {
    questions.iter().map(|it| it.subject.id()).collect()
}

#[rstest]
#[case(pilot(1), false, Need::Name)]
#[case(corporation(1), false, Need::NameAndTicker)]
#[case(corporation(1), true, Need::Details)]
#[case(Subject::ShipType(1), false, Need::Details)]
#[case(Subject::SolarSystem(1), false, Need::Details)]
fn needs(#[case] subject: Subject, #[case] named: bool, #[case] need: Need) {
    assert_eq!(Question::of(subject, named, Urgency::Live, true).need, need);
}

#[test]
fn urgent_before_foremost_before_early() {
    let mut agenda = Agenda::new(10);
    for (id, urgency, foremost) in [
        (1, Urgency::Refresh, true),
        (2, Urgency::Heal, false),
        (3, Urgency::Live, false),
        (4, Urgency::Live, true),
        (5, Urgency::Live, true),
        (6, Urgency::Heal, true),
    ] {
        agenda.add(question(pilot(id), urgency, foremost));
    }
    agenda.add(question(pilot(2), Urgency::Live, true));
    assert_eq!(ids(&agenda.next_names(1_000)), [4, 5, 2, 3, 6, 1]);
}

#[test]
fn an_id_of_two_kinds_takes_one_place() {
    let mut agenda = Agenda::new(10);
    agenda.add(question(pilot(7), Urgency::Live, false));
    agenda.add(question(corporation(7), Urgency::Live, false));
    agenda.add(question(pilot(8), Urgency::Live, false));
    assert_eq!(ids(&agenda.next_names(1)), [7, 7]);
    assert_eq!(ids(&agenda.next_names(1)), [8]);
}

#[test]
fn beyond_the_limit_the_least_urgent_goes() {
    let mut agenda = Agenda::new(2);
    agenda.add(question(pilot(1), Urgency::Refresh, false));
    agenda.add(question(pilot(2), Urgency::Live, false));
    let dropped = agenda.add(question(pilot(3), Urgency::Heal, false));
    assert_eq!(dropped, Some(pilot(1)));
    let dropped = agenda.add(question(pilot(4), Urgency::Refresh, false));
    assert_eq!(dropped, Some(pilot(4)));
    assert_eq!(ids(&agenda.next_names(9)), [2, 3]);
}

fn any_question() -> impl Strategy<Value = Question> {
    let urgency = prop_oneof![
        Just(Urgency::Live),
        Just(Urgency::Heal),
        Just(Urgency::Refresh)
    ];
    (0..3_u8, 1..40_i64, urgency, any::<bool>(), any::<bool>()).prop_map(
        |(kind, id, urgency, foremost, named)| {
            let subject = match kind {
                0 => pilot(id),
                1 => corporation(id),
                _ => Subject::ShipType(id),
            };
            Question::of(subject, named, urgency, foremost)
        },
    )
}

proptest! {
    #[test]
    fn none_is_lost_none_is_asked_twice_and_batches_are_full(
        rounds in proptest::collection::vec(proptest::collection::vec(any_question(), 0..30), 1..8),
        most in 1..12_usize,
    ) {
        let mut agenda = Agenda::new(1_000);
        let mut added = HashSet::new();
        let mut under_way = HashSet::new();
        let mut answered = HashSet::new();
        for questions in rounds {
            for question in questions {
                added.insert(question.subject);
                prop_assert_eq!(agenda.add(question), None);
            }
            let waiting: HashSet<i64> = agenda.names.values().map(|it| it.subject.id()).collect();
            let taken = agenda.next_names(most);
            let distinct: HashSet<i64> = taken.iter().map(|it| it.subject.id()).collect();
            prop_assert_eq!(distinct.len(), waiting.len().min(most));
            for question in taken.iter().copied().chain(agenda.next_details()) {
                prop_assert!(under_way.insert(question.subject));
            }
            if let Some(first) = taken.first() {
                agenda.settle(first.subject);
                under_way.remove(&first.subject);
                answered.insert(first.subject);
            }
        }
        loop {
            let mut taken = agenda.next_names(most);
            taken.extend(agenda.next_details());
            if taken.is_empty() {
                break;
            }
            for question in taken {
                prop_assert!(under_way.insert(question.subject));
            }
        }
        answered.extend(under_way);
        prop_assert_eq!(answered, added);
    }
}
