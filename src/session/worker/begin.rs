//! Makes a worker for each purpose: to plan, to save a plan, to observe, to watch, and to apply.

use std::path::Path;
use std::sync::Mutex;

use super::super::SessionError;
use super::super::live_file::LiveFileDocument;
use super::super::notes::Notes;
use super::super::options::{Consent, Reach};
use super::{Applier, Observer, Planner, Recorder, Watcher, Worker};
use crate::diagnostic::Diagnostic;
use crate::load::LoadedMurder;
use crate::name::HostName;
use crate::transport::AskPassphrase;

/// A planner for the hosts of a murder, which cannot write, and the warnings about the manifest and its secrets.
///
/// # Errors
/// [`SessionError::Input`] where the manifest does not compile or a secret cannot be read. No host was contacted.
pub fn planner<'a>(
    loaded: &'a LoadedMurder,
    hosts: &[HostName],
    reach: &Reach,
    ask_passphrase: Box<AskPassphrase>,
) -> Result<(Box<dyn Planner + 'a>, Vec<Diagnostic>), SessionError> {
    let consent = Consent::default();
    let (worker, warnings) = Worker::new(loaded, hosts, reach, consent, false, ask_passphrase)?;
    Ok((Box::new(worker), warnings))
}

/// A planner for them whose plan can be saved, and the warnings.
///
/// # Errors
/// As [`planner`].
pub fn recorder<'a>(
    loaded: &'a LoadedMurder,
    hosts: &[HostName],
    reach: &Reach,
    ask_passphrase: Box<AskPassphrase>,
) -> Result<(Box<dyn Recorder + 'a>, Vec<Diagnostic>), SessionError> {
    let consent = Consent::default();
    let (mut worker, warnings) = Worker::new(loaded, hosts, reach, consent, false, ask_passphrase)?;
    worker.compared = Some(Mutex::default());
    Ok((Box::new(worker), warnings))
}

/// An observer for them, which reads no secret of a file, and the warnings.
///
/// # Errors
/// As [`planner`].
pub fn observer<'a>(
    loaded: &'a LoadedMurder,
    hosts: &[HostName],
    reach: &Reach,
    ask_passphrase: Box<AskPassphrase>,
) -> Result<(Box<dyn Observer + 'a>, Vec<Diagnostic>), SessionError> {
    let reach = reach.without_file_secrets();
    let consent = Consent::default();
    let (mut worker, warnings) =
        Worker::new(loaded, hosts, &reach, consent, false, ask_passphrase)?;
    worker.records = Some(Mutex::default());
    Ok((Box::new(worker), warnings))
}

/// A planner for hosts as a live file has them, which contacts none and reads no secret, and the warnings.
///
/// # Errors
/// As [`planner`].
pub fn planner_of_live_file<'a>(
    loaded: &'a LoadedMurder,
    hosts: &[HostName],
    reach: &Reach,
    live: &'a LiveFileDocument,
) -> Result<(Box<dyn Planner + 'a>, Vec<Diagnostic>), SessionError> {
    let reach = Reach {
        from_live_file: true,
        ..reach.without_file_secrets()
    };
    let nobody = Box::new(|_: &Path| None);
    let consent = Consent::default();
    let (mut worker, warnings) = Worker::new(loaded, hosts, &reach, consent, false, nobody)?;
    worker.live = Some(live);
    Ok((Box::new(worker), warnings))
}

/// The same for `drift`.
///
/// # Errors
/// As [`planner`].
pub fn watcher<'a>(
    loaded: &'a LoadedMurder,
    hosts: &[HostName],
    reach: &Reach,
    ask_passphrase: Box<AskPassphrase>,
) -> Result<(Box<dyn Watcher + 'a>, Vec<Diagnostic>), SessionError> {
    let consent = Consent::default();
    let (mut worker, warnings) = Worker::new(loaded, hosts, reach, consent, false, ask_passphrase)?;
    worker.notes = Some(Notes::default());
    Ok((Box::new(worker), warnings))
}

/// An applier for them, and the warnings.
///
/// # Errors
/// As [`planner`].
pub fn applier<'a>(
    loaded: &'a LoadedMurder,
    hosts: &[HostName],
    reach: &Reach,
    consent: Consent,
    ask_passphrase: Box<AskPassphrase>,
) -> Result<(Box<dyn Applier + 'a>, Vec<Diagnostic>), SessionError> {
    let (worker, warnings) = Worker::new(loaded, hosts, reach, consent, true, ask_passphrase)?;
    Ok((Box::new(worker), warnings))
}
