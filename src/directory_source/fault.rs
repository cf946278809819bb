//! Why a directory could not be read from an LDAP server, in words for its administrator.

use ldap3::{LdapError, LdapResult};

use crate::diagnostic::Diagnostic;

/// Why one server gave no directory.
#[derive(Debug)]
pub(super) enum LdapFault {
    /// It does not answer: the next server is asked.
    Unreachable(Diagnostic),
    /// It answers, and another server would answer the same.
    Refused(Diagnostic),
}

/// How to go on without an LDAP server.
pub(super) const EXPORT: &str =
    "or export the directory (`slapcat > directory.ldif`), and give it by `--ldif directory.ldif`";

/// `timeLimitExceeded` (RFC 4511, appendix A).
pub(super) const TIME_LIMIT: u32 = 3;
/// `sizeLimitExceeded`.
pub(super) const SIZE_LIMIT: u32 = 4;
/// `referral`.
pub(super) const REFERRAL: u32 = 10;
/// `adminLimitExceeded`.
pub(super) const ADMIN_LIMIT: u32 = 11;
/// `noSuchObject`.
pub(super) const NO_SUCH_OBJECT: u32 = 32;
/// `invalidCredentials`.
pub(super) const INVALID_CREDENTIALS: u32 = 49;

/// A server that does not answer.
pub(super) fn unreachable(uri: &str, error: &LdapError) -> LdapFault {
    LdapFault::Unreachable(Diagnostic::error(format!(
        "the LDAP server `{uri}` cannot be reached: {}",
        words(error)
    )))
}

/// A connection that failed after the login.
pub(super) fn lost(uri: &str, error: &LdapError) -> LdapFault {
    let problem = Diagnostic::error(format!(
        "the search on the LDAP server `{uri}` failed: {}",
        words(error)
    ));
    LdapFault::Refused(problem.hint(format!("try again, {EXPORT}")))
}

/// What the library says, without its own terms.
fn words(error: &LdapError) -> String {
    match error {
        LdapError::Timeout { .. } => "no answer within `ldap.timeout`".to_owned(),
        LdapError::Io { source } => source.to_string(),
        LdapError::NativeTLS { source } => format!("TLS failed: {source}"),
        LdapError::LdapResult { result } => said(result),
        LdapError::EndOfStream | LdapError::ResultRecv { .. } | LdapError::OpSend { .. } => {
            "the connection was closed".to_owned()
        }
        other => other.to_string(),
    }
}

/// What a server says about a failure.
pub(super) fn said(result: &LdapResult) -> String {
    let all = result.to_string();
    let name = all
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or("unknown", |(name, _)| name);
    let text = result.text.trim();
    match text.is_empty() {
        true => format!("{name} ({})", result.rc),
        false => format!("{name} ({}): {text}", result.rc),
    }
}
