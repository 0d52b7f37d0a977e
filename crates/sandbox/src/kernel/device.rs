//! The network device by which a sandbox's packets come to the daemon (tun in the kernel's documentation, netdevice(7)).

use std::io;
use std::mem::zeroed;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::spec::Outside;

/// The device's name inside.
const NAME: &[u8] = b"eth0";

/// `_IOW('T', 202, int)`.
const TUNSETIFF: libc::Ioctl = 0x4004_54ca;

/// Makes the device in this network namespace, gives it its address and leads everything there that has no other way. What is
/// read from the result is what is sent into it, one IPv4 packet a read.
pub fn make(tun: &Path, outside: &Outside) -> io::Result<OwnedFd> {
    let device = rustix::fs::open(tun, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    let mut request = named();
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes an ifreq, which `request` is.
    checked(unsafe { libc::ioctl(device.as_raw_fd(), TUNSETIFF, &raw mut request) })?;

    let socket =
        rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let set = |kind, fill: &dyn Fn(&mut libc::ifreq)| {
        let mut request = named();
        fill(&mut request);
        // SAFETY: all of these read an ifreq, which `request` is.
        checked(unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), kind, &raw mut request) })
    };
    let mask = u32::MAX.checked_shl(32 - u32::from(outside.prefix_bits)).unwrap_or(0);
    set(libc::SIOCSIFADDR, &|it| it.ifr_ifru.ifru_addr = address(outside.address))?;
    set(libc::SIOCSIFNETMASK, &|it| it.ifr_ifru.ifru_netmask = address(Ipv4Addr::from(mask)))?;
    let packet_bytes_max = i32::from(outside.packet_bytes_max);
    set(libc::SIOCSIFMTU, &|it| it.ifr_ifru.ifru_mtu = packet_bytes_max)?;
    set(libc::SIOCSIFFLAGS, &|it| {
        it.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short
    })?;

    // SAFETY: all-zero is a valid rtentry: no device, no metric, the default route.
    let mut route: libc::rtentry = unsafe { zeroed() };
    (route.rt_dst, route.rt_genmask) = (address(Ipv4Addr::UNSPECIFIED), address(Ipv4Addr::UNSPECIFIED));
    route.rt_gateway = address(outside.router);
    route.rt_flags = libc::RTF_UP | libc::RTF_GATEWAY;
    // SAFETY: SIOCADDRT reads an rtentry, which `route` is.
    checked(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCADDRT, &raw mut route) })?;
    Ok(device)
}

fn named() -> libc::ifreq {
    // SAFETY: all-zero is a valid ifreq.
    let mut request: libc::ifreq = unsafe { zeroed() };
    for (target, byte) in request.ifr_name.iter_mut().zip(NAME) {
        *target = byte.cast_signed();
    }
    request
}

fn address(address: Ipv4Addr) -> libc::sockaddr {
    // SAFETY: all-zero is a valid sockaddr.
    let mut socket_address: libc::sockaddr = unsafe { zeroed() };
    socket_address.sa_family = libc::AF_INET as libc::sa_family_t;
    // As in a sockaddr_in: two bytes of port, four of address.
    for (target, byte) in socket_address.sa_data[2..6].iter_mut().zip(address.octets()) {
        *target = byte.cast_signed();
    }
    socket_address
}

fn checked(result: libc::c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
