//! Which services run, and how: master(5), and postconf(5) of the parameters of master(8).

use super::Rules;
use crate::directory::Directory;
use crate::mail::{Entry, SmtpClient};

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

/// master(5), "Service name": of several services on port 25, others reach the one that does not listen on a loopback address.
#[test]
fn services_on_port_25() {
    let listed = "smtpd -o smtpd_reject_unlisted_recipient=yes";
    let open = "smtpd -o smtpd_reject_unlisted_recipient=no";
    for (main_cf, services, answer) in [
        ("", vec![("smtp inet", listed)], "550 5.1.1"),
        (
            "",
            vec![
                ("127.0.0.1:smtp inet", open),
                ("192.0.2.5:smtp inet", listed),
            ],
            "550 5.1.1",
        ),
        (
            "",
            vec![("[::1]:25 inet", open), ("192.0.2.5:25 inet", listed)],
            "550 5.1.1",
        ),
        (
            "",
            vec![("192.0.2.5:smtp inet", listed), ("localhost:25 inet", open)],
            "550 5.1.1",
        ),
        // The host's address is 192.0.2.5.
        (
            "",
            vec![
                ("192.0.2.4:smtp inet", open),
                ("192.0.2.5:smtp inet", listed),
            ],
            "550 5.1.1",
        ),
        (
            "",
            vec![
                ("192.0.2.4:smtp inet", listed),
                ("192.0.2.5:smtp inet", open),
            ],
            "250 2.1.5",
        ),
        (
            "inet_interfaces = 192.0.2.4",
            vec![("smtp inet", open), ("192.0.2.5:smtp inet", listed)],
            "550 5.1.1",
        ),
        (
            "",
            vec![
                ("127.0.0.1:smtp inet", open),
                ("smtp inet", "postscreen"),
                ("smtpd pass", listed),
            ],
            "550 5.1.1",
        ),
        (
            "",
            vec![("submission inet", open), ("mail inet", listed)],
            "550 5.1.1",
        ),
        ("", vec![("127.0.0.1:smtp inet", listed)], "?"),
        ("", vec![("smtp inet", "postscreen")], "?"),
        ("", vec![("submission inet", listed)], "?"),
    ] {
        let lines = services
            .iter()
            .map(|(name, command)| format!("{name} n - n - - {command}\n"));
        let main_cf = format!("{main_cf}\nlocal_recipient_maps = inline:{{a=b}}");
        let rules = Rules::with_services(&main_cf, &lines.collect::<String>(), &[]);
        assert_eq!(rules.rcpt("nobody@here.org"), answer, "{services:?}");
    }
}

/// FILTER_README: smtpd(8) and pickup(8) give mail to a filter, each by its own options; local(8) does not. postconf(5),
/// `receive_override_options`.
#[test]
fn services_that_take_mail() {
    let main_cf =
        "alias_maps = inline:{a=x@far.org}\nvirtual_alias_maps = inline:{v@here.org=x@far.org}";
    let filter = "content_filter=scan:[127.0.0.1]:10025";
    let plain = "receive_override_options=no_address_mappings";
    for (options, smtpd, pickup, by_smtp, by_sendmail) in [
        ("", "", "", "x@far.org delivered", "x@far.org delivered"),
        (
            filter,
            "",
            "",
            "v@here.org not modelled",
            "v@here.org not modelled",
        ),
        (
            filter,
            "content_filter=",
            "",
            "x@far.org delivered",
            "v@here.org not modelled",
        ),
        (
            filter,
            "",
            "content_filter=",
            "v@here.org not modelled",
            "x@far.org delivered",
        ),
        (
            "",
            filter,
            "",
            "v@here.org not modelled",
            "x@far.org delivered",
        ),
        (
            plain,
            "receive_override_options=",
            "",
            "x@far.org delivered",
            "v@here.org not modelled",
        ),
        (
            "",
            plain,
            "",
            "v@here.org not modelled",
            "x@far.org delivered",
        ),
    ] {
        let option = |text: &str| match text {
            "" => String::new(),
            text => format!("-o {text}"),
        };
        let options = options.replace('=', " = ");
        let master_cf = format!(
            "smtp inet n - n - - smtpd {}\npickup unix n - n 60 1 pickup {}\nlocal unix - n n - - local\nsmtp unix - - n - - smtp\n",
            option(smtpd),
            option(pickup)
        );
        let rules = Rules::with_services(&format!("{main_cf}\n{options}"), &master_cf, &[]);
        let client = SmtpClient::Address([192, 0, 2, 1].into());
        for (entry, expected) in [
            (Entry::Smtp(0, client), by_smtp),
            (Entry::Submit(0), by_sendmail),
        ] {
            let trace = rules.0.trace("v@here.org", entry, &Directory::default());
            let end = &trace.ends[0];
            let shown = format!("{} {}", end.recipient, end.action.word());
            assert_eq!(shown, expected, "{options} {master_cf} {entry:?}");
        }
    }
    // What local(8) sends on passes no filter.
    let rules = Rules::with_services(
        &format!("{main_cf}\n{}", filter.replace('=', " = ")),
        "pickup unix n - n 60 1 pickup -o content_filter=\nlocal unix - n n - - local\nsmtp unix - - n - - smtp\n",
        &[],
    );
    assert_eq!(
        rules.ends("a@here.org"),
        ["x@far.org smtp:far.org delivered"]
    );
}
