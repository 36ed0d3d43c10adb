//! Free ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

/// This many different ports that are free now. Who uses them must expect to find one taken, and try again.
pub(crate) fn free<const COUNT: usize>() -> [u16; COUNT] {
    // Held together, so that they differ.
    let listeners = std::array::from_fn::<_, COUNT, _>(|_| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port")
    });
    listeners.map(|listener| listener.local_addr().expect("a bound port has a number").port())
}
