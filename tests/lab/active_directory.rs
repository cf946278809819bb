//! A directory as Active Directory has it: addresses with prefixes, a condition of the site's own, a SASL bind, and
//! certificates of clients. A second slapd on the host `ldap` is this directory.

use std::fs;

use crate::mail::{arrives, send, token};
use crate::routing::lookup;
use crate::world::World;

/// slapd(8) with Active Directory's attributes; it compares `proxyAddresses` without regard to case, as that does.
const SET_UP: &str = r#"
mkdir -p /root/ad/db; cd /root/ad
cat > ad.schema <<'END'
attributetype ( 1.3.6.1.4.1.99999.3.1 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.99999.3.2 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.99999.4.1 NAME 'user' SUP top AUXILIARY MAY ( proxyAddresses $ userAccountControl $ mail $ mailHost ) )
END
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=lab-ca -keyout ca.key -out ca.crt 2>/dev/null
for name in ldap.example.org smtp.example.org; do
  openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout $name.key -out $name.csr 2>/dev/null
  echo "subjectAltName=DNS:$name" > $name.ext
  openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile $name.ext -out $name.crt 2>/dev/null
done
cat > slapd.conf <<'END'
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/kolab-mini.schema
include /root/ad/ad.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile /root/ad/slapd.pid
TLSCACertificateFile /root/ad/ca.crt
TLSCertificateFile /root/ad/ldap.example.org.crt
TLSCertificateKeyFile /root/ad/ldap.example.org.key
TLSVerifyClient demand
sasl-host ldap.example.org
sasl-realm example.org
authz-regexp "uid=([^,]*),.*cn=digest-md5,cn=auth" "uid=$1,ou=Services,dc=example,dc=org"
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="uid=mta,ou=Services,dc=example,dc=org" read by dn.exact="cn=smtp.example.org" read by anonymous auth by * none
database mdb
suffix dc=example,dc=org
directory /root/ad/db
END
cat > ad.ldif <<'END'
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=Services,dc=example,dc=org
objectClass: organizationalUnit
ou: Services

dn: uid=mta,ou=Services,dc=example,dc=org
objectClass: account
objectClass: simpleSecurityObject
uid: mta
userPassword: Welcome2KolabSystems

dn: uid=john,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: user
uid: john
cn: John
sn: Doe
userAccountControl: 512
mail: john@example.org
proxyAddresses: SMTP:john@example.org
proxyAddresses: smtp:john.d@example.org
proxyAddresses: X400:c=US;s=Doe
mailHost: backend1.example.org

dn: uid=gone,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: user
uid: gone
cn: Gone
sn: Gone
userAccountControl: 514
mail: gone@example.org
proxyAddresses: SMTP:gone@example.org
proxyAddresses: smtp:gone.g@example.org
mailHost: backend1.example.org

dn: uid=starred,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: user
uid: starred
cn: Starred
sn: Starred
description: left * (today)
userAccountControl: 512
mail: starred@example.org
mailHost: backend1.example.org

dn: uid=new,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: user
uid: new
cn: New
sn: New
userAccountControl: 512
mail: new@example.org
proxyAddresses: SMTP:new@example.org
END
slapadd -f slapd.conf -l ad.ldif
"#;

const START: &str = "cd /root/ad; slapd -f slapd.conf -h 'ldap://0.0.0.0:1389 ldaps://0.0.0.0:1636'; for _ in $(seq 50); do ss -ltn | grep -q ':1636 ' && exit; sleep 0.1; done; exit 1";

/// What every overlay here says: whom the directory has, and how addresses stand in it.
const COMMON: &str = "modules:\n  internal-mta:\n    vars: {alias_attribute: proxyAddresses, person_classes: [user]}\n";

fn directory(how: &str) -> String {
    format!(
        "ldap:\n  filter: (&(!(userAccountControl=514))(!(description=left \\2a \\28today\\29)))\n  prefixes: {{proxyAddresses: \"smtp:\"}}\n{how}{COMMON}"
    )
}

pub fn a_directory_like_active_directory_serves(world: &mut World) {
    world.lab.sh("ldap", SET_UP);
    world.lab.sh("ldap", START);
    by_sasl(world);
    by_certificate(world);
    world.lab.sh("ldap", "kill $(cat /root/ad/slapd.pid)");
    world.converge();
}

/// A password that does not cross the network, and a condition with escapes.
fn by_sasl(world: &World) {
    let rest = directory(
        "  uris: [\"ldap://ldap.example.org:1389\"]\n  bind: sasl\n  sasl: {mechanisms: [DIGEST-MD5], user: mta}\nremove: [ldap.bind_dn]\n",
    );
    world.write_overlay("ad.yaml", &[("smtp", "")], &rest);
    converge(world, "ad.yaml");
    answers(world);
    let message = token();
    send(world, "smtp", "john.d@example.org", &message).unwrap();
    arrives(world, "backend1", "user/john", &message);
    for (address, code) in [("gone.g@example.org", "550"), ("new@example.org", "450")] {
        let words = send(world, "smtp", address, &token()).unwrap_err().0;
        assert!(words.starts_with(code), "{address}: {words}");
    }
}

/// `EXTERNAL`: the certificate says who searches, and the server demands one.
fn by_certificate(world: &World) {
    let (from, to) = (world.lab.root("ldap"), world.lab.root("smtp"));
    for name in ["ca.crt", "smtp.example.org.crt", "smtp.example.org.key"] {
        let to = to.join("etc/postfix").join(name);
        fs::copy(from.join("root/ad").join(name), to).unwrap();
    }
    world.lab.sh(
        "smtp",
        "cd /etc/postfix; chgrp postfix smtp.example.org.key; chmod 640 smtp.example.org.key",
    );
    let rest = directory(
        "  uris: [\"ldaps://ldap.example.org:1636\"]\n  bind: sasl\n  sasl: {mechanisms: [EXTERNAL]}\n  tls: {mode: ldaps, ca_file: /etc/postfix/ca.crt, cert_file: /etc/postfix/smtp.example.org.crt, key_file: /etc/postfix/smtp.example.org.key}\nremove: [ldap.bind_dn, ldap.bind_pw]\n",
    );
    world.write_overlay("certificate.yaml", &[("smtp", "")], &rest);
    converge(world, "certificate.yaml");
    answers(world);
}

/// What the tables say of each entry.
#[track_caller]
fn answers(world: &World) {
    for (map, address, answer) in [
        // An address with a prefix in lower case, the primary one, and what is no mail address.
        (
            "virtual_alias_maps",
            "john.d@example.org",
            Some("john@example.org"),
        ),
        ("virtual_alias_maps", "john@example.org", None),
        (
            "relay_recipient_maps",
            "john@example.org",
            Some("john@example.org"),
        ),
        ("relay_recipient_maps", "c=US;s=Doe", None),
        (
            "transport_maps",
            "john@example.org",
            Some("relay:[backend1.example.org]:25"),
        ),
        // The site's condition holds for every table.
        ("virtual_alias_maps", "gone.g@example.org", None),
        ("relay_recipient_maps", "gone@example.org", None),
        ("transport_maps", "gone@example.org", None),
        ("relay_recipient_maps", "starred@example.org", None),
        ("transport_maps", "starred@example.org", None),
        (
            "transport_maps",
            "new@example.org",
            Some("retry:4.2.1 Mailbox is not yet placed on a server"),
        ),
    ] {
        assert_eq!(
            lookup(world, "smtp", map, address).as_deref(),
            answer,
            "{map} {address}"
        );
    }
}

#[track_caller]
fn converge(world: &World, overlay: &str) {
    let words = ["--overlay", overlay, "--host", "smtp.example.org"];
    world
        .murder("apply", &[&words[..], &["--yes"]].concat())
        .exits(0);
    world
        .murder("plan", &[&words[..], &["--detailed-exitcode"]].concat())
        .exits(0);
}
