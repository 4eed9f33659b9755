//! Whose request it is: the other end's, or whom a trusted proxy names.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

use super::limits::{Limits, MAX_FORWARDED_HOPS};
use crate::runtime::config::ProxyHeader;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client of a request, as an extension of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// The client of a request that came from `peer`. Each proxy adds whom it heard, so the list is read from its end:
/// the first that is no trusted proxy is the client, since only trusted ones have spoken until there. What can't be
/// read ends the list.
pub(super) fn of(peer: IpAddr, headers: &HeaderMap, limits: &Limits) -> IpAddr {
    let mut client = peer.to_canonical();
    if !limits.proxies.contain(client) {
        return client;
    }
    let hops = match limits.proxy_header {
        ProxyHeader::XForwardedFor => hops(headers, &X_FORWARDED_FOR, address),
        ProxyHeader::Forwarded => hops(headers, &header::FORWARDED, forwarded_for),
    };
    for hop in hops.into_iter().rev().take(MAX_FORWARDED_HOPS) {
        let Some(hop) = hop else { break };
        client = hop.to_canonical();
        if !limits.proxies.contain(client) {
            break;
        }
    }
    client
}

/// The elements of all headers of a name, in order; `None` for one that can't be read.
fn hops(
    headers: &HeaderMap,
    name: &HeaderName,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> Vec<Option<IpAddr>> {
    let values = headers.get_all(name).iter();
    let elements = values.flat_map(|value| match value.to_str() {
        Ok(text) => text
            .split(',')
            .map(|element| read(element.trim()))
            .collect(),
        Err(_) => vec![None],
    });
    elements.collect()
}

/// The `for` of an element such as `for="[2001:db8::17]:4711";proto=http`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').map(str::trim);
    let mut values = pairs.filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| value.trim())
    });
    let value = values.next()?;
    let unquoted = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    address(unquoted.unwrap_or(value))
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|it| it.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn client(header: ProxyHeader, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let limits = Limits {
            proxies: "10.0.0.0/8,fd00::/8".parse().unwrap(),
            proxy_header: header,
            ..Limits::default()
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        of(peer.parse().unwrap(), &headers, &limits).to_string()
    }

    #[rstest]
    #[case::nobody_says("10.0.0.1", &[], "10.0.0.1")]
    #[case::one("10.0.0.1", &["203.0.113.7"], "203.0.113.7")]
    #[case::spoofed("10.0.0.1", &["192.0.2.1, 203.0.113.7"], "203.0.113.7")]
    #[case::chain("10.0.0.1", &["192.0.2.1, 203.0.113.7, 10.0.0.2"], "203.0.113.7")]
    #[case::lines("10.0.0.1", &["192.0.2.1", "203.0.113.7", "10.0.0.2"], "203.0.113.7")]
    #[case::all_ours("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3")]
    #[case::port("10.0.0.1", &["203.0.113.7:5555"], "203.0.113.7")]
    #[case::ipv6("fd00::1", &["2001:db8::7"], "2001:db8::7")]
    #[case::brackets("fd00::1", &["[2001:db8::7]:5555"], "2001:db8::7")]
    #[case::mapped("::ffff:10.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7")]
    #[case::garbage("10.0.0.1", &["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2")]
    #[case::empty("10.0.0.1", &[""], "10.0.0.1")]
    #[case::stranger("203.0.113.9", &["192.0.2.1"], "203.0.113.9")]
    fn the_last_that_is_no_proxy_is_the_client(
        #[case] peer: &str,
        #[case] lines: &[&str],
        #[case] expected: &str,
    ) {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| ("x-forwarded-for", *line))
            .collect();
        assert_eq!(client(ProxyHeader::XForwardedFor, peer, &lines), expected);
    }

    #[rstest]
    #[case("for=203.0.113.7;proto=https;by=10.0.0.1", "203.0.113.7")]
    #[case("For=\"[2001:db8::7]:4711\"", "2001:db8::7")]
    #[case("for=192.0.2.1, for=203.0.113.7;host=x", "203.0.113.7")]
    #[case("for=_hidden", "10.0.0.1")]
    #[case("proto=https", "10.0.0.1")]
    fn forwarded_is_read(#[case] line: &str, #[case] expected: &str) {
        let lines = [("forwarded", line)];
        assert_eq!(client(ProxyHeader::Forwarded, "10.0.0.1", &lines), expected);
    }

    #[test]
    fn only_the_configured_header_is_believed() {
        let lines = [
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-for", "203.0.113.7"),
        ];
        assert_eq!(
            client(ProxyHeader::XForwardedFor, "10.0.0.1", &lines),
            "203.0.113.7"
        );
        assert_eq!(
            client(ProxyHeader::Forwarded, "10.0.0.1", &lines),
            "192.0.2.1"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(line in "[ -~]{0,120}") {
            client(ProxyHeader::XForwardedFor, "10.0.0.1", &[("x-forwarded-for", &line)]);
            client(ProxyHeader::Forwarded, "10.0.0.1", &[("forwarded", &line)]);
        }
    }
}
