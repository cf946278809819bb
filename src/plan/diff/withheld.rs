//! Texts of a host that a plan does not show.

use crate::name::RemotePath;
use crate::state::LiveState;
use crate::thing::Thing;

use super::super::Withheld;
use super::draft::Draft;

impl Draft<'_> {
    /// Whether the host's text is not for those who read a plan: whoever writes a manifest could name any file of the host,
    /// and a link at a managed path could lead to any. What is in the service's own folder is shown, masked, so that its
    /// adoption can be judged.
    pub(super) fn withheld(&self, path: &RemotePath, state: &LiveState) -> Option<Withheld> {
        let reached = state.link.as_deref().unwrap_or(path.as_str());
        let own = reached
            .strip_prefix(&self.service.folder())
            .is_some_and(|rest| rest.starts_with('/'));
        let withheld = state.private && !own && !self.is_ours(path, state);
        withheld.then_some(Withheld::Private)
    }

    /// Whether an apply wrote the bytes that the host has, or manages the path, which is no link.
    fn is_ours(&self, path: &RemotePath, state: &LiveState) -> bool {
        let thing = Thing::File(path.clone());
        let hash = Some(state.sha256.as_str());
        self.ownership.managed(&thing).is_some()
            && !self.ownership.is_untouched(&thing, hash)
            && (state.link.is_none() || self.ownership.applied(&thing, hash))
    }
}
