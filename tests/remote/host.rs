//! A throw-away host: an overlay root over the lab's Debian, with processes, network and name of its own.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use murder::machine::remote::Remote;
use murder::machine::{Apply, MachineError, Orders};
use murder::transport::{ProgramExit, ProgramRequest, ProgramResponse, Shell};

/// The lab's base root, which is built if it is not there yet.
fn base() -> &'static Path {
    static BASE: OnceLock<PathBuf> = OnceLock::new();
    BASE.get_or_init(|| {
        let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/lab");
        let output = Command::new(lab).arg("base").output().unwrap();
        assert!(
            output.status.success(),
            "these tests need root and the lab's base root, which cannot be had: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
    })
}

pub struct Host {
    // Removed with the host.
    _folder: tempfile::TempDir,
    keeper: Child,
    pid: u32,
}

impl Host {
    /// Boots a host; Postfix is installed and does not run.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("murder-host.")
            .tempdir()
            .unwrap();
        for name in ["upper", "work", "root"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let script = format!(
            "set -e; mount -t tmpfs tmpfs {at}; mkdir {at}/upper {at}/work {at}/root
             mount -t overlay overlay -o lowerdir={base},upperdir={at}/upper,workdir={at}/work {at}/root
             cd {at}/root; mount -t proc proc proc; mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs dev
             for d in null zero full random urandom tty; do touch dev/$d; mount --bind /dev/$d dev/$d; done
             ln -s /proc/self/fd dev/fd; ip link set lo up; hostname host.example.org
             echo 127.0.0.1 localhost host.example.org >etc/hosts
             if [ -x /bin/busybox ]; then cp /bin/busybox bin/busybox; fi
             rm -f var/spool/postfix/pid/*.pid
             exec chroot . sleep 100000",
            at = folder.path().display(),
            base = base().display(),
        );
        let keeper = Command::new("unshare")
            .args([
                "--fork",
                "--pid",
                "--mount",
                "--net",
                "--uts",
                "--ipc",
                "--kill-child",
                "--propagation",
                "private",
                "sh",
                "-c",
                &script,
            ])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare: these tests run as root");
        let children = format!("/proc/{0}/task/{0}/children", keeper.id());
        let started = Instant::now();
        let pid = loop {
            let pid: Option<u32> = std::fs::read_to_string(&children).ok().and_then(|text| {
                text.split_whitespace()
                    .next()
                    .and_then(|pid| pid.parse().ok())
            });
            if let Some(pid) = pid
                && std::fs::read_to_string(format!("/proc/{pid}/comm"))
                    .is_ok_and(|comm| comm == "sleep\n")
            {
                break pid;
            }
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "the host did not boot: are these tests root?"
            );
            thread::sleep(Duration::from_millis(10));
        };
        Self {
            _folder: folder,
            keeper,
            pid,
        }
    }

    /// A host on which Postfix and a log run.
    pub fn running() -> Self {
        let host = Self::new();
        host.run("sed -i /imklog/d /etc/rsyslog.conf; rsyslogd; cp /etc/services /etc/hosts /var/spool/postfix/etc/ 2>/dev/null; postconf -e inet_protocols=ipv4 myhostname=host.example.org; newaliases; postfix start 2>&1");
        host.run("for i in 1 2 3 4 5 6 7 8 9 10; do postfix status 2>/dev/null && break; sleep 0.2; done");
        host
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args([
            "-t",
            &self.pid.to_string(),
            "-m",
            "-p",
            "-n",
            "-u",
            "-i",
            "-r",
            "-w",
            "/bin/sh",
            "-c",
            line,
        ]);
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    /// Standard output of a command line on the host; it may fail.
    pub fn run(&self, line: &str) -> String {
        let output = self
            .command(line)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Puts the program on the host, as /usr/local/bin/murder. cp(1) writes it, and not this process: a child that another test
    /// starts meanwhile would hold it open for writing, and such a file cannot be executed ("Text file busy").
    pub fn install_program(&self) {
        let place = self.root().join("usr/local/bin/murder");
        if !place.exists() {
            let mut copy = Command::new("cp");
            copy.arg(env!("CARGO_BIN_EXE_murder")).arg(&place);
            assert!(copy.status().unwrap().success());
        }
    }

    pub fn write(&self, path: &str, text: &str) {
        let mut child = self
            .command(&format!("mkdir -p \"$(dirname {path})\"; cat >{path}"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success(), "{path}");
    }

    pub fn read(&self, path: &str) -> String {
        self.run(&format!("cat {path}"))
    }

    pub fn shell(&self) -> Box<dyn Shell> {
        self.noisy("", "")
    }

    /// The number of its first process, seen from outside.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The host's root folder, seen from outside.
    pub fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.pid))
    }

    /// A shell whose client goes away as soon as the payload is taken.
    pub fn deaf(&self) -> Box<dyn Shell> {
        Box::new(Deaf { pid: self.pid })
    }

    /// What an apply would send: its exec line and its payload.
    pub fn payload_of(&self, orders: &Orders) -> ProgramRequest {
        let kept = Arc::new(Mutex::new(None));
        let _ = Remote::new(Box::new(Keeping(Arc::clone(&kept)))).perform(orders, None);
        kept.lock().unwrap().take().unwrap()
    }

    /// A shell that says something before and after, on both streams.
    pub fn noisy(&self, before: &str, after: &str) -> Box<dyn Shell> {
        Box::new(Local {
            pid: self.pid,
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// Runs requests inside a host, as a login shell would.
struct Local {
    pid: u32,
    before: String,
    after: String,
}

impl Shell for Local {
    fn exchange(&mut self, request: &ProgramRequest) -> Result<ProgramResponse, MachineError> {
        let line = format!("{}{}\n{}", self.before, request.command, self.after);
        let mut child = Command::new("nsenter")
            .args([
                "-t",
                &self.pid.to_string(),
                "-m",
                "-p",
                "-n",
                "-u",
                "-i",
                "-r",
                "-w",
                "/bin/sh",
                "-c",
                &line,
            ])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let bytes = request.stdin.clone();
        let writer = thread::spawn(move || {
            let _ = stdin.write_all(&bytes);
        });
        let mut stderr = child.stderr.take().unwrap();
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            bytes
        });
        let mut stdout = Vec::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut stdout)
            .unwrap();
        let status = child.wait().unwrap();
        writer.join().unwrap();
        Ok(ProgramResponse {
            stdout,
            stderr: errors.join().unwrap(),
            exit: ProgramExit::Code(status.code().unwrap_or(-1)),
        })
    }
}

/// Counts the programs that it runs.
pub struct Counting(pub Box<dyn Shell>, pub Arc<Mutex<usize>>);

impl Shell for Counting {
    fn exchange(&mut self, request: &ProgramRequest) -> Result<ProgramResponse, MachineError> {
        *self.1.lock().unwrap() += 1;
        self.0.exchange(request)
    }
}

/// Keeps the request, and runs nothing.
struct Keeping(Arc<Mutex<Option<ProgramRequest>>>);

impl Shell for Keeping {
    fn exchange(&mut self, request: &ProgramRequest) -> Result<ProgramResponse, MachineError> {
        *self.0.lock().unwrap() = Some(ProgramRequest {
            command: request.command.clone(),
            stdin: request.stdin.clone(),
            limits: request.limits,
        });
        Ok(ProgramResponse {
            stdout: Vec::new(),
            stderr: Vec::new(),
            exit: ProgramExit::Code(0),
        })
    }
}

/// Writes the request, and reads no more than that it was accepted.
struct Deaf {
    pid: u32,
}

impl Shell for Deaf {
    fn exchange(&mut self, request: &ProgramRequest) -> Result<ProgramResponse, MachineError> {
        let mut child = Command::new("nsenter")
            .args(["-t", &self.pid.to_string()])
            .args(["-m", "-p", "-n", "-u", "-i", "-r", "-w", "/bin/sh", "-c"])
            .arg(&request.command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(&request.stdin)
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let (mut heard, mut piece) = (Vec::new(), [0; 256]);
        while !String::from_utf8_lossy(&heard).contains("ACCEPTED") {
            let read = stdout.read(&mut piece).unwrap();
            assert!(read > 0, "{:?}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&piece[..read]);
        }
        drop(stdout);
        // The keeper of the host reaps it.
        thread::spawn(move || child.wait());
        Ok(ProgramResponse {
            stdout: heard,
            stderr: Vec::new(),
            exit: ProgramExit::Lost("the client went away".to_owned()),
        })
    }
}

/// A shell that answers the same to everything.
pub struct Answering(pub ProgramResponse);

impl Shell for Answering {
    fn exchange(&mut self, _request: &ProgramRequest) -> Result<ProgramResponse, MachineError> {
        Ok(self.0.clone())
    }
}
