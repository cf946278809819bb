//! Bare handshakes by ssh2, all at once, each with one command or none: the same crate and the same parallelism
//! as the program's, and nothing else.

use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use ssh2::Session;

/// This program as the floor: `key command address:port…`; an empty command means that none is run.
pub fn command(key: &Path, what: &str, addresses: &[String]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("floor").arg(key).arg(what).args(addresses);
    command
}

/// What the process of [`command`] does.
pub fn run(words: &[String]) {
    let [key, what, addresses @ ..] = words else {
        panic!("floor KEY COMMAND ADDRESS…");
    };
    std::thread::scope(|scope| {
        for address in addresses {
            scope.spawn(move || shake(Path::new(key), what, address));
        }
    });
}

fn shake(key: &Path, what: &str, address: &str) {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut session = Session::new().unwrap();
    session.set_tcp_stream(stream);
    session.handshake().unwrap();
    session
        .userauth_pubkey_file("root", None, key, None)
        .unwrap();
    if !what.is_empty() {
        let mut channel = session.channel_session().unwrap();
        channel.exec(what).unwrap();
        let mut said = Vec::new();
        channel.read_to_end(&mut said).unwrap();
        channel.wait_close().unwrap();
        assert_eq!(channel.exit_status().unwrap(), 0, "{what}");
    }
}
