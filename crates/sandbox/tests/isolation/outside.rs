//! A way out of a sandbox's network: a device whose other end the daemon has.

use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;

use pitbird_sandbox::{Launcher, Level, Outside};

use crate::support::{Code, config, read_all, run, skip, start, within};

fn outside() -> Outside {
    Outside {
        address: Ipv4Addr::new(192, 0, 0, 2),
        prefix_bits: 29,
        router: Ipv4Addr::new(192, 0, 0, 1),
        packet_bytes_max: 65_520,
    }
}

/// A launcher whose sandboxes have a way out, or `None` with words.
async fn launcher() -> Option<Launcher> {
    let mut config = config();
    config.outside = Some(outside());
    let launcher = start(config).await;
    if !launcher.report().has_outside {
        skip(&format!("no way out: {}", launcher.report()));
        return None;
    }
    assert!(launcher.report().level >= Level::NamespacesUser, "{}", launcher.report());
    Some(launcher)
}

#[tokio::test]
async fn what_a_guest_sends_comes_to_the_daemon_and_nowhere_else() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let spec = code.python(
        "import socket\n\
         s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(20)\n\
         s.sendto(b'hello', ('203.0.113.9', 7)); print(s.getsockname()[0], s.recvfrom(64)[0].decode())\n\
         print(sorted(name for _, name in socket.if_nameindex()), open('/etc/resolv.conf').read().strip())",
    );
    let Some(spec) = spec else { return };
    let mut sandbox = within(launcher.launch(spec)).await.unwrap();
    let device = sandbox.take_device().expect("the way out");
    assert!(sandbox.take_device().is_none());
    let packet = within(next_packet(device.as_fd(), |packet| packet.ends_with(b"hello"))).await;
    assert_eq!((&packet[12..16], &packet[16..20]), (&[192, 0, 0, 2][..], &[203, 0, 113, 9][..]));
    // The same packet, turned round.
    let mut answer = packet.clone();
    answer[12..16].copy_from_slice(&packet[16..20]);
    answer[16..20].copy_from_slice(&packet[12..16]);
    answer[20..22].copy_from_slice(&packet[22..24]);
    answer[22..24].copy_from_slice(&packet[20..22]);
    rustix::io::write(&device, &answer).unwrap();
    let said = read_all(sandbox.take_output()).await;
    assert_eq!(said, "0.0.0.0 hello\n['eth0', 'lo'] nameserver 192.0.0.1\n");
}

/// Reads packets until there is one of this kind; the kernel sends some of its own accord.
async fn next_packet(device: std::os::fd::BorrowedFd<'_>, is_it: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut buffer = [0; 2048];
    loop {
        match rustix::io::read(device, &mut buffer) {
            Ok(length) if is_it(&buffer[..length]) => return buffer[..length].to_vec(),
            Ok(_) => {}
            Err(rustix::io::Errno::AGAIN) => tokio::task::yield_now().await,
            Err(errno) => panic!("{errno}"),
        }
    }
}

#[tokio::test]
async fn without_being_asked_for_there_is_none() {
    let Some(launcher) = crate::support::launcher().await else { return };
    assert!(!launcher.report().has_outside);
    let code = Code::new();
    let mut sandbox = within(launcher.launch(code.shell("true"))).await.unwrap();
    assert!(sandbox.take_device().is_none());
}

#[tokio::test]
async fn a_guest_makes_no_device_of_its_own() {
    let Some(launcher) = launcher().await else { return };
    let code = Code::new();
    let Some(spec) = code.python(
        "import fcntl, os, socket, struct\n\
         def refused(act):\n\
         \x20   try: act(); return False\n\
         \x20   except OSError: return True\n\
         s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
         address = struct.pack('16sH14s', b'eth0', socket.AF_INET, bytes([0, 0, 10, 0, 0, 1]))\n\
         print(refused(lambda: os.open('/dev/net/tun', os.O_RDWR)), refused(lambda: os.open('/dev/tun', os.O_RDWR)),\n\
         \x20   refused(lambda: fcntl.ioctl(s, 0x8916, address)))",
    ) else {
        return;
    };
    let (said, _) = run(&launcher, spec).await;
    assert_eq!(said, "True True True\n");
}
