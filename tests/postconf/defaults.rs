//! The effective values of `postfix::configuration` against those that the real postconf(1) prints.

use std::fs;
use std::path::Path;
use std::process::Command;

use murder::postfix::configuration::{
    Configuration, ConfigurationFiles, HostEnvironment, Networks, Release,
};
use murder::postfix::{MainCf, MasterCf};

use super::REAL;

const MAIN_CF: &str = "compatibility_level = 2\nmynetworks_style = host\nmydomain = example.org\nlocal_domain = $mydomain\n\
    relay_domains = $mydestination, ${local_domain?{mail.$local_domain}:{none}}\nvirtual_alias_maps = hash:/etc/$mail_name\n\
    smtp_tls_security_level = ${{$compatibility_level} >=level {3.6} ? {encrypt} : {may}}\n\
    lmtp_recipient_limit = 7\nsmtpd_reject_footer = $myhostname\n";
const MASTER_CF: &str = "smtp inet n - y - - smtpd\nlmtp unix - - y - - lmtp\nscan unix - n n - 2 pipe\n  user=x argv=/x\n";

/// Runs the real postconf on a folder.
fn real(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new(REAL)
        .arg("-c")
        .arg(directory)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The names whose value differs, of those that the real postconf prints with these options.
fn differences(directory: &Path, options: &str, main_cf: &str, expand: bool) -> Vec<String> {
    fs::write(directory.join("main.cf"), main_cf).unwrap();
    fs::write(directory.join("master.cf"), MASTER_CF).unwrap();
    let one = |name: &str| real(directory, &["-dh", name]).trim().to_owned();
    let networks = Some(real(directory, &["-h", "mynetworks"]).trim().to_owned());
    let hostname = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let environment = HostEnvironment {
        hostname: Some(hostname.trim().to_owned()),
        mail_name: None,
        networks: Networks {
            host: networks.clone(),
            subnet: networks.clone(),
            class: networks,
        },
    };
    let files = ConfigurationFiles {
        main_cf: &MainCf::parse(main_cf.as_bytes()),
        master_cf: &MasterCf::parse(MASTER_CF.as_bytes()),
    };
    let version = one("mail_version");
    let view = Configuration::new(&files, Release::new(&version), &environment).main();
    let printed = real(directory, &[options]);
    assert!(printed.lines().count() > 800, "{printed}");
    let mut differ = Vec::new();
    for line in printed.lines() {
        let (name, value) = line.split_once(" =").unwrap();
        // These two are the process's own, and the folder is the test's.
        if ["process_id", "process_name", "config_directory"].contains(&name) {
            continue;
        }
        let ours = if expand {
            view.expanded(name).text.map_err(|why| why.to_string())
        } else {
            let raw = view.get(name).map(|value| value.text.into_owned());
            raw.map_err(|why| why.to_string())
        };
        let ours = ours.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        if ours.as_deref() != Ok(value.trim()) {
            differ.push(format!(
                "{name}: postconf `{}`, ours {ours:?}",
                value.trim()
            ));
        }
    }
    differ
}

#[test]
fn effective_values_are_those_of_the_real_postconf() {
    let room = tempfile::tempdir().unwrap();
    for (options, main_cf, expand) in [
        ("-d", "", false),
        ("-dx", "", true),
        ("-px", MAIN_CF, true),
        ("-px", "compatibility_level = 3.6\n", true),
    ] {
        let differ = differences(room.path(), options, main_cf, expand);
        assert!(differ.is_empty(), "{options}\n{}", differ.join("\n"));
    }
}
