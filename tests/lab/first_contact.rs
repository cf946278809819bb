//! The first contact with a host that somebody set up by hand.

use crate::world::{World, verdict};

/// A password that stands in a hand-made table, and that nothing may show.
const FOUND: &str = "handmade-secret-42";

pub fn first_contact_shows_and_refuses(world: &mut World) {
    let host = "mx";
    let only = ["--host", "mx.example.org"];
    world.lab.run(&["down", host]);
    world.lab.up(host);

    // The files that the plan wants tell where somebody may have put their own.
    let plan = world
        .murder("plan", &[&only[..], &["--format", "json"]].concat())
        .exits(0)
        .json();
    assert_eq!(verdict(&plan, host), "changes");
    let steps = plan["hosts"]["mx.example.org"]["steps"]
        .as_array()
        .unwrap()
        .clone();
    let path = steps
        .iter()
        .filter(|step| step["step"] == "file")
        .find_map(|step| step["path"].as_str().filter(|path| path.contains("/ldap/")))
        .expect("an LDAP table on the edge");
    world.lab.sh(
        host,
        &format!(
            "mkdir -p $(dirname {path}); umask 077; printf 'server_host = old.example.org\\nbind_pw = {FOUND}\\nquery_filter = (mail=%%s)\\n' > {path}"
        ),
    );
    world.lab.sh(
        host,
        "postconf -e 'relay_domains = hand.example.org' 'smtpd_banner = ESMTP of our own' 'message_size_limit = 20480000'; postfix reload 2>/dev/null",
    );

    // Shown, with the hand-made values, and without the password that was found.
    world
        .murder("plan", &only)
        .exits(1)
        .says("hand.example.org")
        .says("old.example.org")
        .says("--adopt")
        .says_not(FOUND);
    world
        .murder("plan", &[&only[..], &["--format", "json"]].concat())
        .exits(1)
        .says_not(FOUND);

    // Refused before anything is written.
    let before = world.snapshot(host);
    world
        .murder("apply", &[&only[..], &["--yes"]].concat())
        .exits(1)
        .says("--adopt")
        .says(path)
        .says_not(FOUND);
    assert_eq!(before, world.snapshot(host));

    // Adopted; what nobody names stays.
    world
        .murder("apply", &[&only[..], &["--yes", "--adopt"]].concat())
        .exits(0)
        .says_not(FOUND);
    assert_eq!(world.lab.postconf(host, "smtpd_banner"), "ESMTP of our own");
    assert_eq!(world.lab.postconf(host, "message_size_limit"), "20480000");
    assert_ne!(
        world.lab.postconf(host, "relay_domains"),
        "hand.example.org"
    );
    // What was found is kept on the host, for root alone.
    let kept = world.lab.sh(host, &format!("grep -rlsF {FOUND} /etc /home /root /run /tmp /var 2>/dev/null | xargs -r stat -c '%a %U %n'"));
    assert!(!kept.trim().is_empty(), "the adopted text is kept");
    for line in kept.lines() {
        assert!(
            line.contains("/var/lib/murder/") && line.starts_with("600 root"),
            "{line}"
        );
    }

    // A host of another murder is not taken without a word.
    world.write("other.yaml", "murder: somebody-else\n");
    world
        .murder(
            "apply",
            &[&only[..], &["--overlay", "other.yaml", "--yes"]].concat(),
        )
        .exits(1)
        .says("--take-over");
    world.converge();
}
