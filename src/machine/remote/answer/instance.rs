//! Instances of Postfix beside the default one.

use super::Head;
use crate::machine::remote::frame::Frame;
use crate::postfix::{MainCf, MasterCf};
use crate::service::Service;
use crate::state::DefaultInstance;

/// Whether a host answers that it does not have the instance.
pub(in crate::machine::remote) fn is_missing(frame: &Frame<'_>) -> bool {
    Head::read(frame.head).words.contains_key("no-instance")
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
