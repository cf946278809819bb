//! The syntax of tables that are written in a value, against the real Postfix.

use std::process::Command;

use murder::postfix::catalogue;

/// Tables with right and wrong braces, commas, blanks and members.
const TABLES: [&str; 48] = [
    "inline:{a=b}",
    "inline:{a=b, c=d}",
    "inline:{a=b c=d}",
    "inline:{ { a = b c, d } }",
    "inline:{ { a=b }, c=d }",
    "inline:{ outside.example=retry:4.4.4 not now }",
    "inline:{ { outside.example = retry:4.4.4 not now } }",
    "inline:{ a = b }",
    "inline:{a}",
    "inline:{=b}",
    "inline:{a=}",
    "inline:{}",
    "inline:{ }",
    "inline:a=b",
    "inline:{a=b",
    "inline:{a=b}}",
    "inline:{a=b}c",
    "inline:{{a=b}",
    "inline:{ {a=b} {c} }",
    "inline:{ {a=b}x }",
    "static:x",
    "static:{x y}",
    "static:{x",
    "static:{x}y",
    "static:",
    "static:{ x, y }",
    "unionmap:{static:a, static:b}",
    "unionmap:{static:a static:b}",
    "unionmap:static:a",
    "unionmap:{}",
    "unionmap:{static:a, b}",
    "unionmap:{inline:{a=b c}, static:d}",
    "unionmap:{inline:{a=b, c=d}, static:d}",
    "pipemap:{static:a, inline:{a=b}}",
    "pipemap:{static:a, {inline:{a=b}}}",
    "pipemap:{a}",
    "randmap:{a, b}",
    "randmap:a",
    "randmap:{}",
    "randmap:{a",
    "regexp:{ {/a/ b} }",
    "regexp:{ {/a/ b c}, {/d/i e} }",
    "regexp:{ /a/ b }",
    "regexp:{{/a/}}",
    "regexp:{{!/a/ b}}",
    "cidr:{ {192.0.2.0/24 OK} }",
    "cidr:{ 192.0.2.0/24 OK }",
    "cidr:{{192.0.2.0/24 OK}",
];

/// Whether Postfix answers lookups in a table without a complaint.
fn works(table: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.cf"), "compatibility_level = 3.6\n").unwrap();
    let output = Command::new("/usr/sbin/postmap")
        .arg("-c")
        .arg(folder.path())
        .args(["-q", "key", table])
        .output()
        .unwrap();
    output.stderr.is_empty()
}

#[test]
fn tables_in_values_are_judged_as_postfix_judges_them() {
    let differences: Vec<String> = std::thread::scope(|scope| {
        let judged = TABLES.map(|table| {
            scope.spawn(move || {
                let here = catalogue::check_table("maps", table);
                let there = works(table);
                (here.is_none() != there).then(|| format!("{table}: {here:?}, Postfix {there}"))
            })
        });
        judged
            .into_iter()
            .filter_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(differences, [""; 0]);
}
