//! `trace --live`: a host is asked what its tables have.

use murder::exchange::{PostmapAnswer, TableQuestion};
use murder::machine::Observe;
use murder::machine::remote::Remote;
use murder::service::{Instance, Service};

use super::host::Host;

#[test]
fn tables_are_asked_as_postfix_asks_them_and_nothing_is_written() {
    let host = Host::running();
    host.run("cd /etc/postfix; printf 'a@x b@x\\no%sb@x it is\\n' \"'\" >t; postmap hash:t; echo '/^re@/ found' >re; postconf -e transport_maps=proxy:hash:/etc/postfix/t; postfix reload");
    let state = "find /etc /var/lib/murder /tmp /root -printf '%p %T@ %i\\n' | sort";
    let before = host.run(state);
    let ask = |table: &str, key: &str| (table.to_owned(), key.to_owned());
    let question = TableQuestion {
        service: Service::Postfix(Instance::Default),
        lookups: vec![
            ask("hash:/etc/postfix/t", "a@x"),
            ask("proxy:hash:/etc/postfix/t", "A@x"),
            ask("hash:/etc/postfix/t", "o'b@x"),
            ask("hash:/etc/postfix/t", "$(touch /root/run)`touch /root/run`"),
            ask("inline:{ { k = two words } }", "k"),
            ask("regexp:/etc/postfix/re", "re@x"),
            ask("hash:/etc/postfix/none", "k"),
            ask("static:s", "-x@y"),
        ],
    };
    for sh in ["dash", "bash", "busybox sh"] {
        let mut remote = Remote::new(host.shell()).with_sh(sh);
        let mut answers = async_io::block_on(remote.looking_up(&question)).unwrap();
        let failed = answers.remove(6);
        assert!(
            matches!(&failed, PostmapAnswer::Failed(why) if why.contains("/etc/postfix/none")),
            "{sh}: {failed:?}"
        );
        let found = |text: &str| PostmapAnswer::Found(text.to_owned());
        assert_eq!(
            answers,
            [
                found("b@x"),
                found("b@x"),
                found("it is"),
                PostmapAnswer::Absent,
                found("two words"),
                found("found"),
                found("s"),
            ],
            "{sh}"
        );
    }
    assert_eq!(host.run(state), before);
}

/// The program itself on a host that it has set up, before and after a table is changed by hand.
#[test]
fn a_trace_says_where_the_host_disagrees_with_the_model() {
    let host = Host::running();
    host.install_program();
    host.write(
        "/root/m.yaml",
        "version: 1\nmurder: lab\ndomains: [example.org]\nldap: {uris: ['ldap://192.0.2.9'], base: 'dc=example,dc=org', tls: {mode: none}}\nhosts:\n  mx.example.org: {roles: [internet-mta], addresses: [127.0.0.1], vars: {recipient_check: table, recipients: [ann@example.org]}}\n  \
         smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}\n",
    );
    let applied = host.run("cd /root; /usr/local/bin/murder apply m.yaml --host mx.example.org --local --yes --adopt --allow-restart --allow-unverified --allow-fault 2>&1; echo $?");
    assert!(applied.ends_with("\n0\n"), "{applied}");
    let trace = "cd /root; /usr/local/bin/murder trace bob@example.org --manifest m.yaml --no-directory --live --local 2>&1; echo $?";
    let said = host.run(trace);
    assert!(said.contains("live mx.example.org: agrees in "), "{said}");
    assert!(!said.contains("live route"), "{said}");
    assert!(said.ends_with("\n0\n"), "{said}");
    // A parameter that the manifest does not name leads the mail another way.
    host.run("postconf -e 'virtual_alias_maps = inline:{ {bob@example.org = ann@example.org} }'; postfix reload");
    let said = host.run(trace);
    let route = "  live route DIFFERS, by the main.cf, master.cf and files that the hosts have:\n    bob@example.org: ";
    assert!(
        said.contains(route)
            && said.contains("bob@example.org → ann@example.org   virtual_alias_maps "),
        "{said}"
    );
    assert!(
        said.contains("live mx.example.org: agrees in ") && said.ends_with("\n1\n"),
        "{said}"
    );
    host.run("postconf -X virtual_alias_maps; postfix reload");
    host.run("cd /etc/postfix; echo 'bob@example.org x' >>relay_recipients; postmap relay_recipients; postfix reload");
    let said = host.run(trace);
    assert!(
        said.contains("live mx.example.org: DISAGREES in 1 of "),
        "{said}"
    );
    assert!(
        said.contains("/etc/postfix/relay_recipients` for `bob@example.org`: the host has `x`, the model nothing"),
        "{said}"
    );
    assert!(said.ends_with("\n1\n"), "{said}");
    let json = host.run(&trace.replace("--live", "--live --format json"));
    let line: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(line["live"][0]["differing"][0]["host"], "`x`");
    assert_eq!(line["reply"]["code"], 550);
    assert_eq!(line["live_route"]["reply"]["code"], 250, "{line}");
}
