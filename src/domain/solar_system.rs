//! Solar systems and where they lie.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of space a system is in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SecurityBand {
    /// Security 0.45 and more, which the game shows as 0.5 and more.
    Highsec,
    /// Security above 0 and below 0.45.
    Lowsec,
    /// Security 0 and below, outside of wormholes; Pochven is part of it.
    Nullsec,
    /// Wormhole space, Thera and the drifters' systems included.
    Wormhole,
    /// Abyssal deadspace and the void.
    Abyssal,
}

impl SecurityBand {
    /// Every band, safest first.
    pub const ALL: [Self; 5] = [
        Self::Highsec,
        Self::Lowsec,
        Self::Nullsec,
        Self::Wormhole,
        Self::Abyssal,
    ];

    /// The band of a system by its id and its security in full precision; `None` where the id does not
    /// tell and the security is unknown.
    pub fn of(solar_system_id: i64, security_status: Option<f64>) -> Option<Self> {
        match solar_system_id {
            31_000_000..=31_999_999 => return Some(Self::Wormhole),
            32_000_000..=34_999_999 => return Some(Self::Abyssal),
            _ => {}
        }
        let security = security_status.filter(|security| !security.is_nan())?;
        Some(if security >= 0.45 {
            Self::Highsec
        } else if security > 0.0 {
            Self::Lowsec
        } else {
            Self::Nullsec
        })
    }

    /// The word used in filters and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Highsec => "highsec",
            Self::Lowsec => "lowsec",
            Self::Nullsec => "nullsec",
            Self::Wormhole => "wormhole",
            Self::Abyssal => "abyssal",
        }
    }
}

/// One solar system with constellation and region.
#[derive(Debug, Clone, PartialEq)]
pub struct SolarSystem {
    /// The system's id.
    pub solar_system_id: i64,
    /// Its name.
    pub name: String,
    /// Its constellation.
    pub constellation_id: i64,
    /// The constellation's name.
    pub constellation_name: String,
    /// Its region.
    pub region_id: i64,
    /// The region's name.
    pub region_name: String,
    /// Security status in full precision, -1 to 1; the game shows it rounded.
    pub security_status: f64,
    /// Wormhole class, where it has one.
    pub wormhole_class: Option<i64>,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(30_000_142, Some(0.945_913), Some(SecurityBand::Highsec))]
    #[case(30_002_813, Some(0.45), Some(SecurityBand::Highsec))]
    #[case(30_002_813, Some(0.449_99), Some(SecurityBand::Lowsec))]
    #[case(30_002_813, Some(0.000_1), Some(SecurityBand::Lowsec))]
    #[case(30_004_759, Some(0.0), Some(SecurityBand::Nullsec))]
    #[case(30_004_759, Some(-0.38), Some(SecurityBand::Nullsec))]
    #[case(30_000_157, Some(-1.0), Some(SecurityBand::Nullsec))]
    #[case(31_000_005, Some(-0.99), Some(SecurityBand::Wormhole))]
    #[case(31_000_005, None, Some(SecurityBand::Wormhole))]
    #[case(32_000_001, None, Some(SecurityBand::Abyssal))]
    #[case(34_000_075, Some(-1.0), Some(SecurityBand::Abyssal))]
    #[case(30_000_142, None, None)]
    #[case(30_000_142, Some(f64::NAN), None)]
    fn bands(
        #[case] system: i64,
        #[case] security: Option<f64>,
        #[case] band: Option<SecurityBand>,
    ) {
        assert_eq!(SecurityBand::of(system, security), band);
    }

    #[test]
    fn words_are_the_same_everywhere() {
        for band in SecurityBand::ALL {
            let json = serde_json::to_string(&band).unwrap();
            assert_eq!(json, format!("{:?}", band.as_str()));
        }
    }
}
