//! Who may relay through smtpd(8): whether its restrictions stop the mail of strangers for strangers.
//!
//! A stranger is a client from any address without a login. Its mail for any domain passes if no list of restrictions stops it;
//! a list that ends, or permits, lets it pass to the next list (SMTPD_ACCESS_README).

use super::View;
use crate::postfix::catalogue::guards::{self, DEEP, GUARDS};
use crate::postfix::catalogue::lists::matches_everything;
use crate::postfix::{Network, split_list};

/// What the restrictions of smtpd(8) mean for relaying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relaying {
    /// They stop strangers, or it is not known what they do.
    Stopped,
    /// No list has a restriction that stops relaying: smtpd(8) ends each session with a fatal error.
    NoGuard,
    /// Strangers relay.
    Open {
        /// The parameter with the word that lets them.
        parameter: &'static str,
        /// The word.
        word: String,
        /// What makes the word match strangers: the parameter and its member, as `mynetworks` and `0.0.0.0/0`.
        through: Option<(&'static str, String)>,
    },
}

const RELAY: &str = "smtpd_relay_restrictions";
const RECIPIENT: &str = "smtpd_recipient_restrictions";

/// The other lists that a recipient passes. Those about clients often list who may connect, in a table.
const OTHERS: [&str; 5] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
];

/// The lists of domains for which `reject_unauth_destination` lets mail pass.
const DOMAINS: [&str; 4] = [
    "relay_domains",
    "mydestination",
    "virtual_alias_domains",
    "virtual_mailbox_domains",
];

/// Restrictions that let mail for the host's own domains pass, and stop all other.
const OF_DESTINATIONS: [&str; 3] = [
    "reject_unauth_destination",
    "defer_unauth_destination",
    "check_relay_domains",
];

/// What becomes of a stranger in a list.
enum Walk {
    Stopped,
    Ends,
    Permitted(String, Option<(&'static str, String)>),
}

impl View<'_> {
    /// What the restrictions of this service mean for relaying.
    #[must_use]
    pub fn relaying(&self) -> Relaying {
        let class = self.class_lists();
        let (Ok(relay), Ok(recipient)) = (self.expanded(RELAY).text, self.expanded(RECIPIENT).text)
        else {
            return Relaying::Stopped;
        };
        if [&relay, &recipient]
            .iter()
            .all(|list| guards::lacks_guard(list, &class))
        {
            return Relaying::NoGuard;
        }
        let mut opening = None;
        for (parameter, list) in [(RELAY, &relay), (RECIPIENT, &recipient)] {
            match self.walk(list, &class, DEEP) {
                Walk::Stopped => return Relaying::Stopped,
                Walk::Ends => {}
                Walk::Permitted(word, through) => {
                    opening.get_or_insert((parameter, word, through));
                }
            }
        }
        let stops = |name: &str| {
            let Ok(list) = self.expanded(name).text else {
                return true;
            };
            let lists_clients = list.to_ascii_lowercase().contains("check_client_access");
            lists_clients || matches!(self.walk(&list, &class, DEEP), Walk::Stopped)
        };
        match opening {
            Some((parameter, word, through)) if !OTHERS.into_iter().any(stops) => Relaying::Open {
                parameter,
                word,
                through,
            },
            _ => Relaying::Stopped,
        }
    }

    /// What becomes of a stranger's mail for a stranger in an expanded list.
    fn walk(&self, list: &str, class: &dyn Fn(&str) -> Option<Option<String>>, deep: u32) -> Walk {
        let mut words = split_list(list).into_iter().peekable();
        while let Some(word) = words.next() {
            let plain = word.to_ascii_lowercase();
            match plain.as_str() {
                "warn_if_reject" => {
                    words.next();
                }
                "permit" => return Walk::Permitted(word, None),
                "permit_mynetworks" => {
                    if let Some(network) = self.member("mynetworks", is_wide) {
                        return Walk::Permitted(word, Some(("mynetworks", network)));
                    }
                }
                "permit_tls_all_clientcerts" => {
                    if let Some(asks) = self.asks_for_certificates() {
                        return Walk::Permitted(word, Some((asks, "yes".to_owned())));
                    }
                }
                of if OF_DESTINATIONS.contains(&of) => {
                    let everyone = |name| Some((name, self.member(name, matches_everything)?));
                    return match DOMAINS.into_iter().find_map(everyone) {
                        Some(through) => Walk::Permitted(word, Some(through)),
                        None => Walk::Stopped,
                    };
                }
                of if GUARDS.contains(&of) => return Walk::Stopped,
                of if of.starts_with("check_") && of.ends_with("_access") => {
                    if let Some(table) = words.next_if(|table| permits_all(table)) {
                        return Walk::Permitted(format!("{word} {table}"), None);
                    }
                }
                _ => match class(&word) {
                    // Only the host knows the class, or the classes go round.
                    Some(None) => return Walk::Stopped,
                    Some(Some(_)) if deep == 0 => return Walk::Stopped,
                    Some(Some(members)) => match self.walk(&members, class, deep - 1) {
                        Walk::Ends => {}
                        end => return end,
                    },
                    None => {}
                },
            }
        }
        Walk::Ends
    }

    /// The first member of a parameter's list that is of a kind.
    fn member(&self, name: &str, is: impl Fn(&str) -> bool) -> Option<String> {
        let list = split_list(&self.expanded(name).text.ok()?);
        list.into_iter().find(|member| is(member))
    }

    /// The parameter by which smtpd(8) asks clients for a certificate; of any issuer `permit_tls_all_clientcerts` takes it.
    fn asks_for_certificates(&self) -> Option<&'static str> {
        let is_on = |name: &&str| self.expanded(name).text.is_ok_and(|text| text == "yes");
        ["smtpd_tls_req_ccert", "smtpd_tls_ask_ccert"]
            .into_iter()
            .find(is_on)
    }
}

/// Whether a member of `mynetworks` covers a great part of the Internet.
#[must_use]
pub fn is_wide(member: &str) -> bool {
    matches_everything(member) || Network::read(member).is_some_and(|network| network.is_wide())
}

/// Whether an access table permits each key (access(5): `OK`, `PERMIT`, or digits alone).
fn permits_all(table: &str) -> bool {
    let Some(result) = table.trim_start_matches("proxy:").strip_prefix("static:") else {
        return false;
    };
    let result = result.trim_matches(['{', '}', ' ']).to_ascii_lowercase();
    let is_code = result.len() != 3 || !result.starts_with(['4', '5']);
    matches!(result.as_str(), "ok" | "permit")
        || !result.is_empty() && is_code && result.bytes().all(|byte| byte.is_ascii_digit())
}
