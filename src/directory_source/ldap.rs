//! A directory from the LDAP servers of a manifest: which servers are asked, for which part of the tree.

use std::collections::BTreeSet;

use ldap3::tokio::runtime::{Builder, Runtime};

use super::connection::{LdapConnection, SearchEnd};
use super::fault::{
    ADMIN_LIMIT, EXPORT, LdapFault, NO_SUCH_OBJECT, REFERRAL, SIZE_LIMIT, TIME_LIMIT, said,
};
use super::indexes::{is_below, of_server};
use super::options::LdapOptions;
use crate::diagnostic::{Diagnostic, Severity};
use crate::directory::{Directory, normalized_dn};
use crate::model::{Ldap, Murder};
use crate::secret::{SecretName, Secrets};

/// A directory as LDAP servers gave it.
#[derive(Debug, Default)]
pub struct LdapDirectory {
    /// The entries.
    pub directory: Directory,
    /// What the operator should know: servers that did not answer, parts that are on other servers.
    pub warnings: Vec<Diagnostic>,
}

/// The secrets of the logins.
#[must_use]
pub fn login_secrets(murder: &Murder) -> BTreeSet<SecretName> {
    let logins = murder.ldap_logins();
    logins.filter_map(|ldap| ldap.bind_pw.clone()).collect()
}

/// A part of the tree, and the ways to ask for it.
struct Part<'a> {
    base: String,
    ways: Vec<&'a Ldap>,
}

/// The parts of the tree that the hosts search; none is below another one.
fn parts(murder: &Murder) -> Vec<Part<'_>> {
    let ways: Vec<&Ldap> = murder.ldap_logins().collect();
    let mut all: Vec<(String, String, Vec<&Ldap>)> = Vec::new();
    let domains = murder
        .domains
        .iter()
        .filter_map(|domain| domain.base.as_deref());
    let own = ways.iter().map(|ldap| (ldap.base.as_str(), vec![*ldap]));
    for (base, asked) in own.chain(domains.map(|base| (base, ways.clone()))) {
        // A name that is not one is refused by the server, with its reason.
        let name = normalized_dn(base).unwrap_or_else(|_| base.to_owned());
        match all.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, _, known)) => known.extend(asked),
            None => all.push((name, base.to_owned(), asked)),
        }
    }
    let names: Vec<String> = all.iter().map(|(name, ..)| name.clone()).collect();
    let is_covered = |name: &String| {
        let mut others = names.iter().filter(|other| *other != name);
        others.any(|other| is_below(name, other))
    };
    all.retain(|(name, ..)| !is_covered(name));
    let parts = all.into_iter();
    parts.map(|(_, base, ways)| Part { base, ways }).collect()
}

/// Reads the directory from the LDAP servers of the manifest by paged searches: every entry below the bases, with
/// `attributes` and `objectClass`. Without `ldap` in the manifest the directory is empty.
///
/// # Errors
/// If no server answers, a login is refused, a server does not give everything, or it gives nothing.
pub fn from_ldap(
    murder: &Murder,
    secrets: &Secrets,
    attributes: &BTreeSet<String>,
    options: &LdapOptions,
) -> Result<LdapDirectory, Vec<Diagnostic>> {
    let mut reader = LdapReader {
        secrets,
        attributes: attributes.iter().cloned().collect(),
        options,
        found: LdapDirectory::default(),
    };
    if !attributes.contains("objectclass") {
        reader.attributes.push("objectClass".to_owned());
    }
    let runtime = runtime().map_err(|problem| vec![problem])?;
    let result = runtime.block_on(async {
        for part in parts(murder) {
            reader.part(&part).await?;
        }
        Ok(())
    });
    // A name resolution that hangs must not hold the program.
    runtime.shutdown_background();
    result.map(|()| reader.found)
}

fn runtime() -> Result<Runtime, Diagnostic> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Diagnostic::error(format!("cannot wait for LDAP servers: {error}")))
}

struct LdapReader<'a> {
    secrets: &'a Secrets,
    attributes: Vec<String>,
    options: &'a LdapOptions,
    found: LdapDirectory,
}

impl LdapReader<'_> {
    /// Reads a part of the tree from the first server that answers.
    async fn part(&mut self, part: &Part<'_>) -> Result<(), Vec<Diagnostic>> {
        let mut silent = Vec::new();
        for ldap in &part.ways {
            let uris = match self.options.uris.is_empty() {
                true => &ldap.uris,
                false => &self.options.uris,
            };
            for uri in uris {
                match LdapConnection::open(uri, ldap, self.secrets, self.options).await {
                    Ok(connection) => {
                        self.found
                            .warnings
                            .extend(silent.into_iter().map(as_warning));
                        let read = self.read(connection, ldap, &part.base).await;
                        return read.map_err(|fault| vec![diagnostic(fault)]);
                    }
                    Err(LdapFault::Unreachable(problem)) => {
                        if !silent.contains(&problem) {
                            silent.push(problem);
                        }
                    }
                    Err(LdapFault::Refused(problem)) => {
                        silent.push(problem);
                        return Err(silent);
                    }
                }
            }
        }
        if let Some(last) = silent.pop() {
            silent.push(last.hint(format!("ask another server by `--ldap-uri URI`, {EXPORT}")));
        }
        Err(silent)
    }

    async fn read(
        &mut self,
        mut connection: LdapConnection,
        ldap: &Ldap,
        base: &str,
    ) -> Result<(), LdapFault> {
        let directory = &mut self.found.directory;
        let before = directory.len();
        let mut take = |entry: super::entry::LdapEntry| {
            let values = entry.values.iter();
            let values = values.map(|(name, value)| (name.as_str(), value.as_str()));
            let added = directory.add_entry(&entry.dn, values);
            added.map_err(|error| Diagnostic::error(error.to_string()))
        };
        let filter = "(objectClass=*)";
        let end = connection
            .search(base, filter, &self.attributes, &mut take)
            .await?;
        let count = self.found.directory.len() - before;
        judge(&end, &connection.uri, ldap, base, count)?;
        if end.referrals > 0 {
            let warning = Diagnostic::warning(format!(
                "{} parts of the directory below `{base}` are on other servers, and are not read",
                end.referrals
            ));
            self.found.warnings.push(warning.hint(
                "a host with `chase_referrals` reads them; export them all together, and use `--ldif`",
            ));
        }
        if self.found.directory.server_indexes().is_none()
            && let Some(indexes) = of_server(&mut connection, base).await
        {
            self.found.directory.set_server_indexes(indexes);
        }
        connection.close().await;
        Ok(())
    }
}

/// Whether a search gave everything.
fn judge(
    end: &SearchEnd,
    uri: &str,
    ldap: &Ldap,
    base: &str,
    count: usize,
) -> Result<(), LdapFault> {
    if let Some(problem) = &end.stopped {
        return Err(LdapFault::Refused(problem.clone()));
    }
    let who = ldap.bind_dn.as_deref();
    let problem = match end.result.rc {
        0 if count > 0 => return Ok(()),
        0 => Diagnostic::error(format!(
            "the LDAP server `{uri}` shows no entries below `{base}`"
        ))
        .hint("let the login of `ldap` read them (slapd.access(5)): the hosts see no more than this either"),
        limit @ (SIZE_LIMIT | TIME_LIMIT | ADMIN_LIMIT) => {
            let what = match limit {
                SIZE_LIMIT => "size limit",
                TIME_LIMIT => "time limit",
                _ => "limit of its administrator",
            };
            let text = format!(
                "the LDAP server `{uri}` gave {count} entries below `{base}` and then stopped at its {what}: \
                 the directory is not complete"
            );
            let problem = Diagnostic::error(text).detail(said(&end.result));
            let who = who.map_or("anonymous".to_owned(), |dn| format!("dn.exact=\"{dn}\""));
            problem.hint(format!(
                "raise the limit of this login (OpenLDAP: `olcLimits: {who} time=unlimited size=unlimited`), {EXPORT}"
            ))
        }
        NO_SUCH_OBJECT => Diagnostic::error(format!(
            "the LDAP server `{uri}` has no entry `{base}`, or does not show it to {}",
            who.map_or("an anonymous login".to_owned(), |dn| format!("`{dn}`"))
        ))
        .hint("check `ldap.base`, the `base` of the domains, and the access rules of the server"),
        REFERRAL => Diagnostic::error(format!(
            "the LDAP server `{uri}` does not have `{base}`, and refers to another one"
        ))
        .detail(end.result.refs.join(" ")),
        _ => Diagnostic::error(format!(
            "the search below `{base}` on the LDAP server `{uri}` failed: {}",
            said(&end.result)
        ))
        .hint(format!("look at the server's log, {EXPORT}")),
    };
    Err(LdapFault::Refused(problem))
}

fn diagnostic(fault: LdapFault) -> Diagnostic {
    match fault {
        LdapFault::Unreachable(problem) | LdapFault::Refused(problem) => problem,
    }
}

fn as_warning(problem: Diagnostic) -> Diagnostic {
    Diagnostic {
        level: Severity::Warning,
        ..problem
    }
}
