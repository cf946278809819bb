//! A real sshd on loopback, with keys of its own in a folder of its own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_executor::LocalExecutor;
use async_io::{Timer, block_on};
use murder::access::{Access, Become, SshClient};
use murder::diagnostic::{SourceId, Span};
use murder::machine::MachineError;
use murder::model::{Host, HostState};
use murder::name::{HostName, RoleName};
use murder::plan::Failure;
use murder::secret::Secrets;
use murder::state::{Facts, Probes};
use murder::transport::ssh::HandshakeLimits;
use murder::transport::ssh_config::Environment;
use murder::transport::{ConnectOptions, ExchangeLimits, Passphrases, connecting};
use murder::transport::{ProgramRequest, ProgramResponse, Shell};

pub const SSHD: &str = "/usr/sbin/sshd";

/// Ends with the test.
pub struct Sshd {
    child: Child,
    pub port: u16,
    pub folder: tempfile::TempDir,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a key pair.
pub fn keygen(file: &Path, kind: &str, passphrase: &str) {
    run(Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(file));
}

/// Runs a command that must work.
pub fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

impl Sshd {
    /// With one ed25519 host key.
    pub fn start() -> Self {
        Self::with("")
    }

    /// With more lines of sshd_config(5); `@` stands for the folder.
    pub fn with(config: &str) -> Self {
        Self::on(config, "ed25519")
    }

    /// With host keys of these kinds, by commas.
    pub fn on(config: &str, host_keys: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for kind in host_keys.split(',') {
            keygen(&folder.path().join(format!("host_{kind}")), kind, "");
        }
        keygen(&folder.path().join("id"), "ed25519", "");
        let home = folder.path().join("home/.ssh");
        fs::create_dir_all(home).unwrap();
        fs::copy(
            folder.path().join("id.pub"),
            folder.path().join("authorized"),
        )
        .unwrap();
        Self::in_folder(config, host_keys, folder)
    }

    /// In a folder that has its keys already.
    pub fn in_folder(config: &str, host_keys: &str, folder: tempfile::TempDir) -> Self {
        assert!(
            Path::new(SSHD).exists(),
            "{SSHD} is missing: the tests of SSH need a real one; install the package openssh-server"
        );
        // sshd's privilege separation wants it where it runs as root; packages make it at boot.
        let _ = fs::create_dir_all("/run/sshd");
        let at = folder.path().display().to_string();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let keys: String = host_keys
            .split(',')
            .map(|kind| format!("HostKey {at}/host_{kind}\n"))
            .collect();
        // Of this option, unlike the others, sshd takes the last.
        let crowd = if config.contains("MaxStartups") {
            ""
        } else {
            "MaxStartups 100"
        };
        let config = config.replace('@', &at);
        fs::write(
            folder.path().join("sshd_config"),
            format!(
                "{config}\nListenAddress 127.0.0.1\nPort {port}\n{keys}\
                 AuthorizedKeysFile {at}/authorized\nStrictModes no\nPidFile none\nLogLevel VERBOSE\n\
                 PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
                 UsePAM no\nPrintMotd no\n{crowd}\n"
            ),
        )
        .unwrap();
        // `ssh -F` wants the file to be there.
        fs::write(folder.path().join("home/.ssh/config"), "").unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(folder.path().join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let sshd = Self {
            child,
            port,
            folder,
        };
        let deadline = Instant::now() + Duration::from_secs(10);
        while !sshd.log().contains("Server listening") {
            assert!(
                Instant::now() < deadline,
                "sshd did not start: {}",
                sshd.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        sshd
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits until the log has a word so many times.
    pub fn logged(&self, word: &str) -> usize {
        self.log().matches(word).count()
    }

    /// The public host key, as known_hosts has it.
    pub fn host_key(&self, kind: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("host_{kind}.pub"))).unwrap();
        text.split(' ').take(2).collect::<Vec<_>>().join(" ")
    }

    /// Makes the host known by one of its keys.
    pub fn known(self, kind: &str) -> Self {
        let line = format!("[127.0.0.1]:{} {}\n", self.port, self.host_key(kind));
        fs::write(self.known_hosts(), line).unwrap();
        self
    }

    pub fn known_hosts(&self) -> PathBuf {
        self.path("home/.ssh/known_hosts")
    }

    /// A script on the host's PATH (see `SetEnv` in the tests).
    pub fn script(&self, name: &str, text: &str) {
        let file = self.path("bin").join(name);
        fs::create_dir_all(self.path("bin")).unwrap();
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The host in a murder, with the key that opens it.
    pub fn host(&self) -> Host {
        Host {
            name: HostName::new("mx.example.org").unwrap(),
            at: Span {
                source: SourceId(0),
                start: 0,
                end: 0,
            },
            roles: vec![RoleName::new("backend").unwrap()],
            site: None,
            mailhost: HostName::new("mx.example.org").unwrap(),
            state: HostState::Active,
            placement: std::collections::BTreeMap::new(),
            instances: std::collections::BTreeMap::new(),
            addresses: Vec::new(),
            ssh: Access {
                client: SshClient::Ssh2,
                address: Some("127.0.0.1".to_owned()),
                user: Some("root".to_owned()),
                port: Some(self.port),
                jump: None,
                identity_file: Some(self.path("id")),
                passphrase: None,
                password: None,
                host_key: None,
                known_hosts: Some(self.known_hosts()),
                become_: Become::No,
                connect_timeout: Duration::from_secs(20),
                command_timeout: Duration::from_secs(60),
            },
            ldap: None,
            lmtp: None,
            probes: Probes::default(),
            facts: Facts::debian(),
            settings: Default::default(),
            services: Default::default(),
            files: Default::default(),
            vars: Default::default(),
            maintenance: None,
            leave: Vec::new(),
        }
    }

    /// A workstation whose home is in the folder: no file or agent of the person at this machine counts.
    pub fn options(&self) -> ConnectOptions {
        ConnectOptions {
            accept_new: false,
            local: false,
            limits: Arc::new(HandshakeLimits::default()),
            penalties: Arc::default(),
            passphrases: Arc::new(Passphrases::none()),
            environment: Environment {
                home: self.path("home"),
                agent: None,
                config: Some(self.path("home/.ssh/config")),
                user: "root".to_owned(),
            },
            files: Arc::default(),
        }
    }

    /// Connects as [`Sshd::host`] and [`Sshd::options`] have it.
    pub fn connect(&self) -> Box<dyn Shell> {
        reach(&self.host(), &self.options()).unwrap()
    }

    /// Whether the port is open still.
    pub fn hold_one(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }
}

/// Does a task as a run over many hosts does it: on a thread that has another one too.
pub fn beside_another<T>(task: impl Future<Output = T>) -> T {
    let executor = LocalExecutor::new();
    let other = executor.spawn(Timer::after(Duration::ZERO));
    let task = executor.spawn(task);
    block_on(executor.run(async {
        other.await;
        task.await
    }))
}

/// Connects without secrets.
pub fn reach(host: &Host, options: &ConnectOptions) -> Result<Box<dyn Shell>, MachineError> {
    beside_another(connecting(
        &host.name,
        &host.ssh,
        options,
        &Secrets::default(),
    ))
}

/// Limits of bytes that nothing here reaches; silence of this time ends the exchange.
pub fn within(silence: Duration) -> ExchangeLimits {
    ExchangeLimits {
        silence,
        total: silence * 30,
        stdout: 1 << 30,
        stderr: 1 << 30,
    }
}

/// One exchange with plenty of time.
pub fn ask(shell: &mut dyn Shell, command: &str, stdin: &[u8]) -> ProgramResponse {
    try_ask(shell, command, stdin).unwrap()
}

pub fn try_ask(
    shell: &mut dyn Shell,
    command: &str,
    stdin: &[u8],
) -> Result<ProgramResponse, MachineError> {
    let request = ProgramRequest {
        command: command.to_owned(),
        stdin: stdin.to_vec().into(),
        limits: within(Duration::from_secs(60)),
    };
    beside_another(shell.exchanging(&request))
}

/// The failure of a host that could not be reached.
#[track_caller]
pub fn unreachable<T>(result: Result<T, MachineError>) -> Failure {
    match result {
        Err(MachineError::Unreachable(failure)) => failure,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was reached"),
    }
}

/// The failure of a host that does not serve.
#[track_caller]
pub fn unfit<T: std::fmt::Debug>(result: Result<T, MachineError>) -> Failure {
    match result {
        Err(MachineError::Unfit(failure)) => failure,
        other => panic!("{other:?}"),
    }
}
