//! Lists of networks, as options have them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// The word for an empty list: an empty variable is usually a mistake.
const NONE: &str = "none";

/// Networks, comma separated; `none` for an empty list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks(Vec<IpNet>);

/// Why a list of networks can't be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{part:?} is no network; allowed are addresses and networks such as 10.1.2.3 and 10.1.2.0/24, comma separated, or {NONE}"
)]
pub struct NetworksError {
    /// What can't be read.
    pub part: String,
}

impl Networks {
    /// This machine.
    pub fn loopback() -> Self {
        let v4 = ipnet::Ipv4Net::new_assert(std::net::Ipv4Addr::new(127, 0, 0, 0), 8);
        let v6 = ipnet::Ipv6Net::new_assert(std::net::Ipv6Addr::LOCALHOST, 128);
        Self(vec![v4.into(), v6.into()])
    }

    /// Whether the address is in one of them; an IPv4 address in IPv6 clothes counts as what it is.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for Networks {
    type Err = NetworksError;

    fn from_str(text: &str) -> Result<Self, NetworksError> {
        if text.trim() == NONE {
            return Ok(Self::default());
        }
        let parts = text.split(',').map(str::trim);
        parts.map(network).collect::<Result<_, _>>().map(Self)
    }
}

fn network(part: &str) -> Result<IpNet, NetworksError> {
    let address = || part.parse::<IpAddr>().map(IpNet::from);
    part.parse()
        .or_else(|_| address())
        .map_err(|_| NetworksError {
            part: part.to_owned(),
        })
}

impl fmt::Display for Networks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str(NONE);
        }
        let networks: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&networks.join(","))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("none", "none")]
    #[case("127.0.0.0/8,::1/128", "127.0.0.0/8,::1/128")]
    #[case(" 10.0.0.1 , fd00::/8", "10.0.0.1/32,fd00::/8")]
    fn lists_are_read_and_shown(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(text.parse::<Networks>().unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("")]
    #[case("10.0.0.0/33")]
    #[case("10.0.0.1,")]
    #[case("localhost")]
    fn what_is_no_network_is_named(#[case] text: &str) {
        let error = text.parse::<Networks>().unwrap_err();
        assert!(error.to_string().contains("10.1.2.0/24"), "{error}");
    }

    #[test]
    fn mapped_addresses_are_ipv4() {
        let loopback = Networks::loopback();
        assert_eq!(loopback.to_string(), "127.0.0.0/8,::1/128");
        for (address, expected) in [
            ("127.9.9.9", true),
            ("::ffff:127.0.0.1", true),
            ("::2", false),
        ] {
            assert_eq!(
                loopback.contain(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }
}
