//! The ways in which the hosts of a murder ask the LDAP directory.

use super::{Ldap, Murder};

impl Murder {
    /// Servers and logins: those of the murder first, then those of hosts whose sites have others.
    pub fn ldap_logins(&self) -> impl Iterator<Item = &Ldap> {
        let hosts = self.hosts.values().filter_map(|host| host.ldap.as_ref());
        let mut known: Vec<&Ldap> = Vec::new();
        for one in self.ldap.iter().chain(hosts) {
            if !known.contains(&one) {
                known.push(one);
            }
        }
        known.into_iter()
    }
}
