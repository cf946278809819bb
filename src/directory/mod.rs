//! An LDAP directory as data: entries read from LDIF, and searches that answer as a directory server does.

mod build;
mod dn;
mod filter;
mod indexes;
mod ldif;
mod matching;
mod parse_filter;
mod search;
mod store;
mod url;

pub use build::TooLarge;
pub use dn::{DnError, normalized_dn};
pub use filter::{Assertion, LdapFilter, Pattern, PatternPart};
pub use indexes::ServerIndexes;
pub use ldif::{LdifError, read_ldif};
pub use parse_filter::{FilterError, parse_filter};
pub use search::{SearchError, SearchScope};
pub use store::{AttributeId, Directory, EntryId};
pub use url::{LdapUrl, read_url};
