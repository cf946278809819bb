//! An LDAP directory as data: entries read from LDIF, and searches that answer as a directory server does.

mod build;
mod candidates;
mod dn;
mod filter;
mod indexes;
mod ldif;
mod matching;
mod memory;
mod parse_filter;
mod scope;
mod search;
mod search_error;
mod search_memory;
mod store;
mod url;
mod value_index;

pub use build::TooLarge;
pub use dn::{DnError, normalized_dn};
pub use filter::{Assertion, LdapFilter, Pattern, PatternPart};
pub use indexes::ServerIndexes;
pub use ldif::{LdifError, read_ldif};
pub use matching::lowered;
pub use parse_filter::{FilterError, parse_filter};
pub use scope::EntryScope;
pub use search::SearchScope;
pub use search_error::SearchError;
pub use store::{AttributeId, Directory, EntryId};
pub use url::{LdapUrl, read_url};
