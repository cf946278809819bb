//! The codes of findings: stable words that scripts and baselines rely on.

use std::fmt;
use std::str::FromStr;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingSeverity {
    /// Mail is lost, bounced, looped or open to strangers.
    Error,
    /// Mail waits, or a mistake has no effect yet.
    Warning,
}

impl FindingSeverity {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// The list of all codes: variant, word, severity, and what is wrong in one line.
macro_rules! codes {
    ($($variant:ident $word:literal $severity:ident $summary:literal,)*) => {
        /// The code of a finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingCode { $(#[doc = $summary] $variant,)* }

        impl FindingCode {
            /// All codes, in the order of reports.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> FindingSeverity {
                match self { $(Self::$variant => FindingSeverity::$severity,)* }
            }

            /// What is wrong, in one line.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }
        }
    };
}

codes! {
    OpenRelay "open-relay" Error "a host relays mail of strangers to strangers",
    Loop "loop" Error "mail goes round between hosts until one of them stops it",
    UnknownAccepted "unknown-accepted" Error "a host that faces the Internet accepts recipients that do not exist",
    Backscatter "backscatter" Error "a host that faces the Internet accepts mail and returns it to the sender, who may be forged",
    MapsDisagree "maps-disagree" Error "one table accepts a recipient and another one does not route it, or the reverse",
    Undeliverable "undeliverable" Error "an address gets no mail, and no other finding says why",
    NoSuchMailbox "no-such-mailbox" Error "Cyrus gets a recipient that is the name of no mailbox",
    BouncesInMove "bounces-in-move" Warning "mail bounces while its mailbox moves to another backend",
    ExtensionLost "extension-lost" Warning "an address is deliverable, and with an extension it is not",
    PostmasterUndeliverable "postmaster-undeliverable" Error "the postmaster of a mail domain gets no mail",
    BadFilter "bad-filter" Error "an LDAP filter or URL is wrong, so that each lookup fails",
    DuplicateDelivery "duplicate-delivery" Warning "a mailbox gets the same message more than once",
    TwoBackends "two-backends" Error "an address belongs to mailboxes on different backends",
    DuplicateAddress "duplicate-address" Error "several entries have the same address",
    AliasShadowsPrimary "alias-shadows-primary" Error "the alias of one entry is the primary address of another one",
    NoMailhost "no-mailhost" Warning "an entry with a mailbox has no mailHost",
    ManyMailhosts "many-mailhosts" Error "an entry has more than one mailHost",
    ShortMailhost "short-mailhost" Error "a mailHost is a short name",
    UnknownMailhost "unknown-mailhost" Error "a mailHost is the name of no server with mailboxes",
    MailhostCase "mailhost-case" Warning "a mailHost is spelt in another case than in the manifest",
    FolderWithoutTarget "folder-without-target" Error "a shared folder's entry does not name its folder",
    FolderNameCollision "folder-name-collision" Warning "several addresses deliver to the same shared folder, or a folder has the address of a person",
    MissingMember "missing-member" Warning "a member of a group does not exist, or has no address",
    GroupCycle "group-cycle" Error "a group contains itself",
    ForwardCycle "forward-cycle" Error "forwarding or aliases lead back to where they began",
    AttributeNotIndexed "attribute-not-indexed" Warning "the LDAP server has no index for an attribute that each lookup compares",
    NotModelled "not-modelled" Warning "the model cannot tell what becomes of mail",
}

impl fmt::Display for FindingCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

impl FromStr for FindingCode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut all = Self::ALL.iter().copied();
        all.find(|code| code.word() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_they_are_written() {
        for code in FindingCode::ALL {
            assert_eq!(code.word().parse(), Ok(*code));
        }
        assert_eq!("LOOP".parse::<FindingCode>(), Err(()));
    }
}
