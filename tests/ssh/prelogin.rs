//! A peer may send any bytes before the login: the connection fails with words, and the program goes on.
//!
//! `PROPTEST_CASES=200000 cargo test --test main ssh::prelogin` tries it for longer.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use murder::model::Host;
use murder::transport::ConnectOptions;
use proptest::prelude::*;

use super::sshd::{Sshd, reach, unreachable};

/// A string of SSH (RFC 4251, 5).
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [&length.to_be_bytes(), bytes].concat()
}

/// SSH_MSG_KEXINIT (RFC 4253, 7.1) with what both sides have.
fn kexinit(kex: &str, host_key: &str) -> Vec<u8> {
    let mut payload = vec![20; 17];
    let cipher = "aes128-gcm@openssh.com,aes128-ctr";
    let mac = "hmac-sha2-256";
    for list in [
        kex, host_key, cipher, cipher, mac, mac, "none", "none", "", "",
    ] {
        payload.extend(string(list.as_bytes()));
    }
    payload.extend([0; 5]);
    payload
}

/// The server's part of the key exchange (RFC 5656, 4): its key, its half, its signature.
fn reply(half: usize) -> Vec<u8> {
    let key = [string(b"ssh-ed25519"), string(&[7; 32])].concat();
    let signature = [string(b"ssh-ed25519"), string(&[9; 64])].concat();
    [
        vec![31],
        string(&key),
        string(&vec![5; half]),
        string(&signature),
    ]
    .concat()
}

/// A packet whose lengths are right (RFC 4253, 6).
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (16 - (payload.len() + 9) % 8) % 8;
    let length = u32::try_from(1 + payload.len() + padding).unwrap();
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.extend_from_slice(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// One payload: a right one, or any.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(kexinit("curve25519-sha256", "ssh-ed25519")),
        Just(kexinit("ecdh-sha2-nistp256", "ssh-ed25519,ssh-rsa")),
        Just(kexinit("mlkem768x25519-sha256", "ssh-ed25519")),
        Just(kexinit("diffie-hellman-group-exchange-sha256", "ssh-rsa")),
        prop_oneof![Just(32), Just(65), Just(1120), 0..2000_usize].prop_map(reply),
        proptest::collection::vec(any::<u8>(), 1..200),
        (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..80)).prop_map(|(number, bytes)| [
            vec![number],
            string(&bytes)
        ]
        .concat()),
    ]
}

/// A change of the bytes on the wire: some of them at a place become others.
type Edit = (usize, Vec<u8>);

fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let packets = proptest::collection::vec(payload(), 1..5);
    let edit = (any::<usize>(), proptest::collection::vec(any::<u8>(), 1..6));
    let edits = proptest::collection::vec(edit, 0..4);
    (packets, edits).prop_map(|(packets, edits): (Vec<Vec<u8>>, Vec<Edit>)| {
        let mut bytes: Vec<u8> = packets.iter().flat_map(|payload| packet(payload)).collect();
        for (place, new) in edits {
            let place = place % bytes.len();
            let end = bytes.len().min(place + new.len());
            bytes.splice(place..end, new);
        }
        bytes
    })
}

/// A host that says what it is given, once for each connection.
struct Speaker {
    host: Host,
    options: ConnectOptions,
    words: Sender<Vec<u8>>,
    // Its folder holds the key that is tried.
    _sshd: Sshd,
}

fn speaker() -> Speaker {
    let sshd = Sshd::start().known("ed25519");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut host, mut options) = (sshd.host(), sshd.options());
    host.ssh.port = Some(listener.local_addr().unwrap().port());
    host.ssh.connect_timeout = Duration::from_secs(5);
    options.accept_new = true;
    let (words, said) = channel::<Vec<u8>>();
    thread::spawn(move || {
        for words in said {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n");
            let _ = stream.write_all(&words);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    Speaker {
        host,
        options,
        words,
        _sshd: sshd,
    }
}

#[test]
fn any_bytes_before_the_login_are_an_error_with_words() {
    let speaker = speaker();
    proptest!(|(bytes in conversation())| {
        speaker.words.send(bytes).unwrap();
        // Each is the first connection of a run: none waits for the penalties of the ones before.
        let options = ConnectOptions {
            penalties: Arc::default(),
            ..speaker.options.clone()
        };
        let failure = unreachable(reach(&speaker.host, &options));
        prop_assert!(!failure.summary.is_empty());
    });
}
