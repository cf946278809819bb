//! Hosts in maintenance: which of them are overdue.

use crate::diagnostic::Diagnostic;
use crate::load::LoadedMurder;
use crate::name::HostName;

/// A warning for each of the hosts whose maintenance was due to end before `now` (RFC 3339, UTC).
pub(super) fn overdue(loaded: &LoadedMurder, hosts: &[HostName], now: &str) -> Vec<Diagnostic> {
    let warning = |name: &HostName| {
        let (one, at) = loaded.murder.hosts.get(name)?.maintenance.as_ref()?;
        let text = format!(
            "the maintenance of `{name}` is overdue: it was due to end at {}",
            one.until
        );
        let warning = Diagnostic::warning(text)
            .at(*at, "`murder` does not contact the host while this is here");
        let help = "remove `maintenance` to manage the host again, or write a later `until`";
        one.is_overdue(now).then(|| warning.hint(help))
    };
    hosts.iter().filter_map(warning).collect()
}
