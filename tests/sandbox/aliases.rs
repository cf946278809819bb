//! Alias files: lines of another form, and an index that postalias(1) builds.

use std::path::Path;
use std::process::Command;

use super::Bench;

const HOST: &str = "mx.example.org";

fn manifest(files: &str) -> String {
    format!(
        r#"
version: 1
murder: example.org
domains: [example.org]
smart_host: smtp.example.org
external: [smtp.example.org]
hosts:
  {HOST}:
    roles: [internet-mta]
    addresses: [192.0.2.6]
    vars: {{recipient_check: table, recipients: ["joe@example.org"]}}
    {files}
"#
    )
}

fn value(bench: &Bench, name: &str, table: &str) -> String {
    let (kind, path) = table.split_once(':').unwrap();
    let output = Command::new("/usr/sbin/postalias")
        .args(["-q", name])
        .arg(format!("{kind}:{}{path}", bench.root(HOST).display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

const TEXT: &str = r#""root: admin@example.org\n\"a b\": c\nlist: :include:/etc/list,\n  d\n""#;

#[test]
fn an_alias_file_is_indexed_by_its_own_program_wherever_it_is_named() {
    if !Path::new("/usr/sbin/postalias").exists() {
        return; // No index is built.
    }
    for (path, settings, more) in [
        ("/etc/aliases", "{}", ""),
        ("/etc/aliases", "{}", ", table: true"),
        (
            "/etc/mail/aliases",
            "{alias_maps: \"hash:/etc/mail/aliases\"}",
            "",
        ),
        (
            "/etc/postfix/local-aliases",
            "{alias_database: \"$default_database_type:/etc/postfix/local-aliases\", alias_maps: $alias_database}",
            ", table: true",
        ),
    ] {
        let bench = Bench::new(&manifest(&format!(
            "settings: {settings}\n    files: {{{path}: {{content: {TEXT}{more}}}}}"
        )));
        bench.expect(0, "apply", &["--yes", "--adopt"]);
        let table = format!("hash:{path}");
        assert_eq!(value(&bench, "root", &table), "admin@example.org", "{path}");
        assert_eq!(value(&bench, "a b", &table), "c", "{path}");
        assert_eq!(
            value(&bench, "list", &table),
            ":include:/etc/list, d",
            "{path}"
        );
        let again = bench.expect(0, "apply", &["--yes"]);
        assert!(!again.contains("index"), "{again}");
        bench.edit(HOST, path.trim_start_matches('/'), "admin", "someone");
        bench.expect(0, "apply", &["--yes"]);
        assert_eq!(value(&bench, "root", &table), "admin@example.org", "{path}");
    }
}

#[test]
fn a_wrong_line_of_an_alias_file_is_an_error_before_anything_is_contacted() {
    for (line, said) in [
        ("root admin@example.org", "it is no `name: value`"),
        ("root:", "it is no `name: value`"),
        ("root@example.org: x", "must have no domain"),
        ("a, b: c", "it is no `name: value`"),
    ] {
        let files = format!("files: {{/etc/aliases: {{content: \"x: y\\n{line}\\n\"}}}}");
        let bench = Bench::new(&manifest(&files));
        let text = bench.expect(1, "plan", &[]);
        assert!(
            text.contains("line 2 of `/etc/aliases`") && text.contains(said),
            "{text}"
        );
    }
}

#[test]
fn a_table_of_another_form_is_no_alias_file() {
    let settings = "settings: {alias_maps: \"texthash:/etc/postfix/my-aliases\"}";
    let files = "files: {/etc/postfix/my-aliases: {content: \"root admin@example.org\\n\"}}";
    let bench = Bench::new(&manifest(&format!("{settings}\n    {files}")));
    let text = bench.expect(0, "apply", &["--yes"]);
    assert!(!text.contains("my-aliases with postalias"), "{text}");
    let index = bench.root(HOST).join("etc/postfix/my-aliases.db");
    assert!(!index.exists());
}
