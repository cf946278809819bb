//! Which services run, and how: master(5), and postconf(5) of the parameters of master(8).

use super::Rules;

/// postconf(5), `master_service_disable`: the first word that matches decides. Mail for a transport that does not run waits.
#[test]
fn services_that_are_disabled() {
    for (list, answers, delivers) in [
        ("", true, true),
        ("inet", false, true),
        ("SMTP.inet", false, true),
        ("!smtp/inet, inet", true, true),
        ("inet, !smtp/inet", false, true),
        ("smtp/unix", true, true),
        ("local/unix", true, false),
        ("Local.Unix", true, false),
        ("!local/unix, local/unix", true, true),
    ] {
        let rules = Rules::new(&format!("master_service_disable = {list}"));
        assert_eq!(rules.0.hosts[0].smtpd.is_some(), answers, "{list}");
        let action = if delivers { "delivered" } else { "deferred" };
        let ends = rules.ends("root@here.org");
        assert!(ends[0].ends_with(action), "{list}: {ends:?}");
    }
}

/// master(5): of two entries for the same service the last one counts. "chroot": `-` means `y` below compatibility level 1.
#[test]
fn entries_of_services() {
    let master_cf = "smtp inet n - y - - smtpd\nlocal unix - n n - - local\none unix - - - - - lmtp\ntwo unix - - y - - lmtp\n\
                     one unix - - - - - lmtp -o lmtp_tcp_port=2003\ntwo unix - - n - - lmtp\n";
    for (level, expected) in [("0", &["one"][..]), ("1", &[]), ("3.6", &[])] {
        let main_cf = format!("compatibility_level = {level}");
        let rules = Rules::with_services(&main_cf, master_cf, &[]);
        let agents = &rules.0.hosts[0].agents;
        let chrooted: Vec<&str> = agents.chrooted.iter().map(String::as_str).collect();
        assert_eq!(chrooted, expected, "{level}");
        assert_eq!(agents.clients.len(), 2, "{level}");
    }
}
