use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;

use crate::ROUTER;

/// Port of name servers.
const NAMES: u16 = 53;
/// Name servers that are asked. Source: resolv.conf(5), `MAXNS`.
const NAME_SERVERS_MAX: usize = 3;

/// Where clouds tell their machines of themselves, other than link-local addresses. Sources: Azure, "What is IP address
/// 168.63.129.16?"; Alibaba Cloud, "Instance metadata".
const CLOUDS: [Ipv4Addr; 2] = [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200)];

/// Which addresses a sandbox may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those of the internet: no private networks.
    Public,
    /// Private networks, too.
    Networks,
}

/// Where a sandbox may go, and where its questions for names go.
#[derive(Debug, Clone)]
pub struct Policy {
    pub reach: Reach,
    /// The name servers that are asked, as the host has them; the next when one doesn't answer.
    pub name_servers: Arc<[SocketAddr]>,
}

impl Policy {
    /// The host's own name servers.
    pub fn with_host_names(reach: Reach) -> Policy {
        let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        Policy { reach, name_servers: name_servers(&text).into() }
    }

    /// Where what a sandbox sends to an address really goes: the first that answers of these. None is nowhere.
    pub fn destinations(&self, asked: SocketAddrV4) -> Vec<SocketAddr> {
        if *asked.ip() == ROUTER {
            return if is_names(asked) { self.name_servers.to_vec() } else { Vec::new() };
        }
        let may = self.reach.allows(*asked.ip()) && asked.port() != 0 && !is_own(*asked.ip());
        may.then_some(SocketAddr::V4(asked)).into_iter().collect()
    }
}

/// Is it the sandbox's name server?
pub fn is_names(asked: SocketAddrV4) -> bool {
    *asked.ip() == ROUTER && asked.port() == NAMES
}

impl Reach {
    /// Is it an address of the networks that may be reached? Those of this host are told apart by [`is_own`].
    fn allows(self, address: Ipv4Addr) -> bool {
        let [first, second, third, _] = address.octets();
        // Source: IANA's registry of special-purpose addresses.
        let is_special = address.is_loopback()
            || address.is_link_local()
            || address.is_multicast()
            || first == 0
            || first >= 240
            || [first, second, third] == [192, 0, 0]
            || CLOUDS.contains(&address);
        let is_shared = first == 100 && (64..128).contains(&second);
        let is_private = address.is_private() || is_shared || (first == 198 && (18..20).contains(&second));
        !is_special && (self == Reach::Networks || !is_private)
    }
}

/// Is it an address of this host's? Nothing is sent. What can't be told is held to be one.
fn is_own(address: Ipv4Addr) -> bool {
    is_bindable(address) || is_source(address)
}

/// A socket can be bound to all addresses of the host's, to the second ones of a network too. With the kernel's
/// `ip_nonlocal_bind` it can be bound to any, and nothing is reached.
fn is_bindable(address: Ipv4Addr) -> bool {
    match UdpSocket::bind((address, 0)) {
        Err(error) => error.kind() != ErrorKind::AddrNotAvailable,
        Ok(_) => true,
    }
}

/// To an address of its own the host sends from that very one, unless it is a second one of its network.
fn is_source(address: Ipv4Addr) -> bool {
    let asked = || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((address, NAMES))?;
        socket.local_addr()
    };
    asked().map_or(true, |from| from.ip() == address)
}

fn name_servers(text: &str) -> Vec<SocketAddr> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let addresses = lines.filter_map(|rest| rest.trim().parse().ok());
    addresses.map(|address| SocketAddr::new(address, NAMES)).take(NAME_SERVERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_out_of_reach() {
        for (address, public, networks) in [
            ("1.1.1.1", true, true),
            ("203.0.113.9", true, true),
            ("10.1.2.3", false, true),
            ("172.16.0.1", false, true),
            ("192.168.7.1", false, true),
            ("100.64.0.1", false, true),
            ("100.128.0.1", true, true),
            ("198.19.0.1", false, true),
            ("127.0.0.1", false, false),
            ("127.9.9.9", false, false),
            ("169.254.169.254", false, false),
            ("168.63.129.16", false, false),
            ("168.63.129.17", true, true),
            ("100.100.100.200", false, false),
            ("100.100.100.201", false, true),
            ("0.0.0.0", false, false),
            ("0.1.2.3", false, false),
            ("224.0.0.1", false, false),
            ("255.255.255.255", false, false),
            ("192.0.0.1", false, false),
        ] {
            let address: Ipv4Addr = address.parse().expect(address);
            assert_eq!(Reach::Public.allows(address), public, "{address}");
            assert_eq!(Reach::Networks.allows(address), networks, "{address}");
        }
    }

    #[test]
    fn the_hosts_own_addresses_are_told() {
        assert!(is_own(Ipv4Addr::LOCALHOST));
        // The address that the host goes out from, if it has a way out.
        let Ok(socket) = UdpSocket::bind("0.0.0.0:0") else { return };
        if let (Ok(()), Ok(SocketAddr::V4(from))) = (socket.connect("203.0.113.9:9"), socket.local_addr()) {
            assert!(is_own(*from.ip()) && !is_own(Ipv4Addr::new(203, 0, 113, 9)), "{from}");
        }
    }

    /// Is set where the test runs again, in a network of its own.
    const IN_A_NETWORK: &str = "PITBIRD_TEST_IN_A_NETWORK";
    const NETWORK: &str = "ip link set lo up
        { ip link add d0 type veth peer name d1 && ip link set d1 up || ip tuntap add d0 mode tun; } &&
        ip link set d0 up && ip addr add 203.0.113.5/24 dev d0 && ip addr add 203.0.113.6/24 dev d0 || exit 77
        exec \"$0\" --exact policy::tests::second_addresses_of_a_network_are_the_hosts_own --nocapture";

    #[test]
    fn second_addresses_of_a_network_are_the_hosts_own() {
        if std::env::var_os(IN_A_NETWORK).is_some() {
            for (last, expected) in [(5, true), (6, true), (255, true), (7, false)] {
                let address = Ipv4Addr::new(203, 0, 113, last);
                assert_eq!(is_own(address), expected, "{address}");
            }
            return;
        }
        let itself = std::env::current_exe().expect("a test is a file");
        let mut command = std::process::Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "sh", "-c", NETWORK]).arg(itself);
        let Ok(ran) = command.env(IN_A_NETWORK, "1").output() else {
            return eprintln!("SKIPPED: no unshare on this host");
        };
        let words =
            [ran.stdout, ran.stderr].map(|words| String::from_utf8_lossy(&words).into_owned()).concat();
        if !words.contains("running 1 test") {
            return eprintln!("SKIPPED: no network of its own can be made here: {words}");
        }
        assert!(ran.status.success(), "{words}");
    }

    #[test]
    fn names_are_asked_of_the_hosts_servers() {
        let text = "# by hand\nsearch example\nnameserver 10.0.0.53\n  nameserver fd00::1\nnameserver none\n";
        let servers = name_servers(text);
        assert_eq!(servers, ["10.0.0.53:53".parse().expect("v4"), "[fd00::1]:53".parse().expect("v6")]);
        let policy = Policy { reach: Reach::Public, name_servers: servers.into() };
        let to = |port| policy.destinations(SocketAddrV4::new(ROUTER, port));
        assert_eq!(to(53), *policy.name_servers);
        assert_eq!(to(80), []);
        let silent = Policy { reach: Reach::Public, name_servers: Arc::new([]) };
        assert_eq!(silent.destinations(SocketAddrV4::new(ROUTER, 53)), []);
        assert_eq!(name_servers(&"nameserver 10.0.0.1\n".repeat(4)).len(), NAME_SERVERS_MAX);
    }
}
