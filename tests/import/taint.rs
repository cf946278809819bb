//! Secrets of every place of a host: they are in files of mode 0600 or stay on the host, and nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{murder, snapshot, steps, text};

/// Secrets of all places, one of them short.
struct Secrets {
    main_cf: &'static str,
    master_cf: &'static str,
    ldap: &'static str,
    other_ldap: &'static str,
    mysql: &'static str,
    pgsql: &'static str,
    sasl: &'static str,
    key: &'static str,
    whole: &'static str,
}

const LONG: Secrets = Secrets {
    main_cf: "taint-of-main-cf-0123456789",
    master_cf: "taint-of-master-cf-0123456789",
    ldap: "taint-of-ldap $#%{{ }} 0123456789",
    other_ldap: "taint-of-other-ldap=0123456789",
    mysql: "taint-of-mysql'\"\\0123456789",
    pgsql: "taint-of-pgsql-0123456789",
    sasl: "taint-of-sasl:0123456789@x",
    key: "TAINTOFAKEY0123456789abcdef",
    whole: "taint-of-a-file-0123456789",
};

const SHORT: Secrets = Secrets {
    main_cf: "qZ7",
    master_cf: "qY7",
    ldap: "qX7",
    other_ldap: "qW7",
    mysql: "qV7",
    pgsql: "qU7",
    sasl: "qT7",
    key: "qS7",
    whole: "qR7",
};

fn host(folder: &Path, secrets: &Secrets) {
    let etc = folder.join("sb/mail.example.org/etc/postfix");
    fs::create_dir_all(&etc).unwrap();
    let write = |name: &str, text: String, mode: u32| {
        let path = etc.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let main_cf = format!(
        "compatibility_level = 3.6\nmyhostname = mail.example.org\nmydestination = $myhostname, example.org\n\
         smtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd\nlmtp_sasl_password_maps = static:user:{}\n\
         smtpd_tls_key_file = /etc/postfix/key.pem\nsmtpd_tls_cert_file = /etc/postfix/key.pem\n\
         virtual_alias_maps = ldap:/etc/postfix/a.cf, mysql:/etc/postfix/m.cf, pgsql:/etc/postfix/p.cf\n\
         transport_maps = ldap:/etc/postfix/b.cf\ncanonical_maps = texthash:/etc/postfix/whole\n",
        secrets.main_cf
    );
    write("main.cf", main_cf, 0o644);
    let master_cf = format!(
        "smtp inet n - y - - smtpd\nsmtps unix - - n - - smtp -o smtp_sasl_password_maps=static:user:{}\n",
        secrets.master_cf
    );
    write("master.cf", master_cf, 0o644);
    let ldap = |password: &str, base: &str| {
        format!(
            "server_host = ldaps://ldap.example.org\nversion = 3\nsearch_base = {base}\ndomain = example.org\nbind_dn = cn=postfix\n\
             bind_pw = {password}\nquery_filter = (mail=%s)\nresult_attribute = mail\n"
        )
    };
    write("a.cf", ldap(secrets.ldap, "o=x"), 0o640);
    write("b.cf", ldap(secrets.other_ldap, "o=y"), 0o644);
    let sql = |password: &str| {
        format!(
            "user = postfix\npassword = {password}\nhosts = db\ndbname = mail\nquery = SELECT 1\n"
        )
    };
    write("m.cf", sql(secrets.mysql), 0o640);
    write("p.cf", sql(secrets.pgsql), 0o644);
    write(
        "sasl_passwd",
        format!("[out.example.net]:587 user:{}\n", secrets.sasl),
        0o600,
    );
    let key = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        secrets.key
    );
    write("key.pem", key, 0o600);
    write("whole", format!("x {}\n", secrets.whole), 0o600);
}

#[test]
fn a_secret_of_any_place_is_in_a_file_of_mode_0600_or_stays_on_the_host() {
    for secrets in [LONG, SHORT] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        host(folder, &secrets);
        let all = [
            ("main.cf", secrets.main_cf),
            ("master.cf", secrets.master_cf),
            ("ldap", secrets.ldap),
            ("other ldap", secrets.other_ldap),
            ("mysql", secrets.mysql),
            ("pgsql", secrets.pgsql),
            ("sasl", secrets.sasl),
            ("key", secrets.key),
            ("whole file", secrets.whole),
        ];
        let clean = |what: &str, said: &str| {
            for (place, secret) in all {
                assert!(
                    !said.contains(secret),
                    "{what} has the secret of {place}:\n{said}"
                );
                // Nor a digest of it.
                let digest = ::murder::digest::sha256_hex(secret.as_bytes());
                assert!(!said.contains(&digest), "{what}: {place}");
            }
        };
        let runs: [&[&str]; 5] = [
            &["-v", "import", "--sandbox", "sb", "--out", "found"],
            &[
                "--log",
                "json",
                "-v",
                "import",
                "--sandbox",
                "sb",
                "--out",
                "again",
            ],
            &["-v", "plan", "found", "--sandbox", "sb", "--format", "json"],
            &["-v", "apply", "found", "--sandbox", "sb", "--yes"],
            &["-v", "plan", "found", "--sandbox", "sb"],
        ];
        for arguments in runs {
            let output = murder(folder, arguments);
            let said = text(&output);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{said}");
            clean(&format!("{arguments:?}"), &said);
        }
        for (path, (bytes, ..)) in snapshot(&folder.join("found")) {
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            if path.starts_with(folder.join("found/secrets")) {
                assert_eq!(mode, 0o600, "{}", path.display());
                continue;
            }
            clean(
                &path.display().to_string(),
                &String::from_utf8_lossy(&bytes),
            );
        }
        // The texts of adopted files stay on their host, where only root can read them.
        for (path, (bytes, ..)) in snapshot(&folder.join("sb/mail.example.org/var")) {
            let what = path.display().to_string();
            if what.contains("/adopted/") {
                let mode = path.metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{what}");
            } else {
                clean(&what, &String::from_utf8_lossy(&bytes));
            }
        }
        assert_eq!(steps(folder, "found", "sb"), Vec::<String>::new());
    }
}
