//! The access restrictions of smtpd(8), as far as they decide about recipients.

use super::maps::{Known, Maps};
use super::table::{HostTables, LookupError, OpenTable};
use crate::postfix::split_list;

/// A restriction.
#[derive(Debug, Clone)]
pub enum Restriction {
    /// `permit`.
    Permit,
    /// `reject`, `defer`.
    Reject(bool),
    /// `permit_mynetworks`.
    PermitMynetworks,
    /// `reject_unauth_destination`, `defer_unauth_destination`; whether it defers.
    UnauthDestination(bool),
    /// `permit_auth_destination`.
    PermitAuthDestination,
    /// `reject_unlisted_recipient`.
    UnlistedRecipient,
    /// `reject_unverified_recipient`.
    UnverifiedRecipient,
    /// `reject_non_fqdn_recipient`.
    NonFqdnRecipient,
    /// `reject_unknown_recipient_domain`.
    UnknownRecipientDomain,
    /// `warn_if_reject`: what the next one refuses is only logged.
    WarnIfReject,
    /// `defer_if_permit`, or `defer_if_reject` if it is false.
    DeferIf(bool),
    /// `check_recipient_access`.
    RecipientAccess(Maps),
    /// `check_client_access`.
    ClientAccess(Maps),
    /// A name in `smtpd_restriction_classes`, with its restrictions.
    Class(Vec<Restriction>),
    /// Judges clients, HELO names or senders: the trace assumes those that pass.
    OfOthers,
    /// A restriction that is not modelled.
    Unknown(String),
}

/// Restrictions that judge the client, its HELO name, the sender or the way of the session, and so decide the same for all
/// recipients. Those that permit need a login or a certificate, which the client of a trace has not.
const OF_OTHERS: [&str; 24] = [
    "permit_sasl_authenticated",
    "permit_tls_all_clientcerts",
    "permit_tls_clientcerts",
    "permit_dnswl_client",
    "reject_invalid_helo_hostname",
    "reject_invalid_hostname",
    "reject_non_fqdn_helo_hostname",
    "reject_non_fqdn_hostname",
    "reject_unknown_helo_hostname",
    "reject_unknown_hostname",
    "reject_non_fqdn_sender",
    "reject_unknown_sender_domain",
    "reject_unknown_address",
    "reject_unlisted_sender",
    "reject_unverified_sender",
    "reject_sender_login_mismatch",
    "reject_authenticated_sender_login_mismatch",
    "reject_known_sender_login_mismatch",
    "reject_unauthenticated_sender_login_mismatch",
    "reject_unknown_client_hostname",
    "reject_unknown_client",
    "reject_unknown_reverse_client_hostname",
    "reject_unauth_pipelining",
    "reject_plaintext_session",
];

/// The same, with an argument.
const OF_OTHERS_WITH_ARGUMENT: [&str; 17] = [
    "reject_rbl_client",
    "reject_rbl",
    "reject_rhsbl_client",
    "reject_rhsbl_reverse_client",
    "reject_rhsbl_helo",
    "reject_rhsbl_sender",
    "permit_dnswl_client",
    "permit_rhswl_client",
    "check_helo_access",
    "check_helo_a_access",
    "check_helo_mx_access",
    "check_helo_ns_access",
    "check_sender_access",
    "check_sender_a_access",
    "check_sender_mx_access",
    "check_sender_ns_access",
    "check_ccert_access",
];

/// Other restrictions with an argument.
const WITH_ARGUMENT: [&str; 10] = [
    "check_client_a_access",
    "check_client_mx_access",
    "check_client_ns_access",
    "check_reverse_client_hostname_access",
    "check_recipient_a_access",
    "check_recipient_mx_access",
    "check_recipient_ns_access",
    "check_policy_service",
    "reject_rhsbl_recipient",
    "check_sasl_access",
];

/// The classes of `smtpd_restriction_classes`: the restrictions of a name.
pub type ClassText<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The deepest nesting of restriction classes.
const DEPTH: usize = 8;

/// Reads a list of restrictions, expanded.
pub fn read(
    parameter: &str,
    text: &str,
    classes: ClassText<'_>,
    tables: &mut HostTables,
) -> Vec<Restriction> {
    read_nested(parameter, text, classes, tables, DEPTH)
}

fn read_nested(
    parameter: &str,
    text: &str,
    classes: ClassText<'_>,
    tables: &mut HostTables,
    depth: usize,
) -> Vec<Restriction> {
    let mut words = split_list(text).into_iter().peekable();
    let mut list = Vec::new();
    while let Some(word) = words.next() {
        let mut table = |words: &mut std::iter::Peekable<std::vec::IntoIter<String>>| {
            let word = words.next().unwrap_or_default();
            Maps {
                parameter: parameter.to_owned(),
                tables: Ok(tables.all(&word)),
            }
        };
        let lower = word.to_ascii_lowercase();
        if let Some(simple) = without_argument(&lower) {
            list.push(simple);
            continue;
        }
        list.push(match lower.as_str() {
            "check_recipient_access" => Restriction::RecipientAccess(table(&mut words)),
            "check_client_access" => Restriction::ClientAccess(table(&mut words)),
            "sleep" => {
                words.next();
                Restriction::OfOthers
            }
            other if OF_OTHERS.contains(&other) => Restriction::OfOthers,
            other if OF_OTHERS_WITH_ARGUMENT.contains(&other) => {
                words.next();
                Restriction::OfOthers
            }
            other if WITH_ARGUMENT.contains(&other) => {
                words.next();
                Restriction::Unknown(word)
            }
            // A bare table is one of `check_*_access`, by the list.
            other if other.contains(':') => bare_table(parameter, tables.all(&word)),
            _ => match classes(&word).filter(|_| depth > 0) {
                Some(text) => {
                    Restriction::Class(read_nested(parameter, &text, classes, tables, depth - 1))
                }
                None => Restriction::Unknown(word),
            },
        });
    }
    list
}

/// A restriction without an argument, by its name in lower case.
fn without_argument(name: &str) -> Option<Restriction> {
    Some(match name {
        "permit" => Restriction::Permit,
        "reject" => Restriction::Reject(false),
        "defer" => Restriction::Reject(true),
        "permit_mynetworks" => Restriction::PermitMynetworks,
        "reject_unauth_destination" | "check_relay_domains" => {
            Restriction::UnauthDestination(false)
        }
        "defer_unauth_destination" => Restriction::UnauthDestination(true),
        "permit_auth_destination" => Restriction::PermitAuthDestination,
        "reject_unlisted_recipient" | "check_recipient_maps" => Restriction::UnlistedRecipient,
        "reject_unverified_recipient" => Restriction::UnverifiedRecipient,
        "reject_non_fqdn_recipient" => Restriction::NonFqdnRecipient,
        "reject_unknown_recipient_domain" => Restriction::UnknownRecipientDomain,
        "warn_if_reject" => Restriction::WarnIfReject,
        "defer_if_permit" => Restriction::DeferIf(true),
        "defer_if_reject" => Restriction::DeferIf(false),
        _ => return None,
    })
}

/// The restrictions of a list that are evaluated where there is no recipient yet.
#[must_use]
pub fn without_recipient(list: Vec<Restriction>) -> Vec<Restriction> {
    let kept = list
        .into_iter()
        .filter_map(|restriction| match restriction {
            Restriction::Class(list) => Some(Restriction::Class(without_recipient(list))),
            Restriction::UnauthDestination(_)
            | Restriction::PermitAuthDestination
            | Restriction::UnlistedRecipient
            | Restriction::UnverifiedRecipient
            | Restriction::NonFqdnRecipient
            | Restriction::UnknownRecipientDomain
            | Restriction::RecipientAccess(_) => None,
            other => Some(other),
        });
    kept.collect()
}

/// A table without `check_*_access` before it: the list says what is looked up.
fn bare_table(parameter: &str, tables: Vec<OpenTable>) -> Restriction {
    let maps = Maps {
        parameter: parameter.to_owned(),
        tables: Ok(tables),
    };
    match parameter {
        "smtpd_recipient_restrictions" | "smtpd_relay_restrictions" => {
            Restriction::RecipientAccess(maps)
        }
        "smtpd_client_restrictions" => Restriction::ClientAccess(maps),
        _ => Restriction::OfOthers,
    }
}

/// What an entry of an access table says (access(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessAction {
    /// `OK`, digits only.
    Permit,
    /// `DUNNO`.
    Dunno,
    /// A code with a text, `REJECT`, `DEFER`; an empty code stands for the parameter's.
    Answer {
        /// The code.
        code: Option<u16>,
        /// Whether it is temporary where there is no code.
        is_temporary: bool,
        /// The text.
        text: String,
    },
    /// `DEFER_IF_PERMIT`, or `DEFER_IF_REJECT` if it is false, with its text.
    DeferIf(bool, String),
    /// `DISCARD`, after a text.
    Discard,
    /// Restrictions.
    Restrictions(String),
}

/// Reads the value of an access table.
///
/// # Errors
/// If the action is not modelled.
pub fn action(value: &str) -> Known<AccessAction> {
    let (word, text) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    let text = text.trim().to_owned();
    let upper = word.to_ascii_uppercase();
    Ok(match upper.as_str() {
        "OK" | "PERMIT" | "RELAY" => AccessAction::Permit,
        "DUNNO" | "INFO" | "WARN" | "PREPEND" => AccessAction::Dunno,
        "REJECT" => AccessAction::Answer {
            code: None,
            is_temporary: false,
            text,
        },
        "DEFER" => AccessAction::Answer {
            code: None,
            is_temporary: true,
            text,
        },
        "DISCARD" => AccessAction::Discard,
        "DEFER_IF_PERMIT" => AccessAction::DeferIf(true, text),
        "DEFER_IF_REJECT" => AccessAction::DeferIf(false, text),
        "HOLD" | "FILTER" | "REDIRECT" | "BCC" => {
            return Err(LookupError::NotModelled(format!(
                "the access action `{word}` is not modelled"
            )));
        }
        // pop-before-smtp writes the time: digits alone are no code.
        _ if value.bytes().all(|c| c.is_ascii_digit()) => AccessAction::Permit,
        digits if digits.len() == 3 && digits.starts_with(['4', '5']) => match digits.parse() {
            Ok(code) => AccessAction::Answer {
                code: Some(code),
                is_temporary: code < 500,
                text,
            },
            Err(_) => AccessAction::Restrictions(value.to_owned()),
        },
        _ => AccessAction::Restrictions(value.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// access(5), "ACCEPT ACTIONS", "REJECT ACTIONS" and "OTHER ACTIONS".
    #[test]
    fn actions_are_read() {
        let answer = |code, is_temporary, text: &str| AccessAction::Answer {
            code,
            is_temporary,
            text: text.to_owned(),
        };
        for (value, expected) in [
            ("OK", AccessAction::Permit),
            ("1234", AccessAction::Permit),
            ("dunno", AccessAction::Dunno),
            ("REJECT go away", answer(None, false, "go away")),
            ("450 4.2.1 later", answer(Some(450), true, "4.2.1 later")),
            ("550", AccessAction::Permit),
            ("550 ", answer(Some(550), false, "")),
            ("DEFER", answer(None, true, "")),
            (
                "defer_if_permit 4.2.0 x",
                AccessAction::DeferIf(true, "4.2.0 x".to_owned()),
            ),
            ("INFO x", AccessAction::Dunno),
            (
                "reject_unverified_recipient",
                AccessAction::Restrictions("reject_unverified_recipient".to_owned()),
            ),
        ] {
            assert_eq!(action(value), Ok(expected), "{value}");
        }
        assert!(action("FILTER smtp:x").is_err());
    }
}
