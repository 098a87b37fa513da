//! Networks of addresses, and whose word about the caller's address is believed.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A network in CIDR form; a bare address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: u128,
    mask: u128,
    length: u8,
}
/// The text is not an address or a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a network: write for example `192.0.2.0/24` or `2001:db8::/32`")]
pub struct NetworkError(String);

const fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl Network {
    /// Is the address in it? An IPv4 address and its IPv4-mapped IPv6 form are the same.
    #[must_use]
    pub const fn contains(&self, address: IpAddr) -> bool {
        wide(address) & self.mask == self.address
    }
}
impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NetworkError(text.chars().take(60).collect());
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| error())?;
        let offset = if address.is_ipv4() { 96 } else { 0 };
        let length = match length {
            None => 128,
            Some(digits) if digits.len() <= 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse::<u8>().ok().and_then(|length| length.checked_add(offset)).ok_or_else(error)?
            }
            Some(_) => return Err(error()),
        };
        if length > 128 {
            return Err(error());
        }
        let mask = if length == 0 { 0 } else { u128::MAX << (128 - u32::from(length)) };
        Ok(Self { address: wide(address) & mask, mask, length })
    }
}
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v6 = Ipv6Addr::from_bits(self.address);
        match v6.to_ipv4_mapped() {
            Some(v4) if self.length >= 96 => write!(f, "{}/{}", Ipv4Addr::from_bits(v4.to_bits()), self.length - 96),
            _ => write!(f, "{v6}/{}", self.length),
        }
    }
}

/// The caller's address: the peer's, or, behind trusted proxies, the last one of `forwarded` (the values of
/// `X-Forwarded-For`, in their order) that is not a trusted proxy itself.
pub fn client_address<'a>(peer: IpAddr, trusted: &[Network], forwarded: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if trusted.is_empty() || !is_trusted(peer) {
        return peer;
    }
    let mut address = peer;
    for value in forwarded.rev() {
        for hop in value.rsplit(',') {
            match hop.trim().parse::<IpAddr>() {
                Ok(hop) if is_trusted(hop) => address = hop,
                Ok(hop) => return hop,
                Err(_) => return address,
            }
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(network: &str, address: &str, inside: bool) {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), inside, "{network} {address}");
    }

    #[test]
    fn networks_hold_their_addresses() {
        check("192.0.2.0/24", "192.0.2.255", true);
        check("192.0.2.77/24", "192.0.2.1", true);
        check("192.0.2.0/24", "192.0.3.0", false);
        check("192.0.2.0/24", "::ffff:192.0.2.9", true);
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", "192.0.2.2", false);
        check("0.0.0.0/0", "8.8.8.8", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("::/0", "2001:db8::1", true);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
    }

    #[test]
    fn other_texts_are_refused() {
        for bad in ["", "192.0.2.0/33", "192.0.2/24", "::/129", "192.0.2.0/", "192.0.2.0/+8", "192.0.2.0/8/8", "192.0.2.0/256", "x"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
