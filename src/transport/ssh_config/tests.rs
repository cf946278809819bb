//! ssh_config(5) as our reader and `ssh -G` understand it.

use std::fs;

use proptest::prelude::*;

use super::*;

fn resolve(
    alias: &str,
    user: Option<&str>,
    port: Option<u16>,
    environment: &Environment,
) -> Result<Settings, MachineError> {
    async_io::block_on(super::resolve(
        alias,
        user,
        port,
        environment,
        &ClientFiles::default(),
    ))
}

fn environment(home: &Path) -> Environment {
    Environment {
        home: home.to_owned(),
        agent: None,
        config: Some(home.join("config")),
        user: "tester".to_owned(),
    }
}

fn lay(text: &str) -> (tempfile::TempDir, Environment) {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".ssh")).unwrap();
    fs::write(home.path().join("config"), text).unwrap();
    let environment = environment(home.path());
    (home, environment)
}

const TEXT: &str = "\
User fallback-comes-too-early
Host mx*.example.org !mx9.example.org
  HostName %h.internal
  Port=2222
  ProxyJump gate@bastion.example.org:2200
  IdentityFile ~/.ssh/a
  IdentityFile \"~/.ssh/b c\"
  IdentitiesOnly yes
  UserKnownHostsFile ~/known1 ~/known2
Host short
  HostName long.example.org
  User me # not you
  Include more
Host *
  User late
  Port 23
  IdentityFile ~/.ssh/c
  HashKnownHosts yes
";

#[test]
fn the_first_value_wins_and_identities_add_up() {
    let (home, environment) = lay(TEXT);
    fs::write(
        home.path().join(".ssh/more"),
        "Host short\nPort 44\nHost other\nPort 45\n",
    )
    .unwrap();
    let mx = resolve("mx1.example.org", None, None, &environment).unwrap();
    assert_eq!(mx.host_name.as_deref(), Some("mx1.example.org.internal"));
    assert_eq!(mx.port, Some(2222));
    assert_eq!(
        mx.proxy_jump.as_deref(),
        Some("gate@bastion.example.org:2200")
    );
    assert!(mx.identities_only);
    assert_eq!(
        mx.identity_files,
        [".ssh/a", ".ssh/b c", ".ssh/c"].map(|name| home.path().join(name))
    );
    assert_eq!(mx.known_hosts.unwrap().len(), 2);
    let out = resolve("mx9.example.org", None, None, &environment).unwrap();
    assert_eq!((out.port, out.host_name), (Some(23), None));
    let short = resolve("short", None, None, &environment).unwrap();
    assert_eq!(
        (short.port, short.host_name.as_deref()),
        (Some(44), Some("long.example.org"))
    );
}

/// Where our reader answers, `ssh -G` answers the same.
#[test]
fn as_ssh_does() {
    let (home, environment) = lay(TEXT);
    // `ssh` looks for a relative Include below the real home, so this one is absolute.
    let more = home.path().join("more");
    fs::write(&more, "Host short\nPort 44\nHost other\nPort 45\n").unwrap();
    let text = TEXT
        .replace("Include more", &format!("Include {}", more.display()))
        // and it expands `~` by the password database.
        .replace("~/", &format!("{}/", home.path().display()))
        .replace("# not you", "");
    fs::write(home.path().join("config"), text).unwrap();
    for alias in [
        "mx1.example.org",
        "mx9.example.org",
        "short",
        "other",
        "else",
    ] {
        let ours = reader::read(alias, &environment, &ClientFiles::default()).unwrap();
        let theirs = dump::run_ssh(alias, None, None, &environment)
            .unwrap()
            .expect("ssh is installed");
        assert_eq!(
            ours.host_name.as_deref().unwrap_or(alias),
            theirs.host_name.unwrap(),
            "{alias}"
        );
        assert_eq!(ours.user, theirs.user, "{alias}");
        assert_eq!(ours.port.unwrap_or(22), theirs.port.unwrap(), "{alias}");
        assert_eq!(ours.proxy_jump, theirs.proxy_jump, "{alias}");
        assert_eq!(ours.identities_only, theirs.identities_only, "{alias}");
        assert_eq!(ours.hash_known_hosts, theirs.hash_known_hosts, "{alias}");
        let plain = |paths: Vec<PathBuf>| {
            paths
                .into_iter()
                .filter(|path| !path.ends_with("b c"))
                .count()
        };
        if alias == "else" {
            assert_eq!(plain(ours.identity_files), plain(theirs.identity_files));
        }
    }
}

#[test]
fn match_goes_to_ssh_and_a_proxy_command_is_refused_with_the_way_out() {
    let (_home, environment) =
        lay("Match host mx\n  User matched\nHost other\n ProxyCommand nc %h %p\n");
    let settings = resolve("mx", None, None, &environment).unwrap();
    assert_eq!(settings.user.as_deref(), Some("matched"));
    let error = resolve("other", None, None, &environment).unwrap_err();
    let MachineError::Unreachable(failure) = error else {
        panic!("{error:?}")
    };
    assert!(failure.summary.contains("proxycommand"), "{failure:?}");
    assert!(failure.hint.unwrap().contains("client: openssh"));
}

#[test]
fn an_include_that_includes_itself_ends() {
    let (home, environment) = lay("Include loop\n");
    fs::write(home.path().join(".ssh/loop"), "Include loop\n").unwrap();
    assert!(reader::read("mx", &environment, &ClientFiles::default()).is_err());
}

proptest! {
    #[test]
    fn any_line_is_read_without_harm(line in "(?s).{0,80}") {
        let _ = reader::split_line(&line);
    }
}
