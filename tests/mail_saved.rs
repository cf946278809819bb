//! Saved plans that were judged by a directory, through the program itself, on folders.

use std::fs;

use serde_json::Value;

use super::mail_change::{applied, change, run, with};
use super::program::command;
use super::routes::{RouteFolder, text};

const OUT: [&str; 3] = ["--out", "p.json", "--allow-bounce=frontend1*"];

fn murder(folder: &RouteFolder, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = folder.run(arguments);
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

/// A murder in which one person's mail is about to go to another one.
fn moving() -> RouteFolder {
    let folder = applied();
    let sends =
        "settings: {virtual_alias_maps: {prepend: ['inline:{{ann@example.org=bob@example.org}}']}}";
    change(&folder, &with("smtp", sends));
    folder
}

#[test]
fn a_saved_plan_has_counts_and_no_address_unless_it_is_asked_for() {
    let folder = moving();
    let path = folder.0.path().join("p.json");
    let (said, code) = run(&folder, "plan", &[&OUT[..], &["--adopt"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let saved = fs::read_to_string(&path).unwrap();
    let plan: Value = serde_json::from_str(&saved).unwrap();
    let mail = &plan["header"]["mail"];
    assert_eq!(mail["by"], "ldif");
    assert_eq!(mail["means"]["moves"][0]["addresses"], 2, "{mail}");
    assert!(!mail.to_string().contains("ann@"), "{mail}");
    let (shown, _, code) = murder(&folder, &["show", "p.json"]);
    assert_eq!(code, Some(0));
    assert!(
        shown.contains("by an LDIF export\n  2 addresses move from backend1"),
        "{shown}"
    );
    assert!(
        said.contains(&shown),
        "`show` prints what `plan` printed: {said}\n{shown}"
    );
    for format in ["json", "markdown"] {
        let (shown, _, _) = murder(&folder, &["show", "p.json", "--format", format]);
        assert!(shown.contains("judged"), "{shown}");
    }
    // What is refused is in the file, with how many addresses it is.
    change(
        &folder,
        &with("mx", "settings: {smtpd_client_restrictions: reject}"),
    );
    let (said, code) = run(&folder, "plan", &["--out", "p.json", "--show-addresses"]);
    assert_eq!(code, Some(1), "{said}");
    let saved = fs::read_to_string(&path).unwrap();
    assert!(
        saved.contains("3 addresses lose mail") && saved.contains("ann.lee@example.org"),
        "{saved}"
    );
    let (_, said, code) = murder(&folder, &["apply", "p.json", "--sandbox", "hosts", "--yes"]);
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn apply_says_how_old_the_judgement_is_and_judges_again_by_a_directory() {
    let folder = moving();
    let (said, code) = run(&folder, "plan", &["--out", "p.json", "--adopt"]);
    assert_eq!(code, Some(0), "{said}");
    let apply = ["apply", "p.json", "--sandbox", "hosts", "--yes"];
    let again = [&apply[..], &["--ldif", "d.ldif", "--manifest", "m.yaml"]].concat();
    // Meanwhile bob has left, and with him the mail for ann.
    let people = fs::read_to_string(folder.0.path().join("d.ldif")).unwrap();
    let without = people.replace("bob@example.org", "robert@example.org");
    fs::write(folder.0.path().join("d.ldif"), &without).unwrap();
    let (out, said, code) = murder(&folder, &again);
    assert_eq!(code, Some(1), "{out}{said}");
    assert!(
        out.contains("mail: 3 addresses\n  2 addresses now bounce"),
        "{out}{said}"
    );
    // Another manifest proves nothing about this plan.
    let manifest = fs::read_to_string(folder.0.path().join("m.yaml")).unwrap();
    change(&folder, &with("smtp", "settings: {smtpd_banner: other}"));
    let (out, said, code) = murder(&folder, &again);
    assert_eq!(code, Some(1), "{out}{said}");
    assert!(
        said.contains("the manifest wants other things of `smtp.example.org` than the plan"),
        "{said}"
    );
    let nowhere = [&apply[..], &["--ldif", "d.ldif", "--manifest", "none.yaml"]].concat();
    let (_, said, code) = murder(&folder, &nowhere);
    assert!(code == Some(1) && said.contains("none.yaml"), "{said}");
    change(&folder, &manifest);
    fs::write(folder.0.path().join("d.ldif"), &people).unwrap();
    let (out, said, code) = murder(&folder, &again);
    assert_eq!(code, Some(0), "{out}{said}");
    assert!(
        out.contains("mail: 3 addresses\n  2 addresses move from"),
        "{out}"
    );
    // In a folder without a manifest, and with a flag that would show nothing.
    let elsewhere = folder.0.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    for (more, words) in [
        (
            ["--ldif", "../d.ldif"],
            "to judge a saved plan again needs the manifest that it was made from, and this folder has none",
        ),
        (
            ["--show-addresses", "--allow-bounce"],
            "`--show-addresses` needs a directory",
        ),
    ] {
        let own = ["apply", "../p.json", "--sandbox", "../hosts", "--yes"];
        let arguments = [&own[..], &more].concat();
        let output = command(&elsewhere, &arguments).output().unwrap();
        let said = text(&output.stderr);
        assert!(
            output.status.code() == Some(1) && said.contains(words),
            "{said}"
        );
    }
    // Without a directory, the judgement of the plan is told, with its age.
    let (out, said, code) = murder(&folder, &apply);
    assert_eq!(code, Some(0), "{out}{said}");
    assert!(
        said.contains("what this plan means for mail was judged ")
            && said.contains(" ago, by an LDIF export"),
        "{said}"
    );
}

#[test]
fn a_manifest_that_judges_every_plan_says_so_where_it_cannot() {
    let folder = applied();
    let manifest = fs::read_to_string(folder.0.path().join("m.yaml")).unwrap();
    let judging = format!("{manifest}verify: {{in_plan: true}}\n");
    change(&folder, &judging);
    let (_, said, code) = murder(&folder, &["plan", "m.yaml", "--sandbox", "hosts"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("this plan is not judged by `verify.in_plan`: a sandbox asks no LDAP server"),
        "{said}"
    );
    let (said, code) = run(&folder, "plan", &[]);
    assert!(
        code == Some(0) && said.contains("mail: 3 addresses") && !said.contains("not judged"),
        "{said}"
    );
    let (_, said, code) = murder(
        &folder,
        &["plan", "m.yaml", "--sandbox", "hosts", "--no-directory"],
    );
    assert!(code == Some(0) && !said.contains("not judged"), "{said}");
    let ldap = judging.lines().filter(|line| !line.starts_with("ldap:"));
    change(&folder, &(ldap.collect::<Vec<_>>().join("\n") + "\n"));
    let (_, said, code) = murder(&folder, &["check", "m.yaml"]);
    assert!(
        code == Some(1) && said.contains("`verify.in_plan` needs LDAP servers"),
        "{said}"
    );
}

/// The judgement in a file is of all its hosts.
#[test]
fn a_part_of_a_saved_plan_says_that_only_the_whole_was_judged() {
    let folder = applied();
    let limit = "settings: {smtpd_recipient_limit: '900'}";
    let line = |line: &str| match line.starts_with("  backend1.") {
        true => line.replace("]}", &format!("], {limit}}}")) + "\n",
        false => line.to_owned() + "\n",
    };
    let both: String = with("smtp", limit).lines().map(line).collect();
    change(&folder, &both);
    let (said, code) = run(&folder, "plan", &["--out", "p.json"]);
    assert_eq!(code, Some(0), "{said}");
    let apply = ["apply", "p.json", "--sandbox", "hosts", "--yes"];
    let part = [&apply[..], &["--host", "smtp.example.org"]].concat();
    let words = "warning: mail was judged with the changes of all hosts, and backend1.example.org is left out here: ";
    let (_, said, code) = murder(&folder, &part);
    assert!(code == Some(0) && said.contains(words), "{said}");
    let (_, said, code) = murder(&folder, &apply);
    assert!(code == Some(0) && !said.contains("left out"), "{said}");
}
