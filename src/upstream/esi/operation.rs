use super::directory::Route;

/// One of ESI's routes. Budgets are learnt for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Killmail,
    Names,
    Corporation,
    Alliance,
    Type,
    Group,
    Category,
    System,
    Constellation,
    Region,
    Status,
}

impl Operation {
    /// Its word: in metrics, and as its group's name until an answer tells another.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Killmail => "killmail",
            Self::Names => "names",
            Self::Corporation => "corporation",
            Self::Alliance => "alliance",
            Self::Type => "type",
            Self::Group => "group",
            Self::Category => "category",
            Self::System => "system",
            Self::Constellation => "constellation",
            Self::Region => "region",
            Self::Status => "status",
        }
    }

    /// The path below the base, for routes that take one id or none.
    pub(super) fn path(self, id: i64) -> String {
        match self {
            Self::Killmail => format!("killmails/{id}"),
            Self::Names => "universe/names".to_owned(),
            Self::Corporation => format!("corporations/{id}"),
            Self::Alliance => format!("alliances/{id}"),
            Self::Type => format!("universe/types/{id}"),
            Self::Group => format!("universe/groups/{id}"),
            Self::Category => format!("universe/categories/{id}"),
            Self::System => format!("universe/systems/{id}"),
            Self::Constellation => format!("universe/constellations/{id}"),
            Self::Region => format!("universe/regions/{id}"),
            Self::Status => "status".to_owned(),
        }
    }
}

impl Route {
    /// What a request of this kind may have to ask.
    pub(super) fn operations(self) -> &'static [Operation] {
        match self {
            Self::Killmail => &[Operation::Killmail],
            Self::Names => &[Operation::Names],
            Self::Corporation => &[Operation::Corporation],
            Self::Alliance => &[Operation::Alliance],
            Self::ShipType => &[Operation::Type, Operation::Group, Operation::Category],
            Self::SolarSystem => &[
                Operation::System,
                Operation::Constellation,
                Operation::Region,
            ],
        }
    }
}
