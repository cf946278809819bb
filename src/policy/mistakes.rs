//! Mistakes that a rule can name by a word.

use super::Mistake;
use super::host::{PolicyHost, Violation, files};
use crate::name::Parameter;
use crate::postfix::catalogue::guards;
use crate::postfix::catalogue::lists::matches_everything;
use crate::postfix::configuration::{ValueSource, View, is_wide};
use crate::postfix::split_list;
use crate::state::{File, Want};
use crate::thing::Thing;

pub(super) fn violations(mistake: Mistake, host: &PolicyHost<'_>) -> Vec<Violation> {
    match mistake {
        Mistake::OpenRelay => open_relay(host),
        Mistake::CleartextBind => files(host, "*")
            .filter_map(|(thing, file)| cleartext_bind(&thing, file))
            .collect(),
        Mistake::WorldReadableSecret => files(host, "*")
            .filter(|(_, file)| file.body.secrets().next().is_some())
            .filter(|(_, file)| file.mode.bits() & 0o004 != 0)
            .map(|(thing, file)| {
                let what = format!("`{thing}` holds a secret, and its mode is {}", file.mode);
                Violation::of(&thing, what)
            })
            .collect(),
        Mistake::WholeInternet => whole_internet(host),
    }
}

/// The configurations with a value of one of these parameters: main.cf, and each service with such an option. Each with
/// the thing that has the value.
fn views<'a>(host: &PolicyHost<'a>, names: &[&str]) -> Vec<(Thing, View<'a>)> {
    let named = |name: &Parameter| names.contains(&name.as_str());
    let mut found: Vec<(Thing, View<'a>)> = Vec::new();
    for (thing, want) in &host.wanted.values {
        if !matches!(want, Want::Present(_)) {
            continue;
        }
        match thing {
            Thing::Parameter(name) if named(name) => {
                found.push((thing.clone(), host.configuration.main()));
            }
            Thing::Option(service, name) if named(name) => {
                found.push((thing.clone(), host.configuration.service(service)));
            }
            _ => {}
        }
    }
    found
}

const RELAY: &str = "smtpd_relay_restrictions";
const RECIPIENT: &str = "smtpd_recipient_restrictions";

/// Lists of restrictions that stop no relaying; and domains that are everyone's.
fn open_relay(host: &PolicyHost<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (thing, view) in views(host, &[RELAY, RECIPIENT]) {
        let stops = |name: &str| {
            let Ok(value) = view.get(name) else {
                return true;
            };
            // The host's own value, or the default, of which Postfix's own stops relaying.
            if value.source == ValueSource::Assumed && name == RELAY {
                return true;
            }
            let text = view.expand(&value.text).text;
            text.is_err() || !guards::lacks_guard(&text.unwrap_or_default(), &|_| None)
        };
        if !stops(RELAY) && !stops(RECIPIENT) {
            let what = format!("`{thing}` lets every client relay: nothing in it rejects");
            found.push(Violation::of(&thing, what));
        }
    }
    for name in [
        "relay_domains",
        "mydestination",
        "virtual_mailbox_domains",
        "virtual_alias_domains",
    ] {
        for (thing, view) in views(host, &[name]) {
            let Ok(text) = view.expanded(name).text else {
                continue;
            };
            let all = split_list(&text)
                .into_iter()
                .find(|member| member == "*" || matches_everything(member));
            found.extend(all.map(|member| {
                let what = format!("`{thing}` has `{member}`, which is every domain");
                Violation::of(&thing, what)
            }));
        }
    }
    found
}

fn whole_internet(host: &PolicyHost<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (thing, view) in views(host, &["mynetworks"]) {
        let Ok(text) = view.expanded("mynetworks").text else {
            continue;
        };
        let wide = split_list(&text)
            .into_iter()
            .find(|member| member == "*" || is_wide(member));
        found.extend(wide.map(|member| {
            let what = format!("`{thing}` has `{member}`, a great part of the Internet");
            Violation::of(&thing, what)
        }));
    }
    found
}

/// An LDAP table (ldap_table(5)) whose password goes to another host in clear.
fn cleartext_bind(thing: &Thing, file: &File) -> Option<Violation> {
    if file.table.as_ref().map(|kind| kind.as_str()) != Some("ldap") {
        return None;
    }
    let text = file.body.masked();
    let value = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let mut found = lines.filter(|(key, _)| key.trim() == name);
        found.next_back().map(|(_, value)| value.trim().to_owned())
    };
    let servers = value("server_host").unwrap_or_else(|| "localhost".to_owned());
    let plain = split_list(&servers)
        .into_iter()
        .find(|server| is_plain(server))?;
    let is_yes = |name: &str| value(name).is_some_and(|value| value.eq_ignore_ascii_case("yes"));
    let no_password = value("bind_pw").is_none_or(|password| password.is_empty());
    let by_sasl = value("bind").is_some_and(|bind| bind.eq_ignore_ascii_case("sasl"));
    let mechanisms = value("sasl_mechs").unwrap_or_default().to_ascii_uppercase();
    let sends_it = !by_sasl
        || ["PLAIN", "LOGIN"]
            .iter()
            .any(|one| mechanisms.contains(one));
    if is_yes("start_tls") || no_password || !sends_it {
        return None;
    }
    Some(Violation::of(
        thing,
        format!("`{thing}` sends its password to `{plain}` without TLS"),
    ))
}

/// Whether a server of an LDAP table is another host, reached without TLS.
fn is_plain(server: &str) -> bool {
    let lower = server.to_ascii_lowercase();
    if lower.starts_with("ldaps://") || lower.starts_with("ldapi://") {
        return false;
    }
    let host = lower.trim_start_matches("ldap://");
    let host = host.split('/').next().unwrap_or(host);
    let name = host
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next());
    let name = name.unwrap_or_else(|| host.split(':').next().unwrap_or(host));
    let is_loopback = name
        .parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    !is_loopback && name != "localhost" && !name.is_empty()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_other_hosts_without_tls_are_plain() {
        for (server, plain) in [
            ("ldap://ldap.example.org", true),
            ("ldap.example.org:389", true),
            ("ldap://[2001:db8::1]:389", true),
            ("ldaps://ldap.example.org", false),
            ("ldapi://%2frun%2fslapd", false),
            ("ldap://127.0.0.1", false),
            ("ldap://[::1]:389/", false),
            ("localhost", false),
        ] {
            assert_eq!(is_plain(server), plain, "{server}");
        }
    }

    #[test]
    fn a_secret_that_all_users_can_read_is_found() {
        use crate::name::{Mode, RemotePath, UserName};
        use crate::postfix::configuration::{
            Configuration, HostEnvironment, Release, SetValues, Setting,
        };
        use crate::secret::{Body, Piece, SecretName};
        use crate::state::DesiredService;

        struct Nothing;
        impl SetValues for Nothing {
            fn parameter(&self, _: &str) -> Setting<'_> {
                Setting::Unknown
            }
            fn option(&self, _: &crate::name::ServiceName, _: &str) -> Option<&str> {
                None
            }
            fn entries(&self) -> Option<&[crate::postfix::MasterEntry]> {
                None
            }
        }
        let found = |secret: bool, mode: u32| {
            let body = match secret {
                true => Body(vec![Piece::Secret(SecretName("x".to_owned()))]),
                false => Body::plain("x"),
            };
            let file = File {
                body,
                owner: "root".parse::<UserName>().unwrap(),
                group: "root".parse::<UserName>().unwrap(),
                mode: Mode::from_bits(mode),
                index: None,
                table: None,
            };
            let path = RemotePath::new("/etc/postfix/x").ok();
            let wanted = DesiredService {
                files: path
                    .into_iter()
                    .map(|path| (path, Want::Present(file.clone())))
                    .collect(),
                ..DesiredService::default()
            };
            let host = PolicyHost {
                roles: &[],
                provides: std::collections::BTreeSet::new(),
                wanted: &wanted,
                configuration: Configuration::new(
                    &Nothing,
                    Release::new("3.7.11"),
                    HostEnvironment::UNKNOWN,
                ),
            };
            violations(Mistake::WorldReadableSecret, &host).len()
        };
        assert_eq!(found(true, 0o644), 1);
        assert_eq!(found(true, 0o640), 0);
        assert_eq!(found(false, 0o644), 0);
    }
}
