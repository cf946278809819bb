//! Which observations block a thread.

use super::options::Reach;
use crate::access::SshClient;
use crate::load::LoadedMurder;
use crate::name::HostName;

/// Whether observations of these hosts only wait for the network. Folders, this host and other programs block.
pub(super) fn waits(loaded: &LoadedMurder, hosts: &[HostName], reach: &Reach) -> bool {
    let client = |name| Some(loaded.murder.hosts.get(name)?.ssh.client);
    reach.sandbox.is_none()
        && !reach.local
        && hosts
            .iter()
            .all(|name| client(name) == Some(SshClient::Ssh2))
}
