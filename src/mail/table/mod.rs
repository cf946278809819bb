//! Lookup tables of Postfix, asked without Postfix.

mod answer;
mod cidr;
mod compound;
mod fixed;
mod ldap;
mod ldap_settings;
mod names;
mod open;
mod part;
mod pattern;
mod posix;
mod recorded;
mod template;

pub use answer::{AnswerPlace, KeyLookup, LookupAnswer, LookupError, LookupResult};
pub use names::{ListMember, MatchStyle, NameList};
pub use open::{HostTables, OpenTable};
pub use part::{AttributeClass, LdapPart, PartVisitor, TablePart};
pub use recorded::{LookupLog, TableLookup};
pub use template::{KeyTemplate, placeholder};
