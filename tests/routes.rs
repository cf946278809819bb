//! What the tests of mail routes share: a murder, a directory, and the program run on both.

use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::program::program;
use super::reports::Judged as _;

/// A murder with every role, and the addresses that its hosts send from.
pub const MANIFEST: &str = "version: 1
murder: lab
topology: discrete
domains: [example.org]
ldap: {uris: ['ldap://ldap.example.org'], base: 'dc=example,dc=org', tls: {mode: none}}
cyrus: {lmtp_socket: /run/cyrus/socket/lmtp, postuser: folder}
shared_folders:
  - {address: news@example.org, backend: backend1.example.org, folder: news}
hosts:
  mx.example.org: {roles: [internet-mta], addresses: [192.0.2.6]}
  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}
  backend1.example.org: {roles: [backend], addresses: [192.0.2.11]}
  backend2.example.org: {roles: [backend], addresses: [192.0.2.12]}
  frontend1.example.org: {roles: [frontend], addresses: [192.0.2.13]}
";

/// Entries that the lab's directory lacks: other mistakes of the field.
const MORE: &str = "
dn: uid=case,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: case@example.org
mailHost: BACKEND1.example.org

dn: uid=short,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: short@example.org
mailHost: backend1

dn: uid=gone,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: gone@example.org
mailHost: backend9.example.org

dn: uid=front,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: front@example.org
mailHost: frontend1.example.org

dn: uid=itself,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: itself@example.org
mailHost: smtp.example.org

dn: cn=self,ou=Groups,dc=example,dc=org
objectClass: kolabGroupOfUniqueNames
mail: self@example.org
uniqueMember: cn=self,ou=Groups,dc=example,dc=org
";

/// A folder with a manifest and the export of a directory.
pub struct RouteFolder(pub tempfile::TempDir);

impl RouteFolder {
    /// With the lab's directory and more mistakes.
    pub fn new(manifest: &str) -> Self {
        let lab = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/base.ldif"));
        Self::with(manifest, &(lab.unwrap() + MORE))
    }

    /// With these entries.
    pub fn with(manifest: &str, ldif: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("d.ldif"), ldif).unwrap();
        fs::write(folder.path().join("m.yaml"), manifest).unwrap();
        Self(folder)
    }

    /// The program, run in the folder.
    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(program())
            .current_dir(self.0.path())
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .judged()
    }

    /// `murder trace` with these arguments.
    pub fn trace(&self, arguments: &[&str]) -> Output {
        self.run(&[&["trace", "--manifest", "m.yaml"], arguments].concat())
    }

    /// The traces with these arguments.
    pub fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.trace(&[&["--format", "json", "--ldif", "d.ldif"], arguments].concat());
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {err}");
        out.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// `code verdict host`, one for each end.
    pub fn short(&self, arguments: &[&str]) -> String {
        let trace = self.json(arguments).remove(0);
        let code = trace["reply"]["code"]
            .as_u64()
            .map_or("-".to_owned(), |code| code.to_string());
        let ends = trace["ends"].as_array().unwrap().iter().map(|end| {
            let host = end["host"].as_str().unwrap().split('.').next().unwrap();
            format!("{} {host}", end["action"].as_str().unwrap())
        });
        format!("{code} {}", ends.collect::<Vec<_>>().join(", "))
    }
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
