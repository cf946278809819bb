//! One instance of Postfix, and the default one beside it.

use super::{Head, facts, queues};
use crate::ledger::Ledger;
use crate::machine::remote::errors::failure;
use crate::machine::remote::frame::Frame;
use crate::machine::{MachineError, Questions};
use crate::postfix::configuration::{
    Configuration, ConfigurationFiles, HostEnvironment, Networks, Release,
};
use crate::postfix::{MainCf, MasterCf};
use crate::service::Service;
use crate::state::{DefaultInstance, Facts, PostfixLive, Running};

/// Whether a host answers that it does not have the instance.
pub(in crate::machine::remote) fn is_missing(frame: &Frame<'_>) -> bool {
    Head::read(frame.head).words.contains_key("no-instance")
}

/// The instance whose configuration is in `folder`, and the facts of the host.
///
/// # Errors
/// Where main.cf or master.cf is missing or cannot be read, or the host does not describe its Postfix.
pub(super) fn observed(
    head: &Head<'_>,
    folder: &str,
    questions: &Questions,
    ledger: Option<&Ledger>,
) -> Result<(PostfixLive, Facts), MachineError> {
    let mut postfix = postfix(head, folder)?;
    let facts = facts::facts(head, questions, ledger, &postfix.main_cf)?;
    postfix.environment = environment(head, &postfix, &facts);
    Ok((postfix, facts))
}

/// The instance of Postfix whose configuration is in `folder`.
///
/// # Errors
/// Where main.cf or master.cf is missing or cannot be read.
fn postfix(head: &Head<'_>, folder: &str) -> Result<PostfixLive, MachineError> {
    let (main_cf_sha256, master_cf_sha256) = configuration_hashes(head, folder)?;
    let text = |name| head.texts.get(name).map_or(&[][..], Vec::as_slice);
    Ok(PostfixLive {
        main_cf: MainCf::parse(text("main.cf")),
        master_cf: MasterCf::shared(text("master.cf")),
        main_cf_sha256,
        master_cf_sha256,
        environment: HostEnvironment::default(),
        running: match head.words.get("running") {
            Some(&"yes") => Running::Yes,
            _ => Running::No,
        },
        queue: queues::queue(head),
    })
}

/// The properties of the host from which Postfix makes some defaults. The host says its networks only where main.cf does
/// not set `mynetworks`, and then for its own `mynetworks_style`.
fn environment(head: &Head<'_>, postfix: &PostfixLive, facts: &Facts) -> HostEnvironment {
    let word = |name| head.words.get(name).filter(|word| !word.is_empty());
    let word = |name| word(name).map(|word| (*word).to_owned());
    let mut environment = HostEnvironment {
        hostname: word("hostname"),
        mail_name: word("mailname"),
        networks: Networks::default(),
    };
    if let Some(networks) = word("networks") {
        let files = ConfigurationFiles {
            main_cf: &postfix.main_cf,
            master_cf: &postfix.master_cf,
        };
        let release = Release::new(&facts.postfix_version);
        let configuration = Configuration::new(&files, release, &environment);
        if let Ok(style) = configuration.main().expanded("mynetworks_style").text {
            environment.networks = Networks::only(&style, networks);
        }
    }
    environment
}

/// The hashes of main.cf and master.cf, as the host computed them.
///
/// # Errors
/// Where one of the two is missing or cannot be read.
fn configuration_hashes(head: &Head<'_>, folder: &str) -> Result<(String, String), MachineError> {
    let hash = |name: &str| {
        let hash = head.hashes.get(format!("{folder}/{name}").as_str());
        hash.map(|hash| (*hash).to_owned()).ok_or_else(|| {
            failure(
                format!("{folder}/{name} does not exist or cannot be read"),
                None,
                format!("restore it from a backup, or copy /usr/share/postfix/{name}.dist"),
            )
        })
    };
    Ok((hash("main.cf")?, hash("master.cf")?))
}

/// The default instance, where another service was observed.
pub(super) fn default_beside(head: &Head<'_>, service: &Service) -> Option<DefaultInstance> {
    service.named_instance()?;
    let text = |name| head.texts.get(name).map_or(&[][..], Vec::as_slice);
    Some(DefaultInstance {
        main_cf: MainCf::parse(text("/etc/postfix/main.cf")),
        master_cf: MasterCf::shared(text("/etc/postfix/master.cf")),
    })
}
