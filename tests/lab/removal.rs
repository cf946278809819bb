//! What nobody names any more: deleted where `murder` made it, given back where it was found.

use crate::world::World;

pub fn what_nobody_names_goes_or_goes_back(world: &mut World) {
    let host = "backend1";
    let lab = &world.lab;
    lab.sh(
        host,
        "postconf -e bounce_queue_lifetime=3d; postfix reload 2>/dev/null",
    );
    lab.sh(
        host,
        "printf 'found here\\n' > /etc/postfix/found; chmod 600 /etc/postfix/found",
    );
    let before = lab.sh(host, "postconf -n; postconf -M");
    world.write(
        "extra.yaml",
        r#"
hosts:
  backend1.example.org:
    settings:
      bounce_queue_lifetime: 2d
      smtpd_client_connection_count_limit: "40"
      smtpd_client_restrictions: "check_client_access $default_database_type:/etc/postfix/lab-access"
    services:
      lmtp/unix: {options: {syslog_name: "postfix/lab"}}
    files:
      /etc/postfix/found: {content: "managed here\n"}
      /etc/postfix/lab-access: {content: "192.0.2.1 REJECT\n", table: true}
"#,
    );
    let extra = ["--overlay", "extra.yaml", "--host", "backend1.example.org"];
    // The file that was there is not overwritten without a word.
    world
        .murder("apply", &[&extra[..], &["--yes"]].concat())
        .exits(1)
        .says("--adopt")
        .says("/etc/postfix/found");
    assert_eq!(world.lab.sh(host, "cat /etc/postfix/found"), "found here\n");
    world
        .murder("apply", &[&extra[..], &["--yes", "--adopt"]].concat())
        .exits(0);
    world
        .murder("plan", &[&extra[..], &["--detailed-exitcode"]].concat())
        .exits(0);
    let lab = &world.lab;
    assert_eq!(lab.postconf(host, "bounce_queue_lifetime"), "2d");
    assert_eq!(lab.sh(host, "cat /etc/postfix/found"), "managed here\n");
    assert_eq!(
        lab.sh(
            host,
            "postmap -q 192.0.2.1 $(postconf -h default_database_type):/etc/postfix/lab-access"
        )
        .trim(),
        "REJECT"
    );
    assert!(
        lab.sh(host, "postconf -P lmtp/unix/syslog_name")
            .contains("postfix/lab")
    );

    // Without the overlay all of it is unnamed.
    world
        .murder("plan", &[])
        .exits(0)
        .says("lab-access")
        .says("bounce_queue_lifetime");
    world.murder("apply", &["--yes"]).exits(0);
    let lab = &world.lab;
    assert_eq!(lab.sh(host, "postconf -n; postconf -M"), before);
    assert_eq!(
        lab.sh(
            host,
            "cat /etc/postfix/found; stat -c %a /etc/postfix/found"
        ),
        "found here\n600\n"
    );
    assert_eq!(
        lab.sh(host, "ls /etc/postfix | grep -c lab-access || true")
            .trim(),
        "0",
        "the table and its index are gone"
    );
    world.murder("drift", &[]).exits(0);
    world.lab.sh(
        host,
        "rm /etc/postfix/found; postconf -X bounce_queue_lifetime; postfix reload 2>/dev/null",
    );
}

pub fn a_retired_host_is_emptied(world: &mut World) {
    let host = "frontend1";
    world.write(
        "retire.yaml",
        "hosts: {frontend1.example.org: {state: retired}}\n",
    );
    world
        .murder("plan", &["--overlay", "retire.yaml"])
        .exits(0)
        .says("frontend1.example.org");
    world
        .murder(
            "apply",
            &["--overlay", "retire.yaml", "--yes", "--allow-delete"],
        )
        .exits(0);
    let (_, untouched) = world
        .untouched
        .iter()
        .find(|(name, _)| name == host)
        .unwrap();
    assert_eq!(&world.lab.sh(host, "postconf -n"), untouched);
    world
        .murder("plan", &["--overlay", "retire.yaml", "--detailed-exitcode"])
        .exits(0);
    // A host that mail is still routed to is not let go.
    world.write(
        "careless.yaml",
        "hosts: {backend1.example.org: {state: retired}}\n",
    );
    world
        .murder("plan", &["--overlay", "careless.yaml"])
        .exits(1)
        .says("backend1.example.org");
    // And back again.
    world.converge();
}
