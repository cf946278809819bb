//! Another instance of Postfix than the default one, through every verb.

use std::fs;
use std::process::Command;

use super::super::reports::Judged as _;
use super::Bench;

/// A manifest whose smart host has its role on an instance; `of_host` and `of_defaults` are further keys.
fn manifest(of_host: &str, of_defaults: &str) -> String {
    format!(
        r#"version: 1
murder: example.org
domains: [example.org]
ldap: {{uris: ["ldap://ldap.example.org"], base: "dc=example,dc=org"}}
defaults: {{{of_defaults}}}
hosts:
  backend1.example.org: {{roles: [backend], addresses: [192.0.2.11], instance: postfix}}
  smtp.example.org:
    roles: [internal-mta]
    addresses: [192.0.2.5]
    settings: {{master_service_disable: "", inet_interfaces: 192.0.2.5}}
    {of_host}
"#
    )
}

const ON_HOST: &str = "instance: postfix-out";
const HOST: [&str; 2] = ["--host", "smtp.example.org"];

fn read(bench: &Bench, path: &str) -> String {
    fs::read_to_string(bench.root("smtp.example.org").join(path)).unwrap_or_default()
}

/// A verb about one host; gives what it prints.
fn on_host(bench: &Bench, verb: &str, more: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args([verb, "smtp.example.org"])
        .arg(bench.home.path().join("manifest"))
        .arg("--sandbox")
        .arg(bench.home.path().join("sandbox"))
        .args(more)
        .env("NO_COLOR", "1")
        .judged();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn an_instance_is_planned_applied_and_rolled_back_by_itself() {
    let bench = Bench::new(&manifest(ON_HOST, ""));
    bench.expect(0, "plan", &HOST);
    let said = bench.expect(0, "apply", &[&HOST[..], &["--yes"]].concat());
    assert!(
        said.contains(" in /etc/postfix-out, root:root 0644: "),
        "{said}"
    );
    assert!(
        said.contains("/etc/postfix-out/main.cf:transport_maps"),
        "{said}"
    );
    let root = bench.root("smtp.example.org");
    let written = bench.fingerprint();
    let said = bench.expect(0, "plan", &HOST);
    assert!(said.contains("1 host converged"), "{said}");
    bench.expect(0, "apply", &[&HOST[..], &["--yes"]].concat());
    assert_eq!(
        bench.fingerprint(),
        written,
        "a second apply wrote something"
    );
    // The default instance is as Debian installs it, but for the list of instances.
    let default = read(&bench, "etc/postfix/main.cf");
    assert!(
        default.ends_with("multi_instance_directories = /etc/postfix-out\n"),
        "{default}"
    );
    assert!(!default.contains("transport_maps") && !root.join("etc/postfix/transport").exists());
    // Every path that the modules write is the instance's.
    let own = read(&bench, "etc/postfix-out/main.cf");
    assert!(own.contains("proxy:ldap:/etc/postfix-out/ldap/"), "{own}");
    assert!(!own.contains("/etc/postfix/"), "{own}");

    let drifted = own.replace("inet_interfaces = 192.0.2.5", "inet_interfaces = all");
    fs::write(root.join("etc/postfix-out/main.cf"), drifted).unwrap();
    let said = bench.expect(2, "drift", &HOST);
    assert!(
        said.contains("/etc/postfix-out/main.cf:inet_interfaces"),
        "{said}"
    );
    let said = bench.expect(0, "plan", &[&HOST[..], &["--format", "json"]].concat());
    assert!(
        said.contains("\"service\": \"postfix\"") && said.contains("\"instance\": \"postfix-out\""),
        "{said}"
    );
    bench.expect(0, "apply", &[&HOST[..], &["--yes"]].concat());
    let said = on_host(&bench, "history", &["-v"]);
    assert!(
        said.contains("/etc/postfix-out/main.cf:inet_interfaces"),
        "{said}"
    );
    let said = on_host(
        &bench,
        "rollback",
        &["--to", "0", "--yes", "--allow-delete"],
    );
    assert!(said.contains("done"), "{said}");
    assert!(!root.join("etc/postfix-out/transport").exists());
    let own = read(&bench, "etc/postfix-out/main.cf");
    assert!(
        own.contains("master_service_disable = inet") && !own.contains("transport_maps"),
        "{own}"
    );
}

#[test]
fn roles_that_move_give_back_what_they_leave() {
    let bench = Bench::new(&manifest("", ""));
    bench.expect(0, "apply", &[&HOST[..], &["--yes"]].concat());
    let root = bench.root("smtp.example.org");
    assert!(root.join("etc/postfix/transport").exists());
    // An existing host gets its instance from postmulti(1), not from murder.
    bench.manifest(&manifest(ON_HOST, ""));
    let said = bench.expect(3, "plan", &HOST);
    assert!(
        said.contains("has no instance `postfix-out`")
            && said.contains("postmulti -I postfix-out -e create"),
        "{said}"
    );
    fs::create_dir(root.join("etc/postfix-out")).unwrap();
    fs::write(
        root.join("etc/postfix-out/main.cf"),
        "multi_instance_enable = yes\ncompatibility_level = 3.6\ntransport_maps = hash:/etc/own\n",
    )
    .unwrap();
    fs::copy(
        root.join("etc/postfix/master.cf"),
        root.join("etc/postfix-out/master.cf"),
    )
    .unwrap();
    let said = bench.expect(3, "plan", &HOST);
    assert!(said.contains("does not list /etc/postfix-out"), "{said}");
    let main_cf = root.join("etc/postfix/main.cf");
    let text =
        fs::read_to_string(&main_cf).unwrap() + "multi_instance_directories = /etc/postfix-out\n";
    fs::write(&main_cf, text).unwrap();
    // What the instance has of its own is named by its own path.
    let flags = ["--yes", "--allow-delete"];
    let said = bench.expect(1, "apply", &[&HOST[..], &flags].concat());
    assert!(
        said.contains("`/etc/postfix-out/main.cf:transport_maps`"),
        "{said}"
    );
    let flags = ["--yes", "--allow-delete", "--adopt"];
    let said = bench.expect(0, "apply", &[&HOST[..], &flags].concat());
    assert!(said.contains("delete /etc/postfix/transport"), "{said}");
    let left = read(&bench, "etc/postfix/main.cf");
    assert!(
        !left.contains("transport_maps") && !left.contains("master_service_disable"),
        "{left}"
    );
    assert!(
        !root.join("etc/postfix/transport").exists() && !root.join("etc/postfix/ldap").exists()
    );
    let ledger = read(&bench, "var/lib/murder/ledger.json");
    assert!(
        ledger.contains("\"postfix-out\"") && !ledger.contains("\"postfix\": {"),
        "{ledger}"
    );
    let said = bench.expect(0, "plan", &HOST);
    assert!(said.contains("1 host converged"), "{said}");
}

#[test]
fn the_nearest_layer_names_the_instance_and_roles_must_agree() {
    let on = |of_host: &str, of_defaults: &str| {
        let bench = Bench::new(&manifest(of_host, of_defaults));
        let said = bench.expect(0, "plan", &[&HOST[..], &["--diff", "summary"]].concat());
        said.contains("/etc/postfix-out/transport")
    };
    assert!(on("", "instance: postfix-out"));
    assert!(on("instance: /etc/postfix-out", ""));
    assert!(!on("instance: postfix", "instance: postfix-out"));
    let with_modules = |modules: &str, roles: &str| {
        let text = manifest("", "").replace("roles: [internal-mta]", roles);
        Bench::new(&format!("{text}modules: {modules}\n"))
    };
    let bench = with_modules(
        "{internal-mta: {instance: postfix-out}}",
        "roles: [internal-mta]",
    );
    let said = bench.expect(0, "plan", &HOST);
    assert!(said.contains("/etc/postfix-out/transport"), "{said}");
    for wrong in ["out", "/etc/cron.d", "postfix-", "/srv/postfix-out"] {
        let bench = Bench::new(&manifest(&format!("instance: {wrong}"), ""));
        let said = bench.expect(1, "plan", &HOST);
        assert!(said.contains("begin with `postfix-`"), "{wrong}: {said}");
    }
}

#[test]
fn files_of_the_default_instance_are_outside_of_another_one() {
    let file = "instance: postfix-out\n    files: {/etc/postfix/x: {content: a}, /etc/postfix-out/y: {content: b}}";
    let bench = Bench::new(&manifest(file, ""));
    let said = bench.expect(1, "plan", &HOST);
    assert!(
        said.contains("`/etc/postfix/x` is outside of `/etc/postfix-out`"),
        "{said}"
    );
    assert!(!said.contains("`/etc/postfix-out/y` is"), "{said}");
    // What a module would write there is left alone by its own path.
    let leave = "instance: postfix-out\n    leave: [/etc/postfix-out/transport, transport_maps]";
    let bench = Bench::new(&manifest(leave, ""));
    let said = bench.expect(0, "plan", &HOST);
    assert!(!said.contains("no module manages"), "{said}");
    let said = bench.expect(0, "plan", &HOST);
    assert!(!said.contains("/etc/postfix-out/transport"), "{said}");
}

#[test]
fn two_hosts_of_a_manifest_are_not_one_machine() {
    let text = manifest("instance: postfix-out\n    ssh: {address: 192.0.2.9}", "");
    let text = text.replace("instance: postfix}", "ssh: {address: 192.0.2.9}}");
    let said = Bench::new(&text).expect(1, "plan", &HOST);
    assert!(said.contains("are the same machine"), "{said}");
}
