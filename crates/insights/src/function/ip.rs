//! Addresses and subnets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Function;

pub(super) fn is_valid(function: Function, text: &str) -> bool {
    match function {
        Function::IsIpv4 => text.parse::<Ipv4Addr>().is_ok(),
        Function::IsIpv6 => text.parse::<Ipv6Addr>().is_ok(),
        _ => text.parse::<IpAddr>().is_ok(),
    }
}

/// Is an address in a subnet such as `10.0.0.0/8`? Of different families it is not.
pub(super) fn is_in_subnet(function: Function, text: &str, subnet: &str) -> bool {
    let Some((network, length)) = subnet.split_once('/') else { return false };
    let (Ok(address), Ok(network), Ok(length)) =
        (text.parse::<IpAddr>(), network.parse::<IpAddr>(), length.parse::<u32>())
    else {
        return false;
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            function != Function::IsIpv6InSubnet
                && length <= 32
                && (u64::from(address.to_bits()) >> (32 - length))
                    == (u64::from(network.to_bits()) >> (32 - length))
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let cut = |address: Ipv6Addr| address.to_bits().checked_shr(128 - length).unwrap_or(0);
            function != Function::IsIpv4InSubnet && length <= 128 && cut(address) == cut(network)
        }
        _ => false,
    }
}
