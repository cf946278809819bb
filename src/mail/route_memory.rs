//! Parts of routes that are known already.

use std::collections::HashMap;

use super::notes::RouteNeed;
use super::trace::RouteEnd;

/// The ends of the recipients that were sent on from a host before, and the hosts that they passed.
#[derive(Debug, Default)]
pub struct RouteMemory(pub(super) HashMap<(usize, String), Remembered>);

/// What is known of a recipient that was sent on from a host.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) ends: Vec<RouteEnd>,
    pub(super) passed: Vec<usize>,
    pub(super) needs: Vec<RouteNeed>,
}
