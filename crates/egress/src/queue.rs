use std::collections::VecDeque;

use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

use crate::PACKET_BYTES_MAX;

/// Packets that wait to go into the sandbox.
const OUTGOING_MAX: usize = 64;

/// What lies between the device and the stack: packets both ways.
#[derive(Debug, Default)]
pub struct Queue {
    /// Come from the sandbox; never more than the one that is being looked at.
    pub incoming: Option<Vec<u8>>,
    /// To go into the sandbox.
    pub outgoing: VecDeque<Vec<u8>>,
}

impl Queue {
    pub fn has_room(&self) -> bool {
        self.outgoing.len() < OUTGOING_MAX
    }
}

pub struct Incoming(Vec<u8>);

pub struct Outgoing<'a>(&'a mut VecDeque<Vec<u8>>);

impl phy::Device for Queue {
    type RxToken<'a> = Incoming;
    type TxToken<'a> = Outgoing<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(Incoming, Outgoing<'_>)> {
        // An answer that finds no room is sent again by whoever misses it.
        let packet = self.incoming.take()?;
        Some((Incoming(packet), Outgoing(&mut self.outgoing)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Outgoing<'_>> {
        self.has_room().then_some(Outgoing(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = usize::from(PACKET_BYTES_MAX);
        capabilities
    }
}

impl phy::RxToken for Incoming {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl phy::TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut packet = vec![0; length];
        let written = write(&mut packet);
        // One answer for each packet that came, at most: the reader of packets stops when there is no room.
        self.0.push_back(packet);
        written
    }
}
