//! TLS policies by next hop: `smtp_tls_policy_maps` is asked with the very words of the next hop
//! (postconf(5)), so that a key with other brackets or another port never matches, in silence.

use std::collections::BTreeSet;

use super::routes::{host_of, next_hops};
use super::work::Work;
use crate::diagnostic::Diagnostic;
use crate::state::Want;
use crate::thing::Thing;

/// The parameters that give policies by next hop.
const MAPS: [&str; 2] = ["smtp_tls_policy_maps", "lmtp_tls_policy_maps"];

impl Work<'_> {
    /// Warns of keys that mean a next hop of this host and are spelt otherwise. `mailhosts` is what
    /// an LDAP lookup may put into `[%s]`.
    pub(super) fn tls_policies(&mut self, mailhosts: &BTreeSet<String>) {
        let keys = self.policy_keys();
        if keys.is_empty() {
            return;
        }
        let policies = keys.iter().map(|(thing, _)| thing).collect();
        let hops = self.all_hops(mailhosts, &policies);
        for (thing, key) in keys {
            let host = host_of(&key);
            let meant: Vec<&str> = hops
                .iter()
                .map(String::as_str)
                .filter(|hop| host_of(hop).eq_ignore_ascii_case(host))
                .collect();
            if meant.is_empty() || meant.contains(&key.as_str()) {
                continue;
            }
            let at = self.word_on(&thing);
            self.compiled.warnings.push(
                Diagnostic::warning(format!("the TLS policy of `{key}` is never used"))
                    .at(at, "")
                    .detail("Postfix looks a policy up by the next hop exactly as it is written")
                    .hint(format!("the next hop is `{}`", meant.join("`, `"))),
            );
        }
    }

    /// The keys of the policies that the manifest itself spells out, in the value or in a file.
    fn policy_keys(&self) -> Vec<(Thing, String)> {
        let desired = self.compiled.wanted();
        let mut keys = Vec::new();
        for (thing, want) in &desired.values {
            let (Thing::Parameter(name) | Thing::Option(_, name), Want::Present(value)) =
                (thing, want)
            else {
                continue;
            };
            if !MAPS.contains(&name.as_str()) {
                continue;
            }
            keys.extend(inline_keys(value).map(|key| (thing.clone(), key.to_owned())));
            for (path, _) in super::check::tables::tables(value) {
                let file = Thing::File(path);
                let text = self.text_of_file(&file).unwrap_or_default();
                let lines = text
                    .lines()
                    .filter(|line| !line.starts_with(['#', ' ', '\t']));
                keys.extend(
                    lines
                        .filter_map(|line| line.split_whitespace().next())
                        .map(|key| (file.clone(), key.to_owned())),
                );
            }
        }
        keys
    }

    /// Every next hop of this host. What the policies' own keys say is no way for mail.
    fn all_hops(
        &self,
        mailhosts: &BTreeSet<String>,
        policies: &BTreeSet<&Thing>,
    ) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        for (thing, text) in self.texts() {
            if policies.contains(&thing) {
                continue;
            }
            for hop in next_hops(&thing, &text) {
                if hop.contains("%s") {
                    all.extend(mailhosts.iter().map(|host| hop.replace("%s", host)));
                } else if !hop.contains('%') {
                    all.insert(hop.to_owned());
                }
            }
        }
        all
    }
}

/// The keys of `inline:{ {key = value}, key=value }` (DATABASE_README).
fn inline_keys(value: &str) -> impl Iterator<Item = &str> {
    value.split("inline:").skip(1).flat_map(|table| {
        table
            .split([',', '{', '}'])
            .flat_map(|entry| entry.split_once('='))
            .map(|(key, _)| key.trim())
            .filter(|key| !key.is_empty() && !key.contains(char::is_whitespace))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_an_inline_table_are_found() {
        let value = "inline:{ {[a.b]:25 = encrypt ciphers=high}, c.d=may }";
        let keys: Vec<&str> = inline_keys(value).collect();
        assert_eq!(keys, ["[a.b]:25", "c.d"]);
    }
}
