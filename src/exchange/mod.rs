//! What is sent to a host and what comes back: questions and answers, orders and endings, as values.
//!
//! `plan` makes questions and orders, and `machine` carries them to hosts; neither imports the other.

mod ending;
mod evidence;
mod facts;
mod failure;
mod lookups;
mod orders;
mod other_file;
mod questions;
mod record;
mod sealed;

pub use ending::{Ending, Found, NotDone, Performed};
pub use evidence::{Evidence, EvidenceQuestion, FileTrace, signature};
pub use facts::KnownFacts;
pub use failure::{Failure, MachineError};
pub use lookups::{PostmapAnswer, TableQuestion};
pub use orders::{
    Activation, AdoptOrder, ExpectedService, Expects, FileOrder, HistoryOrder, IndexOrder,
    LedgerOrder, Orders, RestoreOrder, Run, ServiceOrders,
};
pub use other_file::OtherFile;
pub use questions::{HistoryQuestion, Observed, Questions};
pub use record::{
    ConfigurationRecord, FactsRecord, FileRecord, HostRecord, PresentRecord, ServiceRecord,
};
pub use sealed::{LIVE_FORMAT, PLAN_FORMAT, sealed, unsealed};
