//! What is wrong with the routes of mail and with the directory: findings with stable codes, by the model of `mail`.

mod addresses;
mod attributes;
mod audit;
mod audit_groups;
mod baseline;
mod change;
mod classes;
mod code;
mod faults;
mod filters;
mod finding;
mod indexed;
mod judge;
mod mend;
mod pages;
mod places;
mod probes;
mod signature;
mod syntax;
mod what_if;
mod worse;

pub use addresses::{AddressForm, KnownAddress};
pub use attributes::Attributes;
pub use audit::{Audit, EntryFinding};
pub use baseline::Baseline;
pub use change::{ChangeJudge, PlaceTwins, StateResults, lacking};
pub use classes::{AddressClasses, ClassId, Classifier};
pub use code::{FindingCode, FindingSeverity};
pub use finding::Finding;
pub use indexed::index_findings;
pub use judge::{ClassResult, Judge, PlaceOutcome};
pub use mend::class_findings;
pub use places::{EntryPlace, PlaceKind, places};
pub use probes::MailProbes;
pub use what_if::{FailureEffect, MailFailure};
