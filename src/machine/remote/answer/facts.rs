//! The facts that only the host knows, from `postconf` and os-release(5).

use super::head::Head;
use crate::ledger::Ledger;
use crate::machine::remote::errors::{failure, wrong_answer};
use crate::machine::{KnownFacts, MachineError, Questions};
use crate::name::{RemotePath, TableType};
use crate::postfix::MainCf;
use crate::state::Facts;

/// The facts: new ones of the host, or those of the question or the ledger if the host confirmed their identity.
pub(super) fn facts(
    head: &Head<'_>,
    questions: &Questions,
    ledger: Option<&Ledger>,
    main_cf: &MainCf,
) -> Result<Facts, MachineError> {
    let index_type = |types: &_, default: &_| Facts::index_type_of(main_cf, types, default);
    let Some(distribution) = head.words.get("distribution") else {
        let identity = head.words.get("identity").copied().unwrap_or_default();
        let kept = ledger.and_then(|ledger| ledger.facts.as_ref());
        let kept = kept.filter(|kept| kept.identity == identity);
        let asked = questions.known.clone();
        let asked = asked.filter(|known| known.identity == identity);
        return match asked.or_else(|| kept.map(KnownFacts::from)) {
            Some(known) => {
                let mut facts = known.facts.clone();
                facts.index_type = index_type(&facts.table_types, &facts.default_database_type);
                Ok(facts)
            }
            _ => Err(wrong_answer("it does not describe its Postfix", &[])),
        };
    };
    let (mut version, mut database) = (None, None);
    for line in &head.defaults {
        let (name, value) = line.split_once(" = ").unwrap_or((line, ""));
        match name {
            "mail_version" => version = Some(value.to_owned()),
            "default_database_type" => database = TableType::new(value).ok(),
            _ => {}
        }
    }
    let (Some(postfix_version), Some(default_database_type)) = (version, database) else {
        return Err(failure(
            "`postconf -d` there does not name `mail_version` and `default_database_type`",
            None,
            "run `postconf -d` on the host: Postfix may be damaged",
        ));
    };
    let distribution = distribution.trim_matches(['"', '\'']).to_owned();
    refuse_odd_words(&postfix_version, &distribution)?;
    let lmtp_socket = RemotePath::new(lmtp_socket(&distribution))
        .map_err(|error| wrong_answer(&error.to_string(), &[]))?;
    Ok(Facts {
        postfix_version,
        index_type: index_type(&head.types, &default_database_type),
        table_types: head.types.clone().into(),
        default_database_type,
        distribution,
        lmtp_socket,
        parameters: head
            .defaults
            .iter()
            .map(|line| line.split_once(" = ").map_or(*line, |(name, _)| name))
            .collect(),
    })
}

/// Templates see both words, which must not be the name of a secret in disguise.
fn refuse_odd_words(postfix_version: &str, distribution: &str) -> Result<(), MachineError> {
    for (what, word) in [
        ("`mail_version`", postfix_version),
        ("ID in /etc/os-release", distribution),
    ] {
        if !is_plain(word) {
            return Err(failure(
                format!(
                    "{what} has characters other than letters, digits and `.-_+~`, or is too long"
                ),
                None,
                "find out what changed it on the host",
            ));
        }
    }
    Ok(())
}

/// Whether a word can be a version or the ID of a distribution (os-release(5)).
fn is_plain(word: &str) -> bool {
    word.len() <= 64
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_+~".contains(&b))
}

/// The path of lmtpd's socket in a distribution's Cyrus packages.
fn lmtp_socket(distribution: &str) -> &'static str {
    match distribution {
        "rhel"
        | "centos"
        | "fedora"
        | "rocky"
        | "almalinux"
        | "ol"
        | "amzn"
        | "opensuse"
        | "opensuse-leap"
        | "opensuse-tumbleweed"
        | "sles" => "/var/lib/imap/socket/lmtp",
        _ => "/run/cyrus/socket/lmtp",
    }
}
