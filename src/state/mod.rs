//! The state of a host: what it must have (`Desired`), what it has (`Live`), and its facts.

mod desired;
mod facts;
mod live;
mod lookups;
mod maintenance;
mod queue;
mod references;
mod remark;
mod settings;
mod stock;
mod untouched;

pub use desired::{Desired, DesiredService, File, Listens, Note, Probes, Want};
pub use facts::{Facts, ParameterNames};
pub use live::{
    DefaultInstance, ExposingDirectory, Live, LiveFile, LiveService, LiveState, Lock, PostfixLive,
    Running, part_of,
};
pub use lookups::{LiveTable, TableAnswer};
pub use maintenance::Maintenance;
pub use queue::Queue;
pub use references::{LiveReferences, References, ReferencesAnswered};
pub use remark::Remark;
pub use settings::DesiredSettings;
pub use stock::{Stock, debian_entry};
