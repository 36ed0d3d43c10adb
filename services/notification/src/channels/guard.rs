//! Keeps the addresses that people choose from leading inside: to this machine, its neighbours, or the cloud's metadata.
//!
//! An address is refused when it is written as a number that is not public, and a name when any of the addresses that it
//! has at the moment of the call is not: the connection goes to the very addresses that were checked, so a name that
//! changes in between gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::net::lookup_host;

/// What a refusal says.
pub(super) const REFUSED: &str = "the address is not public";

/// The rule for addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guard {
    /// For tests, and for whoever runs everything inside one network.
    pub(crate) allow_private: bool,
}

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("is no address")]
    Malformed,
    #[error("must begin with `https://`")]
    NotHttps,
    #[error("must hold no user and no password")]
    Credentials,
    #[error("the address is not public")]
    Private,
}

impl Guard {
    /// The address as it may be called. Names are looked at when they are resolved.
    pub(crate) fn check(self, url: &str) -> Result<Url, Refused> {
        let url: Url = url.parse().map_err(|_| Refused::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            _ => return Err(Refused::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let host = url.host_str().ok_or(Refused::Malformed)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match literal {
            Ok(address) if !self.allows(address) => Err(Refused::Private),
            _ => Ok(url),
        }
    }

    fn allows(self, address: IpAddr) -> bool {
        self.allow_private || is_public(address)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let found: Vec<SocketAddr> = lookup_host((name.as_str(), 0)).await?.collect();
            // One that is not public is enough: whoever mixes them means to be tried again until it is hit.
            if found.iter().all(|address| guard.allows(address.ip())) {
                let addresses: Addrs = Box::new(found.into_iter());
                Ok(addresses)
            } else {
                Err(REFUSED.into())
            }
        })
    }
}

/// Whether the address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_reserved = a == 0                          // this network
        || (a == 100 && b & 0xc0 == 64)               // shared by carriers
        || (a == 192 && b == 0 && c == 0)             // protocol assignments
        || (a == 192 && b == 88 && c == 99)           // relays to IPv6
        || (a == 198 && b & 0xfe == 18)               // measurements
        || a >= 224; // multicast, reserved, broadcast
    !(is_reserved
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if let Some(inside) = address.to_ipv4_mapped() {
        return is_public_v4(inside);
    }
    // Only 2000::/3 is given out; in it lie documentation, and tunnels that lead to any IPv4 address.
    segments[0] & 0xe000 == 0x2000
        && !(segments[0] == 0x2001 && (segments[1] == 0x0db8 || segments[1] < 0x0200))
        && segments[0] != 0x2002
        && !(segments[0] == 0x3fff && segments[1] < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Guard = Guard { allow_private: false };

    #[test]
    fn addresses_inside_are_refused_however_they_are_written() {
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0/",
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://198.18.0.1/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001::1]/",
            "https://[fe80::1]/",
            "https://[fc00::1]/",
            "https://[ff02::1]/",
        ] {
            assert_eq!(STRICT.check(url), Err(Refused::Private), "{url}");
        }
    }

    #[test]
    fn only_https_without_credentials_is_called() {
        for (url, refused) in [
            ("http://example.org/", Refused::NotHttps),
            ("file:///etc/passwd", Refused::NotHttps),
            ("gopher://example.org/", Refused::NotHttps),
            ("https://a:b@example.org/", Refused::Credentials),
            ("https://", Refused::Malformed),
            ("example.org", Refused::Malformed),
        ] {
            assert_eq!(STRICT.check(url), Err(refused), "{url}");
        }
        for url in [
            "https://example.org/a?b=c",
            "https://1.1.1.1/",
            "https://[2606:4700::1]/",
        ] {
            assert!(STRICT.check(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_runs_inside_may_be_allowed() {
        let open = Guard { allow_private: true };
        assert!(open.check("http://127.0.0.1:1/").is_ok());
        assert!(open.check("ftp://127.0.0.1:1/").is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_it_is_resolved() {
        let resolved = STRICT.resolve("localhost".parse().unwrap()).await;
        assert_eq!(resolved.map(|_| ()).unwrap_err().to_string(), REFUSED);
        let open = Guard { allow_private: true };
        assert!(open.resolve("localhost".parse().unwrap()).await.is_ok());
    }
}
