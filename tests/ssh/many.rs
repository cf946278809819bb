//! Many hosts on one thread.

use std::cell::RefCell;
use std::net::TcpListener;
use std::time::Duration;

use async_executor::LocalExecutor;
use async_io::block_on;
use murder::machine::MachineError;
use murder::model::Host;
use murder::secret::Secrets;
use murder::transport::ProgramRequest;
use murder::transport::connecting;

use super::sshd::{Sshd, within};

#[test]
fn one_thread_talks_with_many_hosts_and_a_silent_one_delays_none() {
    let sshd = Sshd::start().known("ed25519");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = sshd.options();
    let secrets = Secrets::default();
    // More than may shake hands with one address at once.
    let mut hosts = vec![sshd.host(); 12];
    hosts[0].ssh.port = Some(silent.local_addr().unwrap().port());
    hosts[0].ssh.connect_timeout = Duration::from_secs(6);

    let ended = RefCell::new(Vec::new());
    let talk = |number: usize, host: &Host| {
        let (host, ended, options, secrets) = (host.clone(), &ended, &options, &secrets);
        async move {
            let said = async {
                let mut shell = connecting(&host.name, &host.ssh, options, secrets).await?;
                let request = ProgramRequest {
                    command: format!("sleep 0.3; echo {number}"),
                    stdin: Vec::new().into(),
                    limits: within(Duration::from_secs(60)),
                };
                let response = shell.exchanging(&request).await?;
                Ok::<_, MachineError>(String::from_utf8(response.stdout).unwrap())
            };
            let said = said.await;
            ended.borrow_mut().push((number, said));
        }
    };
    let executor = LocalExecutor::new();
    let talks = hosts.iter().enumerate();
    let talks: Vec<_> = talks
        .map(|(number, host)| executor.spawn(talk(number, host)))
        .collect();
    block_on(executor.run(async {
        for talk in talks {
            talk.await;
        }
    }));
    drop(executor);

    let mut ended = ended.into_inner();
    let Some((0, Err(MachineError::Unreachable(_)))) = ended.pop() else {
        panic!("{ended:?}");
    };
    ended.sort_by_key(|(number, _)| *number);
    for (place, (number, said)) in ended.iter().enumerate() {
        assert_eq!(*number, place + 1);
        assert_eq!(said, &Ok(format!("{number}\n")));
    }
    assert_eq!(ended.len(), 11);
}
