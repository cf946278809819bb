//! What is shown of a plan and of an apply: text for people, Markdown for reviews, JSON for programs.
//!
//! Pure: a report is written into anything that takes text. Everything that came from a host is
//! masked by its key ([`mask_secrets`]) and cannot steer the reader's terminal ([`line`]).

pub mod applied;
pub mod block;
pub mod check;
mod common_blocks;
pub mod comparison;
mod comparison_json;
pub mod difference;
pub mod drift;
pub mod events;
pub mod explain;
pub mod findings;
pub mod forge;
pub mod group;
mod held;
pub mod history;
pub mod history_all;
pub mod host_names;
pub mod json;
pub mod line;
pub mod lock;
pub mod mail_change;
pub mod markdown;
pub mod merge;
pub mod metrics;
mod orphans;
pub mod outcome_words;
mod own_name;
pub mod read_back;
pub mod route;
pub mod route_graph;
pub mod route_json;
pub mod route_live;
pub mod schema;
mod step_title;
mod step_value;
pub mod steps;
pub mod summary;
pub mod text;
pub mod verify;
pub mod verify_json;
pub mod verify_markdown;

pub use crate::secret::mask::{mask_pair, mask_secrets};
pub use summary::Summary;

/// How much of each file is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// No bodies.
    Summary,
    /// What changes, with three lines around it.
    #[default]
    Context,
    /// Whole bodies.
    Full,
}
