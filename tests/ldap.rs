//! `verify` and `trace` with a directory from a real slapd(8) on the loopback: logins, TLS, pages, limits, indexes.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::routes::text;

pub const READER: &str = "cn=reader,dc=example,dc=org";
const LIMITED: &str = "cn=limited,dc=example,dc=org";

/// slapd(8) with a directory of its own; it ends when the test ends.
pub struct Slapd {
    folder: tempfile::TempDir,
    child: Child,
    port: u16,
    tls_port: u16,
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn sh(folder: &Path, script: &str) {
    let output = Command::new("sh")
        .current_dir(folder)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .args(["-ec", script])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// People of the lab's schema beside the logins: `count` of them, and a dynamic group by an attribute that no table asks for.
fn ldif(count: usize) -> String {
    let mut all = String::from(
        "dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n\n\
         dn: ou=People,dc=example,dc=org\nobjectClass: organizationalUnit\nou: People\n\n\
         dn: cn=sales,dc=example,dc=org\nobjectClass: groupOfURLs\nobjectClass: kolabGroupOfUrls\ncn: sales\nmail: sales@example.org\n\
         memberURL: ldap:///ou=People,dc=example,dc=org??sub?(departmentNumber=7)\n\n",
    );
    for (dn, password) in [(READER, "right"), (LIMITED, "right")] {
        let name = &dn[3..dn.find(',').unwrap()];
        all.push_str(&format!(
            "dn: {dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: {name}\nuserPassword: {password}\n\n"
        ));
    }
    for number in 0..count {
        all.push_str(&format!(
            "dn: uid=p{number},ou=People,dc=example,dc=org\nobjectClass: inetOrgPerson\nobjectClass: kolabInetOrgPerson\n\
             uid: p{number}\ncn: P\nsn: P\nmail: p{number}@example.org\nalias: q{number}@example.org\n\
             mailHost: backend{}.example.org\nuserPassword: kept-by-nobody\n{}\n",
            1 + number % 2,
            if number == 3 { "departmentNumber: 7\n" } else { "" },
        ));
    }
    all
}

/// The findings about indexes, as their codes and advice, of a server with these values of `olcDbIndex`, after a change of its
/// configuration (LDIF) if there is one.
pub fn about_indexes(indexes: &[String], change: Option<&str>) -> Vec<(String, String)> {
    let slapd = Slapd::start_with(&ldif(4), indexes, change);
    let report = slapd.verify(&slapd.login(READER), &[]).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    findings
        .map(|finding| (word(&finding["code"]), word(&finding["help"])))
        .collect()
}

impl Slapd {
    pub fn start(ldif: &str) -> Self {
        Self::start_with(ldif, &["objectClass,mail,mailHost eq".to_owned()], None)
    }

    fn start_with(ldif: &str, indexes: &[String], change: Option<&str>) -> Self {
        assert!(
            Path::new("/usr/sbin/slapd").exists(),
            "slapd is missing: tests/run installs it (package slapd)"
        );
        let folder = tempfile::tempdir().unwrap();
        let lab = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab");
        let path = folder.path().display();
        sh(
            folder.path(),
            "mkdir db certs
            openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ca -keyout certs/ca.key -out certs/ca.pem
            for name in server client; do
              openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout certs/$name.key -out certs/$name.csr
              printf 'subjectAltName=IP:127.0.0.1\\n' > certs/ext
              openssl x509 -req -in certs/$name.csr -CA certs/ca.pem -CAkey certs/ca.key -CAcreateserial -days 30 -extfile certs/ext -out certs/$name.pem
            done
            openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=stranger -keyout certs/other.key -out certs/other.pem",
        );
        let config = format!(
            "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\ninclude /etc/ldap/schema/inetorgperson.schema\n\
             include /etc/ldap/schema/dyngroup.schema\ninclude {lab}/kolab-mini.schema\n\
             modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {path}/pid\n\
             TLSCACertificateFile {path}/certs/ca.pem\nTLSCertificateFile {path}/certs/server.pem\nTLSCertificateKeyFile {path}/certs/server.key\n\
             TLSVerifyClient try\nauthz-regexp \"cn=client\" \"{READER}\"\n\
             database config\naccess to * by dn.exact=\"{READER}\" read by * none\n\
             database mdb\nmaxsize 1073741824\nsuffix dc=example,dc=org\ndirectory {path}/db\n\
             limits dn.exact=\"{READER}\" size=unlimited\nlimits dn.exact=\"{LIMITED}\" size.soft=100 size.hard=100\n\
             access to attrs=userPassword by anonymous auth by dn.exact=\"{READER}\" read by * none\n\
             access to * by dn.exact=\"{READER}\" read by dn.exact=\"{LIMITED}\" read by * none\n{}",
            indexes
                .iter()
                .map(|index| format!("index {index}\n"))
                .collect::<String>()
        );
        fs::write(folder.path().join("slapd.conf"), config).unwrap();
        fs::write(folder.path().join("d.ldif"), ldif).unwrap();
        sh(
            folder.path(),
            "slapadd -q -f slapd.conf -l d.ldif; mkdir config; slaptest -Q -f slapd.conf -F config",
        );
        if let Some(change) = change {
            fs::write(folder.path().join("change.ldif"), change).unwrap();
            sh(folder.path(), "slapmodify -F config -n 0 -l change.ldif");
        }
        let (port, tls_port) = (free_port(), free_port());
        let listen = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}");
        let child = Command::new("/usr/sbin/slapd")
            .current_dir(folder.path())
            .args(["-d", "0", "-F", "config", "-h", &listen])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", tls_port)).is_err() {
            assert!(Instant::now() < until, "slapd does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            folder,
            child,
            port,
            tls_port,
        }
    }

    pub fn uri(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.port)
    }

    /// The program with a manifest whose `ldap` has these keys; the password is `right` unless another one is given.
    fn murder(&self, ldap: &str, password: &str, arguments: &[&str]) -> Output {
        let manifest = format!(
            "version: 1\nmurder: example.org\ndomains: [example.org]\nldap: {{base: 'dc=example,dc=org', {ldap}}}\n\
             hosts:\n  mx.example.org: {{roles: [internet-mta], addresses: [192.0.2.6]}}\n  \
             smtp.example.org: {{roles: [internal-mta], addresses: [192.0.2.5]}}\n  \
             backend1.example.org: {{roles: [backend], addresses: [192.0.2.11]}}\n  backend2.example.org: {{roles: [backend], addresses: [192.0.2.12]}}\n"
        );
        fs::write(self.folder.path().join("m.yaml"), manifest).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_murder"));
        command
            .current_dir(self.folder.path())
            .env("LDAP_PASSWORD", password)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// `verify` with a login; what it found, or why it could not read.
    fn verify(&self, ldap: &str, arguments: &[&str]) -> Result<Value, String> {
        let all = [&["verify", "m.yaml", "--format", "json"], arguments].concat();
        let output = self.murder(ldap, "right", &all);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        serde_json::from_str(&out).map_err(|_| err)
    }

    fn login(&self, dn: &str) -> String {
        format!(
            "uris: ['{}'], bind_dn: '{dn}', bind_pw: {{env: LDAP_PASSWORD}}, tls: {{mode: none}}",
            self.uri()
        )
    }
}

#[test]
fn the_whole_directory_is_read_page_by_page_and_is_what_its_export_is() {
    let slapd = Slapd::start(&ldif(1200));
    let login = slapd.login(READER);
    let report = slapd.verify(&login, &[]).unwrap();
    assert_eq!(report["summary"]["entries"], 1205);
    assert_eq!(report["summary"]["addresses"], 2401);
    let mut exported = slapd.verify(&login, &["--ldif", "d.ldif"]).unwrap();
    assert_eq!(exported["summary"], report["summary"]);
    // The server says what the file cannot: there is no index for `alias`.
    let (own, other) = (&report["findings"], exported["findings"].as_array_mut());
    let own = own.as_array().unwrap();
    assert_eq!(own.len(), other.unwrap().len() + 1, "{own:?}");
    let index = own
        .iter()
        .find(|one| one["code"] == "attribute-not-indexed");
    let words = index.unwrap()["text"].as_str().unwrap();
    assert!(
        words.ends_with("has no equality index for `alias`"),
        "{words}"
    );
}

#[test]
fn trace_reads_the_directory_too_with_what_filters_of_groups_ask_for() {
    let slapd = Slapd::start(&ldif(5));
    let output = slapd.murder(
        &slapd.login(READER),
        "right",
        &[
            "trace",
            "--manifest",
            "m.yaml",
            "q1@example.org",
            "sales@example.org",
            "nosuch@example.org",
            "--format",
            "json",
        ],
    );
    let lines: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let verdicts: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["verdict"].as_str())
        .collect();
    assert_eq!(
        verdicts,
        ["delivered", "delivered", "refused"],
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_limit_of_the_server_is_said_and_nothing_is_judged() {
    let slapd = Slapd::start(&ldif(300));
    let why = slapd.verify(&slapd.login(LIMITED), &[]).unwrap_err();
    assert!(
        why.contains(
            "gave 100 entries below `dc=example,dc=org` and then stopped at its size limit"
        ),
        "{why}"
    );
    assert!(why.contains("the directory is not complete"), "{why}");
    assert!(why.contains("slapcat > directory.ldif"), "{why}");
}

#[test]
fn each_way_to_fail_has_its_words() {
    let slapd = Slapd::start(&ldif(3));
    let login = slapd.login(READER);
    let dead = free_port();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let base = |from: &str| login.replace("uris:", &format!("{from}, uris:"));
    for (ldap, password, expected) in [
        (login.clone(), "wrong", "invalidCredentials (49)"),
        (
            format!("uris: ['{}'], tls: {{mode: none}}", slapd.uri()),
            "right",
            "has no entry `dc=example,dc=org`, or does not show it to an anonymous login",
        ),
        (
            base("filter: '(uid=*)'").replace(&slapd.uri(), &format!("ldap://127.0.0.1:{dead}")),
            "right",
            "cannot be reached: Connection refused",
        ),
        (
            base("timeout: 1s").replace(&slapd.uri(), &format!("ldap://127.0.0.1:{silent_port}")),
            "right",
            "no answer within `ldap.timeout`",
        ),
        (
            login.replace("mode: none", "ca_file: /no/ca.pem, mode: starttls"),
            "right",
            "cannot read `/no/ca.pem` on this machine",
        ),
        (
            login
                .replace(
                    "bind_dn: 'cn=reader,dc=example,dc=org'",
                    "bind: sasl, sasl: {mechanisms: [GSSAPI]}",
                )
                .replace(", bind_pw: {env: LDAP_PASSWORD}", ""),
            "right",
            "`murder` itself logs in to LDAP by `bind: simple`",
        ),
    ] {
        let output = slapd.murder(&ldap, password, &["verify", "m.yaml"]);
        let why = text(&output.stderr);
        assert!(why.contains(expected), "{expected}: {why}");
        assert_eq!(output.status.code(), Some(1), "{why}");
        assert!(
            !why.contains("right") && !why.contains("wrong`"),
            "a password: {why}"
        );
    }
}

#[test]
fn a_server_that_does_not_answer_is_said_and_the_next_one_asked() {
    let slapd = Slapd::start(&ldif(3));
    let both = format!("ldap://127.0.0.1:{}', '{}", free_port(), slapd.uri());
    let login = slapd.login(READER).replace(&slapd.uri(), &both);
    let output = slapd.murder(&login, "right", &["verify", "m.yaml"]);
    let said = text(&output.stderr);
    assert!(
        said.contains("warning") && said.contains("cannot be reached"),
        "{said}"
    );
    assert!(
        text(&output.stdout).contains("7 addresses"),
        "{}",
        text(&output.stdout)
    );
    // A server of the command line takes the place of them all.
    let other = slapd.verify(
        &slapd
            .login(READER)
            .replace(&slapd.uri(), "ldap://nowhere.invalid"),
        &["--ldap-uri", &slapd.uri()],
    );
    assert_eq!(other.unwrap()["summary"]["addresses"], 7);
}

#[test]
fn tls_is_as_the_manifest_says_it() {
    let slapd = Slapd::start(&ldif(3));
    let certs = slapd.folder.path().join("certs").display().to_string();
    sh(
        slapd.folder.path(),
        "cp certs/client.key certs/rsa.key; sed -i 's/ PRIVATE/ RSA PRIVATE/' certs/rsa.key",
    );
    let plain = slapd.uri();
    let ldaps = format!("ldaps://127.0.0.1:{}", slapd.tls_port);
    let simple = format!("bind_dn: '{READER}', bind_pw: {{env: LDAP_PASSWORD}}");
    let client = format!("cert_file: {certs}/client.pem, key_file: {certs}/client.key");
    let external = "bind: sasl, sasl: {mechanisms: [GSSAPI, EXTERNAL]}";
    for (uri, login, tls, expected) in [
        (
            &plain,
            simple.as_str(),
            format!("mode: starttls, ca_file: {certs}/ca.pem"),
            Ok(7),
        ),
        (
            &ldaps,
            &simple,
            format!("mode: ldaps, ca_file: {certs}/ca.pem"),
            Ok(7),
        ),
        (
            &ldaps,
            &simple,
            format!("mode: ldaps, ca_file: {certs}/other.pem"),
            Err("TLS failed"),
        ),
        (&ldaps, &simple, "mode: ldaps".to_owned(), Err("TLS failed")),
        (
            &plain,
            &simple,
            format!("mode: starttls, ca_file: {certs}/other.pem"),
            Err("TLS failed"),
        ),
        (
            &plain,
            &simple,
            "mode: starttls, require_cert: false".to_owned(),
            Ok(7),
        ),
        (
            &ldaps,
            external,
            format!("mode: ldaps, ca_file: {certs}/ca.pem, {client}"),
            Ok(7),
        ),
        (
            &plain,
            external,
            format!("mode: starttls, ca_file: {certs}/ca.pem, {client}"),
            Ok(7),
        ),
        (
            &ldaps,
            external,
            format!("mode: ldaps, ca_file: {certs}/ca.pem"),
            Err("refused the login as `SASL EXTERNAL`"),
        ),
        (
            &ldaps,
            external,
            format!(
                "mode: ldaps, ca_file: {certs}/ca.pem, cert_file: {certs}/client.pem, key_file: {certs}/rsa.key"
            ),
            Err("PKCS #8"),
        ),
    ] {
        let ldap = format!("uris: ['{uri}'], {login}, tls: {{{tls}}}");
        let found = slapd.verify(&ldap, &[]);
        match expected {
            Ok(count) => assert_eq!(
                found.as_ref().unwrap()["summary"]["addresses"],
                count,
                "{ldap}"
            ),
            Err(words) => assert!(
                found.as_ref().is_err_and(|why| why.contains(words)),
                "{ldap}: {found:?}"
            ),
        }
    }
    // The CA of the hosts need not be on this machine.
    let ldap = format!("uris: ['{ldaps}'], {simple}, tls: {{mode: ldaps, ca_file: /no/ca.pem}}");
    let found = slapd.verify(&ldap, &["--ldap-ca", &format!("{certs}/ca.pem")]);
    assert_eq!(found.unwrap()["summary"]["addresses"], 7);
}

#[test]
fn a_strangers_manifest_asks_no_server() {
    let slapd = Slapd::start(&ldif(3));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let uri = format!("ldap://{}", listener.local_addr().unwrap());
    let login = slapd.login(READER).replace(&slapd.uri(), &uri);
    for verb in [
        vec!["verify", "m.yaml"],
        vec!["trace", "--manifest", "m.yaml", "p1@example.org"],
    ] {
        let output = slapd.murder(&login, "right", &[&verb[..], &["--untrusted"]].concat());
        assert!(
            text(&output.stderr).contains("`--untrusted` asks no LDAP server"),
            "{}",
            text(&output.stderr)
        );
        let output = slapd.murder(
            &login,
            "right",
            &[&verb[..], &["--untrusted", "--ldif", "d.ldif"]].concat(),
        );
        assert!(!text(&output.stdout).is_empty(), "{}", text(&output.stderr));
    }
    assert!(listener.accept().is_err(), "a connection was made");
}

/// What a plan means for mail, by the servers and by their export.
#[test]
fn a_plan_is_judged_by_the_servers_as_by_their_export() {
    let slapd = Slapd::start(&ldif(40));
    let login = slapd.login(READER);
    let plan = ["plan", "m.yaml", "--sandbox", "hosts", "--adopt"];
    let judged = |ldap: &str, password: &str, more: &[&str]| {
        let output = slapd.murder(ldap, password, &[&plan, more].concat());
        let said = text(&output.stdout) + &text(&output.stderr);
        (said, output.status.code())
    };
    let mail = |said: &str| said.split("\nmail: ").nth(1).map(str::to_owned);
    let (by_server, code) = judged(&login, "right", &["--directory"]);
    assert_eq!(code, Some(0), "{by_server}");
    let (by_export, _) = judged(&login, "right", &["--ldif", "d.ldif"]);
    assert!(
        mail(&by_server).unwrap().starts_with("81 addresses\n"),
        "{by_server}"
    );
    assert_eq!(mail(&by_server), mail(&by_export));
    // Another server, and one that does not let the login in.
    let dead = login.replace(&slapd.uri(), &format!("ldap://127.0.0.1:{}", free_port()));
    let (said, code) = judged(&dead, "right", &["--directory"]);
    assert!(
        code == Some(1) && said.contains("cannot be reached") && mail(&said).is_none(),
        "{said}"
    );
    let (said, _) = judged(&dead, "right", &["--ldap-uri", &slapd.uri()]);
    assert_eq!(mail(&said), mail(&by_server));
    let (said, code) = judged(&login, "wrong", &["--directory"]);
    assert!(
        code == Some(1) && said.contains("invalidCredentials (49)"),
        "{said}"
    );
    let (said, code) = judged(&login, "right", &["--directory", "--untrusted"]);
    assert!(
        code == Some(1) && said.contains("`--untrusted` asks none"),
        "{said}"
    );
}

#[test]
fn half_a_directory_judges_no_plan() {
    let slapd = Slapd::start(&ldif(300));
    let plan = [
        "plan",
        "m.yaml",
        "--sandbox",
        "hosts",
        "--adopt",
        "--directory",
    ];
    let output = slapd.murder(&slapd.login(LIMITED), "right", &plan);
    let said = text(&output.stderr);
    assert!(
        output.status.code() == Some(1) && said.contains("stopped at its size limit"),
        "{said}"
    );
}
