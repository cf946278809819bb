//! Each page of docs/findings.md: its first example has that finding and no other, its second has none, and its fix and the advice of
//! the finding itself make it go. Entries are changed by the programs of slapd(8).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::ldap::about_indexes;
use super::routes::{RouteFolder, text};

const PAGES: &str = include_str!("../docs/findings.md");

/// What stands in advice for names that only the reader knows.
const NAMES: [(&str, &str); 5] = [
    ("SERVER", "backend1.example.org"),
    ("shared/FOLDER@DOMAIN", "shared/tips@example.org"),
    ("MEMBER", "uid=ann,dc=example,dc=org"),
    ("BASE", "dc=example,dc=org"),
    ("(FILTER)", "(uid=ann)"),
];

/// The page of a code.
struct Page {
    has: String,
    has_not: String,
    fix: Option<String>,
    /// The words of the fix.
    advice: String,
}

/// The indented lines after a heading of a page: `Has it:`, `Has it not:`, `Fix:`; and the words before them.
fn block(page: &str, heading: &str) -> (String, Option<String>) {
    let start = page.find(&format!("\n{heading}")).unwrap();
    let rest = &page[start + 1..];
    let is_code = |line: &str| line.starts_with("    ") || line.is_empty();
    let words: Vec<&str> = rest
        .lines()
        .take_while(|line| !line.starts_with("    "))
        .collect();
    // The next heading comes first where there is no block.
    let others = ["Has it not:", "Fix:", "Source:"];
    let is_other = |line: &&&str| others.iter().any(|other| line.starts_with(other));
    if words.iter().skip(1).any(|line| is_other(&line)) || words.len() == rest.lines().count() {
        let own: Vec<&str> = words
            .iter()
            .take(1)
            .chain(words.iter().skip(1).take_while(|line| !is_other(line)))
            .copied()
            .collect();
        return (own.join("\n"), None);
    }
    let lines = rest
        .lines()
        .skip(words.len())
        .take_while(|line| is_code(line));
    let lines: Vec<&str> = lines
        .map(|line| line.get(4..).unwrap_or_default())
        .collect();
    (
        words.join("\n"),
        Some(lines.join("\n").trim_end().to_owned() + "\n"),
    )
}

fn pages() -> BTreeMap<String, Page> {
    let pages = PAGES.split("\n## ").skip(1);
    let page = |page: &str| {
        let (code, page) = page.split_once('\n').unwrap();
        let (advice, fix) = block(page, "Fix:");
        let example = |heading: &str| {
            let (_, found) = block(page, heading);
            found.unwrap_or_else(|| panic!("{code}: `{heading}` has no example"))
        };
        let page = Page {
            has: example("Has it:"),
            has_not: example("Has it not:"),
            fix,
            advice,
        };
        (code.to_owned(), page)
    };
    pages.map(page).collect()
}

/// A block of the introduction, by its first line.
fn common(name: &str) -> String {
    let start = PAGES.find(&format!("    # {name}\n")).unwrap();
    let lines = PAGES[start..].lines();
    let lines = lines.take_while(|line| line.starts_with("    ") || line.is_empty());
    let lines: Vec<&str> = lines
        .map(|line| line.get(4..).unwrap_or_default())
        .collect();
    let text = lines.join("\n");
    // The next block begins with its own name.
    let end = text[1..].find("\n# ").map_or(text.len(), |at| at + 1);
    text[..end].trim_end().to_owned() + "\n"
}

/// A murder: its directory, and an overlay over its manifest.
#[derive(Clone)]
struct Scene {
    ldif: String,
    overlay: String,
}

impl Scene {
    /// The common murder with an example, which is entries or an overlay.
    fn with(example: &str) -> Self {
        let ldif = common("directory.ldif");
        match example.starts_with("dn: ") {
            true => Self {
                ldif: format!("{ldif}\n{example}"),
                overlay: String::new(),
            },
            false => Self {
                ldif,
                overlay: example.to_owned(),
            },
        }
    }

    /// The same after a change of its entries.
    fn changed(&self, change: &str) -> Self {
        let mut change = change.to_owned();
        for (name, value) in NAMES {
            change = change.replace(name, value);
        }
        Self {
            ldif: apply(&self.ldif, &change),
            overlay: self.overlay.clone(),
        }
    }

    /// What is found: codes and advice.
    fn found(&self) -> Vec<(String, String)> {
        let folder = RouteFolder::with(&common("murder.yaml"), &self.ldif);
        fs::write(folder.0.path().join("overlay.yaml"), &self.overlay).unwrap();
        let mut arguments = vec!["verify", "m.yaml", "--ldif", "d.ldif", "--format", "json"];
        if !self.overlay.is_empty() {
            arguments.extend(["--overlay", "overlay.yaml"]);
        }
        let output = folder.run(&arguments);
        let report: Value = serde_json::from_str(&text(&output.stdout))
            .unwrap_or_else(|_| panic!("{}\n{}", text(&output.stderr), self.overlay));
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .map(|finding| (word(&finding["code"]), word(&finding["help"])))
            .collect()
    }
}

/// Applies a change to entries as a server would, without its schema: examples leave out what does not matter.
fn apply(ldif: &str, change: &str) -> String {
    assert!(
        Path::new("/usr/sbin/slapmodify").exists(),
        "slapmodify is missing: tests/run installs it (package slapd)"
    );
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab");
    let config = format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude /etc/ldap/schema/inetorgperson.schema\n\
         include /etc/ldap/schema/dyngroup.schema\ninclude {lab}/kolab-mini.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
         database mdb\nmaxsize 10485760\nsuffix dc=example,dc=org\ndirectory {}\n",
        at("db").display()
    );
    fs::create_dir(at("db")).unwrap();
    fs::write(at("slapd.conf"), config).unwrap();
    fs::write(at("d.ldif"), ldif).unwrap();
    fs::write(at("change.ldif"), change).unwrap();
    let script = "slapadd -s -q -f slapd.conf -l d.ldif; slapmodify -s -q -f slapd.conf -l change.ldif; slapcat -o ldif-wrap=no -f slapd.conf";
    let output = Command::new("sh")
        .current_dir(folder.path())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .args(["-ec", script])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{change}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// The values of `olcDbIndex` of an entry of OpenLDAP's configuration.
fn indexes(entry: &str) -> Vec<String> {
    let values = entry
        .lines()
        .filter_map(|line| line.strip_prefix("olcDbIndex: "));
    values.map(str::to_owned).collect()
}

fn codes(found: &[(String, String)]) -> BTreeSet<&str> {
    found.iter().map(|(code, _)| code.as_str()).collect()
}

/// What a page promises, and is not kept.
fn broken(code: &str, page: &Page) -> Vec<String> {
    let mut broken = Vec::new();
    let mut none = |what: &str, found: Vec<(String, String)>| {
        if !found.is_empty() {
            broken.push(format!("{code}: {what}: {found:#?}"));
        }
    };
    if code == "attribute-not-indexed" {
        let (own, fix) = (indexes(&page.has), page.fix.as_deref().unwrap());
        let found = about_indexes(&own, None);
        assert_eq!(codes(&found), BTreeSet::from([code]));
        none(
            "the second example",
            about_indexes(&indexes(&page.has_not), None),
        );
        none("the fix", about_indexes(&own, Some(fix)));
        none("the advice", about_indexes(&own, Some(&found[0].1)));
        return broken;
    }
    let scene = Scene::with(&page.has);
    let found = scene.found();
    none("the second example", Scene::with(&page.has_not).found());
    match &page.fix {
        Some(change) => none("the fix", scene.changed(change).found()),
        // The manifest is edited: the second example is the first one after the fix.
        None => assert!(
            !page.has.starts_with("dn: "),
            "{code}: its fix cannot be copied"
        ),
    }
    let changes: Vec<&str> = found
        .iter()
        .map(|(_, help)| help.as_str())
        .filter(|help| help.contains("\nchangetype: "))
        .collect();
    if !changes.is_empty() {
        none("the advice", scene.changed(&changes.join("\n")).found());
    }
    if codes(&found) != BTreeSet::from([code]) {
        broken.push(format!("{code}: the first example: {found:#?}"));
    }
    // Advice in words names something that the page's fix names, too.
    for (_, help) in &found {
        let mut named = help.split('`').skip(1).step_by(2);
        let is_own_sentence = page.advice.contains(&help[..help.len().min(30)]);
        let is_known = is_own_sentence || named.any(|word| page.advice.contains(word));
        if !changes.contains(&help.as_str()) && !is_known {
            broken.push(format!(
                "{code}: the page does not know the advice `{help}`"
            ));
        }
    }
    broken
}

#[test]
fn the_common_murder_has_no_finding() {
    assert_eq!(Scene::with("").found(), []);
}

#[test]
fn each_page_is_true() {
    let pages = pages();
    // Each code has a page, and no page is left out.
    let folder = RouteFolder::with("", "");
    let all = text(&folder.run(&["explain"]).stdout);
    let listed = all.lines().filter_map(|line| line.strip_prefix("  "));
    let all: BTreeSet<&str> = listed.filter_map(|line| line.split(' ').next()).collect();
    let own: BTreeSet<&str> = pages.keys().map(String::as_str).collect();
    assert_eq!(own, all);
    let broken: Vec<String> = pages
        .iter()
        .flat_map(|(code, page)| broken(code, page))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
