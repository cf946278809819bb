//! What an import says of hosts on which mail is lost, bounced or delayed: each row where the fault is, and not where it is mended.

use std::fs;
use std::path::Path;

use super::{steps, succeeds};

const NAME: &str = "backend1.example.org";

const LDAP: &str = "server_host = ldaps://ldap.example.org\nversion = 3\ntls_require_cert = yes\nsearch_base = o=x\nbind = no\ndomain = example.org\n";

/// Files of a host, by their paths below /etc.
type Files = Vec<(&'static str, String)>;

/// A backend as it should be, as files below /etc: people of its own by LDAP, and the rest to the internal MTA.
fn backend() -> Files {
    let main_cf = "compatibility_level = 3.6\nmyhostname = backend1.example.org\nmyorigin = example.org\n\
        mydestination = $myhostname, localhost, example.org\nrecipient_delimiter = +\nlocal_transport = relay:[smtp.example.org]:25\n\
        relayhost = [smtp.example.org]\nlocal_recipient_maps = proxy:ldap:/etc/postfix/people.cf\n\
        transport_maps = proxy:ldap:/etc/postfix/lmtp.cf\nunknown_local_recipient_reject_code = 450\n\
        lmtp_delivery_status_filter = inline:{5.1.1=4.1.1}\n";
    let master_cf = "smtp inet n - y - - smtpd\nrewrite unix - - y - - trivial-rewrite\nlmtp unix - - n - - lmtp\n\
        relay unix - - y - - smtp\nproxymap unix - - n - - proxymap\nlocal unix - n n - - local\n\
        submission inet n - y - - smtpd\n  -o smtpd_reject_unlisted_recipient=no\n";
    let filter = "query_filter = (&(mail=%s)(mailHost=backend1.example.org))\n";
    let people = format!("{LDAP}{filter}result_attribute = mail\n");
    let lmtp = format!(
        "{LDAP}{filter}result_attribute = mail\nresult_format = lmtp:unix:/run/cyrus/socket/lmtp\nexpansion_limit = 1\n"
    );
    vec![
        ("postfix/main.cf", main_cf.to_owned()),
        ("postfix/master.cf", master_cf.to_owned()),
        ("postfix/people.cf", people),
        ("postfix/lmtp.cf", lmtp),
        (
            "imapd.conf",
            "servername: backend1.example.org\n".to_owned(),
        ),
        ("mailname", format!("{NAME}\n")),
    ]
}

/// An internal MTA as it should be.
fn router() -> Files {
    let main_cf = "compatibility_level = 3.6\nmyhostname = backend1.example.org\nmyorigin = example.org\nrelay_domains = example.org\n\
        parent_domain_matches_subdomains =\nsmtp_delivery_status_filter = regexp:/etc/postfix/later\nrecipient_delimiter = +\nrelay_recipient_maps = proxy:ldap:/etc/postfix/people.cf\n\
        transport_maps = proxy:ldap:/etc/postfix/route.cf, proxy:ldap:/etc/postfix/no.cf\nrelay_transport = error:5.1.1 unknown\n\
        virtual_alias_maps = proxy:ldap:/etc/postfix/aliases.cf\n";
    let master_cf = "smtp inet n - y - - smtpd\nrewrite unix - - y - - trivial-rewrite\nrelay unix - - y - - smtp\n\
        proxymap unix - - n - - proxymap\nretry unix - - y - - error\nerror unix - - y - - error\n";
    let table = |filter: &str, rest: &str| format!("{LDAP}query_filter = {filter}\n{rest}");
    let route = "result_attribute = mailHost\nresult_format = relay:[%s]:25\nexpansion_limit = 1\n";
    let no = "result_attribute = mail\nresult_format = retry:4.2.1 no mailbox yet\nexpansion_limit = 1\n";
    vec![
        ("postfix/main.cf", main_cf.to_owned()),
        ("postfix/master.cf", master_cf.to_owned()),
        (
            "postfix/people.cf",
            table("(mail=%s)", "result_attribute = mail\n"),
        ),
        ("postfix/route.cf", table("(mail=%s)", route)),
        ("postfix/no.cf", table("(&(mail=%s)(!(mailHost=*)))", no)),
        (
            "postfix/aliases.cf",
            table("(alias=%s)", "result_attribute = mail\n"),
        ),
        ("mailname", format!("{NAME}\n")),
    ]
}

/// An internet MTA as it should be.
fn edge() -> Files {
    let main_cf = "compatibility_level = 3.6\nmyhostname = backend1.example.org\nmyorigin = example.org\nrelay_domains = example.org\n\
        parent_domain_matches_subdomains =\nrelay_recipient_maps = inline:{x@example.org=OK}\n\
        transport_maps = inline:{example.org=relay:[smtp.example.org]:25}\n";
    let master_cf = "smtp inet n - y - - smtpd\nrewrite unix - - y - - trivial-rewrite\nrelay unix - - y - - smtp\n";
    vec![
        ("postfix/main.cf", main_cf.to_owned()),
        ("postfix/master.cf", master_cf.to_owned()),
        ("mailname", format!("{NAME}\n")),
    ]
}

/// What an import says of a host with these files, and its table of advice. The next plan is empty.
fn advised(files: &[(&str, String)]) -> String {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    for (path, text) in files {
        let path = folder.join("sb").join(NAME).join("etc").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let said = succeeds(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    assert_eq!(steps(folder, "found", "sb"), Vec::<String>::new(), "{said}");
    let table = fs::read_to_string(folder.join("found/RECOMMENDED.md")).unwrap_or_default();
    assert!(!Path::new("found/RECOMMENDED.md").exists());
    format!("{said}{}", table.replace('\\', ""))
}

/// Files with one piece of one text replaced.
fn with(mut files: Files, path: &str, from: &str, to: &str) -> Files {
    let (_, text) = files.iter_mut().find(|(name, _)| *name == path).unwrap();
    assert!(text.contains(from), "{path}: {from}");
    *text = text.replace(from, to);
    files
}

/// The file, a piece of it, what stands there instead, and the row that must say so.
type Fault = (&'static str, &'static str, &'static str, &'static str);

/// A host as it should be, how its row begins, and its faults.
type Kind = (fn() -> Files, &'static str, &'static [Fault]);

const MAIN: &str = "postfix/main.cf";

const OF_BACKEND: [Fault; 14] = [
    (
        "postfix/master.cf",
        "  -o smtpd_reject_unlisted_recipient=no\n",
        "  -o smtpd_tls_security_level=encrypt\n",
        "submission/inet refuses recipients of other backends",
    ),
    (
        "postfix/master.cf",
        "lmtp unix - - n",
        "lmtp unix - - y",
        "lmtp/unix runs in the chroot jail",
    ),
    (
        MAIN,
        "proxy:ldap:/etc/postfix/people",
        "ldap:/etc/postfix/people",
        "local_recipient_maps has ldap: tables",
    ),
    (
        MAIN,
        "proxy:ldap:/etc/postfix/lmtp",
        "ldap:/etc/postfix/lmtp",
        "transport_maps has ldap: tables",
    ),
    (
        MAIN,
        "myorigin = example.org",
        "myorigin = $myhostname",
        "mail for root of the host itself leaves it",
    ),
    (
        "imapd.conf",
        "backend1",
        "store1",
        "the servername of its Cyrus is store1.example.org",
    ),
    (
        MAIN,
        "local_recipient_maps = proxy:ldap:/etc/postfix/people.cf",
        "local_recipient_maps =",
        "local_recipient_maps is empty",
    ),
    (
        MAIN,
        "local_recipient_maps = proxy:ldap:/etc/postfix/people.cf\n",
        "",
        "local_recipient_maps does not ask the directory",
    ),
    (
        MAIN,
        "relay:[smtp.example.org]:25\n",
        "relay\n",
        "local_transport = relay",
    ),
    (
        MAIN,
        "recipient_delimiter = +",
        "recipient_delimiter =",
        "no recipient_delimiter",
    ),
    (
        MAIN,
        "reject_code = 450",
        "reject_code = 550",
        "unknown_local_recipient_reject_code = 550",
    ),
    (
        MAIN,
        "lmtp_delivery_status_filter = inline:{5.1.1=4.1.1}\n",
        "soft_bounce = yes\n",
        "soft_bounce = yes",
    ),
    (
        "postfix/lmtp.cf",
        "expansion_limit = 1\n",
        "",
        "lmtp.cf: no expansion_limit",
    ),
    (
        "postfix/lmtp.cf",
        "bind = no",
        "bind_dn = cn=x\nbind_pw = Welcome2KolabSystems",
        "the sample of published documents",
    ),
];

const OF_ROUTER: [Fault; 6] = [
    (
        MAIN,
        "smtp_delivery_status_filter = regexp:/etc/postfix/later\n",
        "",
        "mail for a mailHost that names no host is bounced at once",
    ),
    (
        MAIN,
        "relay_transport = error:5.1.1 unknown",
        "relay_transport = retry:",
        "relay_transport = retry:",
    ),
    (
        MAIN,
        ", proxy:ldap:/etc/postfix/no.cf",
        "",
        "nothing for entries without a mailHost",
    ),
    (
        "postfix/aliases.cf",
        "result_attribute = mail",
        "result_attribute = kolabTargetFolder\nresult_format = shared+%s",
        "rewrites addresses of shared folders",
    ),
    (
        MAIN,
        "recipient_delimiter = +\n",
        "",
        "no recipient_delimiter",
    ),
    (
        MAIN,
        "parent_domain_matches_subdomains =\n",
        "",
        "parent_domain_matches_subdomains has relay_domains",
    ),
];

/// Local domains are no relay domains, as where `relay_domains` is `$mydestination`.
#[test]
fn a_local_domain_needs_no_list_of_relay_recipients() {
    let local = with(
        with(
            edge(),
            MAIN,
            "relay_recipient_maps = inline:{x@example.org=OK}\n",
            "",
        ),
        MAIN,
        "relay_domains = example.org",
        "mydestination = example.org\nrelay_domains = $mydestination",
    );
    let said = advised(&local);
    assert!(!said.contains("relay_recipient_maps is empty"), "{said}");
}

const OF_EDGE: [Fault; 2] = [
    (
        MAIN,
        "relay_recipient_maps = inline:{x@example.org=OK}\n",
        "",
        "relay_recipient_maps is empty",
    ),
    (
        MAIN,
        "parent_domain_matches_subdomains =\n",
        "",
        "parent_domain_matches_subdomains has relay_domains",
    ),
];

#[test]
fn each_fault_has_its_row_and_a_host_without_it_has_none() {
    let hosts: [Kind; 3] = [
        (backend, "backend: ", &OF_BACKEND),
        (router, "internal-mta: ", &OF_ROUTER),
        (edge, "internet-mta: ", &OF_EDGE),
    ];
    for (files, role, faults) in hosts {
        let good = advised(&files());
        assert!(good.contains(role), "{good}");
        for (path, from, to, row) in faults {
            assert!(
                !good.contains(row),
                "`{row}` is said of a good host:\n{good}"
            );
            let said = advised(&with(files(), path, from, to));
            assert!(said.contains(row), "`{row}` is not said:\n{said}");
        }
    }
}

/// Which rows stand in a table is what removes them: a variable that a fault comes from is named.
#[test]
fn a_line_that_takes_over_names_every_word_that_keeps_the_fault() {
    let said = advised(&with(
        backend(),
        MAIN,
        "reject_code = 450\nlmtp_delivery_status_filter = inline:{5.1.1=4.1.1}\n",
        "reject_code = 550\n",
    ));
    let row = said.lines().find(|line| {
        line.starts_with("| backend1") && line.contains("unknown_local_recipient_reject_code = 550")
    });
    assert!(row.is_some_and(|row| row.contains("remove ")), "{said}");
    assert!(
        !said.contains("backend1.example.org, backend1.example.org"),
        "{said}"
    );
}
