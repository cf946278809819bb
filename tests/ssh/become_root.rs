//! sudo and doas, played by scripts with their protocol: no password is written where none is asked for.

use std::time::{Duration, Instant};

use murder::access::{Become, SshClient};
use murder::machine::MachineError;
use murder::secret::{Secret, SecretName, Secrets};
use murder::transport::connect;
use murder::transport::{ProgramExit, ProgramResponse, Shell};

use super::sshd::{Sshd, try_ask, unfit};

/// As sudo(8) 1.9: `-S` prompts on stderr and reads one line, byte by byte (`read` of sh does); three tries.
const SUDO: &str = r#"#!/bin/sh
prompt=; stdin=
while :; do
    case $1 in
    -n) shift ;;
    -S) stdin=1; shift ;;
    -p) prompt=$2; shift 2 ;;
    --) shift; break ;;
    *) break ;;
    esac
done
case $SUDO_RULE in
nopasswd) exec "$@" ;;
absent) echo "mail is not in the sudoers file." >&2; exit 1 ;;
esac
if [ -z "$stdin" ]; then echo "sudo: a password is required" >&2; exit 1; fi
for try in 1 2 3; do
    printf %s "$prompt" >&2
    IFS= read -r password || { echo "sudo: no password was provided" >&2; exit 1; }
    [ "$password" = 'cor$rect "horse' ] && exec "$@"
    sleep 0.1
    echo "Sorry, try again." >&2
done
echo "sudo: 3 incorrect password attempts" >&2
exit 1
"#;

fn host_with(rule: &str) -> Sshd {
    let sshd =
        Sshd::with(&format!("SetEnv PATH=@/bin:/usr/bin:/bin SUDO_RULE={rule}")).known("ed25519");
    sshd.script("sudo", SUDO);
    sshd
}

fn shell(sshd: &Sshd, client: SshClient, password: Option<&str>) -> Box<dyn Shell> {
    let name = SecretName("ssh.become.password".to_owned());
    let mut secrets = Secrets::default();
    let mut host = sshd.host();
    host.ssh.client = client;
    host.ssh.become_ = Become::Sudo(password.map(|_| name.clone()));
    if let Some(password) = password {
        secrets.insert(name, Secret::new(password.to_owned()));
    }
    connect(&host.name, &host.ssh, &sshd.options(), &secrets).unwrap()
}

const RIGHT: Option<&str> = Some("cor$rect \"horse");

fn become_and_cat(shell: &mut dyn Shell) -> Result<ProgramResponse, MachineError> {
    try_ask(shell, "exec sh -c 'cat; echo said >&2; exit 4'", b"payload")
}

#[track_caller]
fn assert_worked(response: &ProgramResponse) {
    assert_eq!(response.stdout, b"payload");
    assert_eq!(response.stderr, b"said\n");
    assert_eq!(response.exit, ProgramExit::Code(4));
}

#[test]
fn the_password_is_given_where_sudo_asks_and_withheld_where_it_does_not() {
    for client in [SshClient::Ssh2, SshClient::OpenSsh] {
        let asking = host_with("passwd");
        assert_worked(&become_and_cat(&mut *shell(&asking, client, RIGHT)).unwrap());
        // The password must not turn up in front of the payload.
        let open = host_with("nopasswd");
        assert_worked(&become_and_cat(&mut *shell(&open, client, RIGHT)).unwrap());
        assert_worked(&become_and_cat(&mut *shell(&open, client, None)).unwrap());
    }
}

#[test]
fn a_wrong_password_is_tried_once_and_the_session_lives_on() {
    for client in [SshClient::Ssh2, SshClient::OpenSsh] {
        let sshd = host_with("passwd");
        let mut shell = shell(&sshd, client, Some("battery staple"));
        let started = Instant::now();
        for _ in 0..2 {
            let failure = unfit(become_and_cat(&mut *shell));
            assert_eq!(failure.summary, "sudo does not accept the password");
            assert!(!format!("{failure:?}").contains("staple"));
        }
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn every_refusal_has_its_words() {
    let sshd = host_with("passwd");
    let failure = unfit(become_and_cat(&mut *shell(&sshd, SshClient::Ssh2, None)));
    assert_eq!(failure.summary, "sudo requires a password");
    let sshd = host_with("absent");
    let failure = unfit(become_and_cat(&mut *shell(&sshd, SshClient::Ssh2, RIGHT)));
    assert_eq!(failure.summary, "sudo does not let this login become root");
    assert_eq!(
        failure.detail.as_deref(),
        Some("mail is not in the sudoers file.")
    );
    let sshd = Sshd::with("SetEnv PATH=@/bin").known("ed25519");
    for tool in ["sh", "env", "cat"] {
        let real = ["/usr/bin", "/bin"].map(|folder| format!("{folder}/{tool}"));
        let real = real
            .iter()
            .find(|path| std::path::Path::new(path).exists())
            .unwrap();
        std::fs::create_dir_all(sshd.path("bin")).unwrap();
        std::os::unix::fs::symlink(real, sshd.path("bin").join(tool)).unwrap();
    }
    let failure = unfit(become_and_cat(&mut *shell(&sshd, SshClient::Ssh2, RIGHT)));
    assert_eq!(failure.summary, "sudo is not installed on the host");
}

#[test]
fn sudo_and_doas_work_below_csh_and_fish() {
    for login in ["csh", "fish"] {
        let sshd = Sshd::with(&format!(
            "SetEnv PATH=@/bin:/usr/bin:/bin SUDO_RULE=passwd\nForceCommand exec {login} -c \"$SSH_ORIGINAL_COMMAND\""
        ))
        .known("ed25519");
        sshd.script("sudo", SUDO);
        sshd.script(
            "doas",
            "#!/bin/sh\n[ \"$1 $2\" = '-n --' ] || exit 9\nshift 2\nexec \"$@\"\n",
        );
        assert_worked(&become_and_cat(&mut *shell(&sshd, SshClient::Ssh2, RIGHT)).unwrap());
        let mut host = sshd.host();
        host.ssh.become_ = Become::Doas;
        let mut shell =
            connect(&host.name, &host.ssh, &sshd.options(), &Secrets::default()).unwrap();
        assert_worked(&become_and_cat(&mut *shell).unwrap());
    }
}
