//! Where messages may go: the public internet, and networks that the operator allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ipnet::IpNet;
use url::{Host, Url};

/// Networks of version 4 that are not public, and single hosts that serve clouds' inner business.
const CLOSED_V4: [(Ipv4Addr, u8); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    // Azure's inner server has a public address.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// Networks within `2000::/3`, the public part of version 6, that are not public themselves: protocol
/// assignments with Teredo, documentation, and 6to4, which leads into version 4.
const CLOSED_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const OPEN_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// An address that no message may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Not http or https, or no host.
    #[error("must be a valid HTTP/HTTPS URL")]
    Url,
    /// This machine, a private network, or the like.
    #[error("must not point to a private or local address")]
    NotPublic,
}

/// Where messages may go. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    allowed: Arc<[IpNet]>,
}

impl Targets {
    /// The public internet and these networks.
    pub fn new(allowed: &[IpNet]) -> Self {
        Self {
            allowed: allowed.into(),
        }
    }

    /// True when a message may go to the address.
    pub fn allows(&self, address: IpAddr) -> bool {
        let inner = unwrapped(address);
        let listed = |address| self.allowed.iter().any(|net| net.contains(&address));
        listed(address) || listed(inner) || is_public(inner)
    }

    /// Reads an address as far as that goes without looking up its name, which is done at each delivery.
    ///
    /// # Errors
    /// No http or https URL, or one that certainly is not public.
    pub fn read(&self, text: &str) -> Result<Url, TargetError> {
        let url = Url::parse(text).map_err(|_| TargetError::Url)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(TargetError::Url);
        }
        let address = match url.host().ok_or(TargetError::Url)? {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                if name != "localhost" && !name.ends_with(".localhost") {
                    return Ok(url);
                }
                IpAddr::V4(Ipv4Addr::LOCALHOST)
            }
        };
        if self.allows(address) {
            Ok(url)
        } else {
            Err(TargetError::NotPublic)
        }
    }
}

/// The address that a mapped or translated one leads to.
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    if within_v6(v6, NAT64) {
        let [.., a, b, c, d] = v6.octets();
        return IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    }
    address
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|net| within_v4(address, *net)),
        IpAddr::V6(address) => {
            within_v6(address, OPEN_V6) && !CLOSED_V6.iter().any(|net| within_v6(address, *net))
        }
    }
}

fn within_v4(address: Ipv4Addr, (net, bits): (Ipv4Addr, u8)) -> bool {
    (address.to_bits() ^ net.to_bits()).leading_zeros() >= u32::from(bits)
}

fn within_v6(address: Ipv6Addr, (net, bits): (Ipv6Addr, u8)) -> bool {
    (address.to_bits() ^ net.to_bits()).leading_zeros() >= u32::from(bits)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://example.com/hook", Ok(()))]
    #[case("http://93.184.216.34/", Ok(()))]
    #[case("http://[2606:4700::1111]/", Ok(()))]
    #[case("http://[64:ff9b::808:808]/", Ok(()))]
    #[case("ftp://example.com/", Err(TargetError::Url))]
    #[case("http://", Err(TargetError::Url))]
    #[case("example.com", Err(TargetError::Url))]
    #[case("http://127.0.0.1/", Err(TargetError::NotPublic))]
    #[case("http://127.1/", Err(TargetError::NotPublic))]
    #[case("http://0x7f000001/", Err(TargetError::NotPublic))]
    #[case("http://2130706433/", Err(TargetError::NotPublic))]
    #[case("http://0177.0.0.1/", Err(TargetError::NotPublic))]
    #[case("http://0/", Err(TargetError::NotPublic))]
    #[case("http://localhost:80/", Err(TargetError::NotPublic))]
    #[case("http://a.localhost./", Err(TargetError::NotPublic))]
    #[case("http://169.254.169.254/latest", Err(TargetError::NotPublic))]
    #[case("http://10.0.0.1/", Err(TargetError::NotPublic))]
    #[case("http://100.64.0.1/", Err(TargetError::NotPublic))]
    #[case("http://172.31.255.255/", Err(TargetError::NotPublic))]
    #[case("http://192.168.1.1/", Err(TargetError::NotPublic))]
    #[case("http://224.0.0.1/", Err(TargetError::NotPublic))]
    #[case("http://255.255.255.255/", Err(TargetError::NotPublic))]
    #[case("http://168.63.129.16/", Err(TargetError::NotPublic))]
    #[case("http://[::]/", Err(TargetError::NotPublic))]
    #[case("http://[::1]/", Err(TargetError::NotPublic))]
    #[case("http://[::ffff:127.0.0.1]/", Err(TargetError::NotPublic))]
    #[case("http://[::127.0.0.1]/", Err(TargetError::NotPublic))]
    #[case("http://[64:ff9b::7f00:1]/", Err(TargetError::NotPublic))]
    #[case("http://[64:ff9b:1::808:808]/", Err(TargetError::NotPublic))]
    #[case("http://[2002:7f00:1::]/", Err(TargetError::NotPublic))]
    #[case("http://[2001::1]/", Err(TargetError::NotPublic))]
    #[case("http://[fe80::1]/", Err(TargetError::NotPublic))]
    #[case("http://[fd00:ec2::254]/", Err(TargetError::NotPublic))]
    #[case("http://[ff02::1]/", Err(TargetError::NotPublic))]
    fn addresses(#[case] text: &str, #[case] expected: Result<(), TargetError>) {
        assert_eq!(
            Targets::default().read(text).map(|_| ()),
            expected,
            "{text}"
        );
    }

    #[test]
    fn an_operator_may_allow_more() {
        let targets = Targets::new(&["127.0.0.0/8".parse().unwrap()]);
        for text in [
            "http://127.0.0.1:1/",
            "http://localhost/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(targets.read(text).is_ok(), "{text}");
        }
        assert!(targets.read("http://10.0.0.1/").is_err());
    }
}
