//! Reads, edits and compares Postfix's configuration files by Postfix's own rules.

mod alias_file;
mod edit;
mod ldap_filter;
mod line_problem;
mod lines;
mod main_cf;
mod master_cf;
mod network;
mod same_file;
mod shortening;
mod text;
mod value;

pub(crate) mod defaults;

pub(crate) mod expand;

/// master.cf as Debian 12 installs it.
/// main.cf of an instance that `postmulti -e create` has made and `postmulti -e enable` has enabled; `@NAME@` stands for
/// its name.
pub(crate) const INSTANCE_MAIN_CF: &str = "compatibility_level = 3.6
queue_directory = /var/spool/@NAME@
data_directory = /var/lib/@NAME@
authorized_submit_users =
master_service_disable = inet
multi_instance_name = @NAME@
multi_instance_enable = yes
";
pub(crate) const DEBIAN_MASTER_CF: &str = include_str!("debian-master.cf");

pub mod catalogue;

pub mod configuration;

pub mod postconf;

pub mod subset;

pub use alias_file::AliasProblem;
pub use alias_file::alias_problems;
pub use edit::Edit;
pub use edit::EditError;
pub use edit::apply_edits;
pub(crate) use lines::logical_lines;
pub(crate) use lines::same_logical_lines;

pub use line_problem::LineProblem;
pub use line_problem::LineProblemKind;
pub use main_cf::MainCf;
pub use master_cf::MasterCf;
pub use master_cf::MasterEntry;
pub use master_cf::check_option;
pub use master_cf::command_of;
pub use network::Network;
pub use same_file::same_table_file;
pub use same_file::settings as table_settings;
pub use value::same_value;
pub use value::{inline_entries, split_list};

pub(crate) use lines::logical_texts;

#[cfg(test)]
mod properties;
