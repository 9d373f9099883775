//! A name server, so that a name is found as it is in a cluster: by `/etc/resolv.conf`.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

/// Answers that every name of the set is on this machine, and that there are no others.
#[derive(Debug)]
pub(super) struct NameServer {
    pub(super) address: Ipv4Addr,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl NameServer {
    /// On an address of its own on loopback, at the port that resolvers ask.
    pub(super) fn start(names: &'static [&'static str]) -> Self {
        let [low, high] = u16::try_from(std::process::id() % 65_000)
            .expect("it fits")
            .to_be_bytes();
        let address = Ipv4Addr::new(127, 53, low, high.max(1));
        let socket = UdpSocket::bind((address, 53))
            .expect("root may use port 53, and nobody else uses this address");
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let heard = Arc::clone(&asked);
        // It ends with the test's process.
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                let (name, answer) = answer(&question[..length], names);
                heard.lock().expect("nobody panics with it").insert(name);
                drop(socket.send_to(&answer, from));
            }
        });
        Self { address, asked }
    }

    /// The names that were asked for.
    pub(super) fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

/// The name that is asked for, and what is said of it (RFC 1035, section 4.1).
fn answer(question: &[u8], names: &[&str]) -> (String, Vec<u8>) {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..end]).into_owned());
        at = end;
    }
    let end = at + 5;
    let name = labels.join(".");
    let (is_known, is_for_v4) = (names.contains(&name.as_str()), question[at + 2] == 1);
    let mut reply = question[..2].to_vec();
    reply.extend([
        0x81,
        if is_known { 0x80 } else { 0x83 },
        0,
        1,
        0,
        u8::from(is_known && is_for_v4),
        0,
        0,
        0,
        0,
    ]);
    reply.extend(&question[12..end]);
    if is_known && is_for_v4 {
        reply.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    (name, reply)
}
