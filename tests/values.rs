//! Values judged before any Postfix reads them: by assumed facts, and by those of a host.

use std::fs;
use std::process::Command;

use murder::compile::{compile, value_problems};
use murder::diagnostic::Diagnostic;
use murder::load;
use murder::machine::KnownFacts;
use murder::machine::sandbox::Sandbox;
use murder::name::HostName;
use murder::plan::Failure;
use murder::secret::Secrets;
use murder::session::observe::observe_host;
use murder::state::{Desired, Facts};
use tempfile::TempDir;

/// The smallest manifest, with these settings on its backend.
fn manifest(settings: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "version: 1\nmurder: example.org\ndomains: [example.org]\n\
         ldap: {{uris: [\"ldap://ldap.example.org\"], base: \"dc=example,dc=org\"}}\n\
         hosts:\n  smtp.example.org: {{roles: [internal-mta], addresses: [192.0.2.1]}}\n  \
         backend1.example.org:\n    roles: [backend]\n    addresses: [192.0.2.2]\n    \
         settings: {{{settings}}}\n"
    );
    fs::write(folder.path().join("murder.yaml"), text).unwrap();
    folder
}

/// What `murder check` says of it.
fn check_settings(settings: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let folder = manifest(settings);
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .current_dir(folder.path())
        .arg("check")
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.stdout.is_empty());
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// Nobody has asked the host: what depends on its Postfix is a warning.
#[test]
fn guesses_about_the_host_are_warnings() {
    for (settings, warning) in [
        (
            "smtpd_tls_enable_rpk: yes",
            "warning: `smtpd_tls_enable_rpk` exists only since Postfix 3.9",
        ),
        (
            "canonical_maps: 'lmdb:/etc/postfix/x'",
            "warning: this host has no table type `lmdb`",
        ),
        (
            "foo_destination_recipient_limit: 5",
            "warning: `foo_destination_recipient_limit` belongs to a service `foo`",
        ),
        (
            "smtpd_sender_restrictions: 'greylisting, permit'",
            "warning: unknown restriction `greylisting`",
        ),
        (
            "message_size_limit: $my_limit",
            "warning: `$my_limit` in `main.cf:message_size_limit` refers to no parameter",
        ),
        (
            "command_time_limit: $mail_name",
            "warning: `command_time_limit = Postfix` is not a time",
        ),
    ] {
        let (code, said) = check_settings(settings, &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains(warning), "{said}");
        assert!(said.contains("= help: "), "{said}");
        let (code, said) = check_settings(settings, &["-q"]);
        assert_eq!(
            (code, said.as_str()),
            (Some(0), ""),
            "-q is for errors only"
        );
    }
}

#[test]
fn what_only_the_host_knows_is_not_judged() {
    let right = "message_size_limit: $my_limit, my_limit: 100, smtpd_banner: $myhostname ESMTP $mail_name, \
                 mynetworks: '127.0.0.0/8 [::1]/128', luser_relay: '$user@other.example.org', \
                 smtp_destination_recipient_limit: 5, mailbox_transport: 'lmtp:unix:/run/x', \
                 smtpd_data_restrictions: '$smtpd_client_restrictions, check_client_access cidr:/a, permit'";
    let (code, said) = check_settings(right, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("no problems\n"), "{said}");
}

/// What compiling says of it for a host that said what it is like.
fn compile_settings(settings: &str, facts: &Facts) -> Result<(), Vec<Diagnostic>> {
    let folder = manifest(settings);
    let loaded = load::load(folder.path(), &[]);
    let murder = loaded.murder.unwrap();
    let name = HostName::new("backend1.example.org").unwrap();
    let compiled = compile(&murder, &loaded.modules, &name, facts)?;
    assert!(compiled.guesses.is_empty(), "{:?}", compiled.guesses);
    Ok(())
}

fn observed(parameters: &[&str]) -> Facts {
    Facts {
        parameters: parameters.iter().copied().collect(),
        ..Facts::debian()
    }
}

/// Distributions backport: whoever has asked the host knows.
#[test]
fn a_host_has_the_last_word_on_its_parameters() {
    let backported = observed(&["smtpd_tls_enable_rpk"]);
    let settings = "smtpd_tls_enable_rpk: yes";
    assert_eq!(compile_settings(settings, &backported), Ok(()));
    let problems = compile_settings(settings, &observed(&["relayhost"])).unwrap_err();
    assert_eq!(
        problems[0].summary,
        "`smtpd_tls_enable_rpk` exists only since Postfix 3.9"
    );
    assert_eq!(
        problems[0].detail.as_deref(),
        Some("this host has Postfix 3.7.11, which ignores it")
    );
    // Its value is looked at all the same.
    assert!(compile_settings("smtpd_tls_enable_rpk: ''", &backported).is_err());
}

#[test]
fn a_host_has_the_last_word_on_its_table_types() {
    let settings = "canonical_maps: 'lmdb:/etc/postfix/x'";
    let mut facts = observed(&["canonical_maps"]);
    let problems = compile_settings(settings, &facts).unwrap_err();
    assert!(
        problems[0]
            .summary
            .starts_with("this host has no table type `lmdb`")
    );
    let hint = problems[0].hint.as_deref().unwrap();
    assert!(hint.starts_with("install `postfix-lmdb`"), "{hint}");
    std::sync::Arc::make_mut(&mut facts.table_types).insert("lmdb".to_owned());
    assert_eq!(compile_settings(settings, &facts), Ok(()));
    // A type of the host's own, by dynamicmaps.cf.
    std::sync::Arc::make_mut(&mut facts.table_types).insert("hsah".to_owned());
    let own = "canonical_maps: 'hsah:/etc/postfix/x'";
    assert_eq!(compile_settings(own, &facts), Ok(()));
}

/// What the host said last time may be what does not fit any more.
#[test]
fn facts_of_last_time_stop_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let host = HostName::new("backend1.example.org").unwrap();
    let mut machine = Sandbox::new(
        folder.path(),
        &host,
        Facts::debian(),
        std::sync::Arc::default(),
    );
    let old = Facts {
        postfix_version: "3.1.0".to_owned(),
        ..Facts::debian()
    };
    let known = KnownFacts {
        identity: "old".to_owned(),
        facts: old.clone(),
    };
    let compile = |facts: &Facts| -> Result<Desired, Failure> {
        if *facts == old {
            return Err(Failure {
                summary: "too old".to_owned(),
                detail: None,
                hint: None,
            });
        }
        Ok(Desired::default())
    };
    let (secrets, assumed) = (Secrets::default(), Facts::debian());
    let surveyed = async_io::block_on(observe_host(
        &mut machine,
        &compile,
        &secrets,
        Some(known),
        &assumed,
        None,
    ))
    .unwrap();
    assert_eq!(surveyed.live.facts.postfix_version, "3.7.11");
}

#[test]
fn what_is_written_is_judged_without_templates() {
    let folder = manifest("message_size_limit: 10 MB, hopcount_limit: 5");
    let loaded = load::load(folder.path(), &[]);
    let murder = loaded.murder.unwrap();
    let host = &murder.hosts[&HostName::new("backend1.example.org").unwrap()];
    let said = value_problems(host, &loaded.modules);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].summary.contains("message_size_limit"));
}
