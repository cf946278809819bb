//! A connection to an LDAP server: TLS, login, and paged searches. It only reads.

use std::time::Duration;

use ldap3::adapters::PagedResults;
use ldap3::{LdapConnAsync, LdapConnSettings, LdapResult, Scope};

use super::entry::{LdapEntry, entry};
use super::fault::{INVALID_CREDENTIALS, LdapFault, lost, said, unreachable};
use super::options::LdapOptions;
use super::tls::connector;
use crate::diagnostic::Diagnostic;
use crate::model::{Ldap, TlsMode};
use crate::secret::Secrets;

/// Entries of one page.
const PAGE: i32 = 500;

/// A server, ready to be asked.
pub(super) struct LdapConnection {
    handle: ldap3::Ldap,
    pub(super) uri: String,
    timeout: Duration,
}

/// What a search ended with.
pub(super) struct SearchEnd {
    pub(super) result: LdapResult,
    /// How many parts of the directory are on other servers.
    pub(super) referrals: usize,
    /// Why the caller wanted no more entries.
    pub(super) stopped: Option<Diagnostic>,
}

impl LdapConnection {
    /// Connects and logs in, as the manifest says it for the hosts.
    pub(super) async fn open(
        uri: &str,
        ldap: &Ldap,
        secrets: &Secrets,
        options: &LdapOptions,
    ) -> Result<Self, LdapFault> {
        let is_local = uri.starts_with("ldapi:");
        let starts_tls = ldap.tls.mode == TlsMode::StartTls && uri.starts_with("ldap:");
        let is_protected = is_local || starts_tls || uri.starts_with("ldaps:");
        let mut settings = LdapConnSettings::new()
            .set_conn_timeout(ldap.timeout)
            .set_starttls(starts_tls);
        if is_protected && !is_local {
            let tls = connector(&ldap.tls, options).map_err(LdapFault::Refused)?;
            settings = settings.set_connector(tls);
        }
        let opened = LdapConnAsync::with_settings(settings, uri).await;
        let (driver, handle) = opened.map_err(|error| unreachable(uri, &error))?;
        // Its end shows in the operation that waits for it.
        ldap3::tokio::spawn(async move { driver.drive().await.ok() });
        let mut connection = Self {
            handle,
            uri: uri.to_owned(),
            timeout: ldap.timeout,
        };
        connection.log_in(ldap, secrets, is_protected).await?;
        Ok(connection)
    }

    async fn log_in(
        &mut self,
        ldap: &Ldap,
        secrets: &Secrets,
        is_protected: bool,
    ) -> Result<(), LdapFault> {
        self.handle.with_timeout(self.timeout);
        let answer = if let Some(sasl) = &ldap.sasl {
            let knows = sasl
                .mechanisms
                .iter()
                .any(|one| one.eq_ignore_ascii_case("EXTERNAL"));
            if !knows || sasl.authz_id.is_some() {
                return Err(LdapFault::Refused(foreign_login()));
            }
            if sasl.min_ssf.is_some_and(|least| least > 0) && !is_protected {
                return Err(LdapFault::Refused(Diagnostic::error(format!(
                    "`{}` is asked without encryption, and `ldap.sasl.min_ssf` wants some",
                    self.uri
                ))));
            }
            self.handle.sasl_external_bind().await
        } else if let Some(dn) = &ldap.bind_dn {
            let password = ldap.bind_pw.as_ref().and_then(|name| secrets.get(name));
            let password = password.map_or("", |secret| secret.expose());
            self.handle.simple_bind(dn, password).await
        } else {
            return Ok(());
        };
        let result = answer.map_err(|error| unreachable(&self.uri, &error))?;
        if result.rc == 0 {
            return Ok(());
        }
        let who = ldap.bind_dn.as_deref().unwrap_or("SASL EXTERNAL");
        let problem = Diagnostic::error(format!(
            "the LDAP server `{}` refused the login as `{who}`: {}",
            self.uri,
            said(&result)
        ));
        let problem = match result.rc == INVALID_CREDENTIALS {
            true => problem.hint("check `ldap.bind_dn` and the secret of `ldap.bind_pw`"),
            false => problem,
        };
        Err(LdapFault::Refused(problem))
    }

    /// Searches page by page, and gives each entry to `take`.
    pub(super) async fn search(
        &mut self,
        base: &str,
        filter: &str,
        attributes: &[String],
        take: &mut dyn FnMut(LdapEntry) -> Result<(), Diagnostic>,
    ) -> Result<SearchEnd, LdapFault> {
        let failed = |error| lost(&self.uri, &error);
        self.handle.with_timeout(self.timeout);
        let pages = PagedResults::new(PAGE);
        let wanted = attributes.to_vec();
        let stream = self
            .handle
            .streaming_search_with(pages, base, Scope::Subtree, filter, wanted);
        let mut stream = stream.await.map_err(failed)?;
        let (mut referrals, mut stopped) = (0, None);
        while let Some(message) = stream.next().await.map_err(failed)? {
            if message.is_ref() {
                referrals += 1;
            } else if let Some(found) = entry(message.0)
                && let Err(problem) = take(found)
            {
                stopped = Some(problem);
                break;
            }
        }
        Ok(SearchEnd {
            result: stream.finish().await,
            referrals,
            stopped,
        })
    }

    /// Says goodbye.
    pub(super) async fn close(mut self) {
        self.handle.with_timeout(self.timeout);
        self.handle.unbind().await.ok();
    }
}

/// A login that only the hosts can do.
fn foreign_login() -> Diagnostic {
    Diagnostic::error(
        "`murder` itself logs in to LDAP by `bind: simple`, or by SASL with `EXTERNAL` and without `authz_id`",
    )
    .detail("the hosts use the mechanisms of `ldap.sasl` by their own LDAP library")
    .hint("export the directory with a tool that has them (`ldapsearch -LLL -Y GSSAPI …`), and give it by `--ldif FILE`")
}
