//! Matching rules of attributes (RFC 4517): when two values of an attribute are equal.

use std::borrow::Cow;

/// How values of an attribute are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatchingRule {
    /// Case and runs of blanks do not matter (caseIgnoreMatch).
    CaseIgnore,
    /// The same for ASCII only (caseIgnoreIA5Match): a value with other characters equals none.
    CaseIgnoreIa5,
    /// Case matters (caseExactMatch, caseExactIA5Match).
    CaseExact,
    /// The values are distinguished names (distinguishedNameMatch, uniqueMemberMatch).
    Name,
    /// The values are names of object classes, and a class is also its superior classes (objectIdentifierMatch).
    ObjectClass,
}

/// Attributes whose values are distinguished names.
const NAMES: [&str; 12] = [
    "aliasedobjectname",
    "creatorsname",
    "distinguishedname",
    "entrydn",
    "manager",
    "member",
    "memberof",
    "modifiersname",
    "owner",
    "roleoccupant",
    "seealso",
    "uniquemember",
];

/// Attributes whose case matters, in the schemas of OpenLDAP, 389 Directory Server and Kolab.
const EXACT: [&str; 9] = [
    "gecos",
    "homedirectory",
    "kolabtargetfolder",
    "labeleduri",
    "loginshell",
    "mailmessagestore",
    "memberuid",
    "memberurl",
    "userpassword",
];

/// Attributes whose syntax is IA5String.
const IA5: [&str; 14] = [
    "alias",
    "associateddomain",
    "dc",
    "email",
    "emailaddress",
    "kolaballowsmtprecipient",
    "kolabfoldertype",
    "mail",
    "mailalternateaddress",
    "mailforwardingaddress",
    "mailhost",
    "maillocaladdress",
    "mailroutingaddress",
    "rfc822mailbox",
];

/// The superior classes of classes that mail directories use (RFC 4519, RFC 2798).
const SUPERIORS: [(&str, &str); 8] = [
    ("inetorgperson", "organizationalperson"),
    ("organizationalperson", "person"),
    ("residentialperson", "person"),
    ("person", "top"),
    ("organizationalunit", "top"),
    ("organization", "top"),
    ("groupofnames", "top"),
    ("groupofuniquenames", "top"),
];

impl MatchingRule {
    /// The rule of an attribute, given in lower case; attributes that are not known ignore case.
    pub(super) fn of(attribute: &str) -> Self {
        let base = attribute.split(';').next().unwrap_or_default();
        match base {
            "objectclass" => Self::ObjectClass,
            base if NAMES.contains(&base) => Self::Name,
            base if EXACT.contains(&base) => Self::CaseExact,
            base if IA5.contains(&base) => Self::CaseIgnoreIa5,
            _ => Self::CaseIgnore,
        }
    }

    /// The form of a value under which equal values are equal texts; none if the value has not the attribute's syntax.
    pub(super) fn normalized(self, value: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::CaseExact => Some(squeezed(value)),
            Self::CaseIgnore => Some(lowered(squeezed(value))),
            Self::CaseIgnoreIa5 => value.is_ascii().then(|| lowered(squeezed(value))),
            Self::ObjectClass => Some(Cow::Owned(value.trim().to_ascii_lowercase())),
            Self::Name => super::dn::normalized_dn(value).ok().map(Cow::Owned),
        }
    }
}

/// A value without blanks at its ends, each run of blanks as one.
fn squeezed(value: &str) -> Cow<'_, str> {
    if !value.as_bytes().contains(&b' ') {
        return Cow::Borrowed(value);
    }
    let words = value.split(' ').filter(|word| !word.is_empty());
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}

/// A value in lower case.
#[must_use]
pub fn lowered<'a>(value: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
    let value = value.into();
    let is_lower = |byte: &u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    match value.as_bytes().iter().all(is_lower) {
        true => value,
        false => Cow::Owned(value.to_lowercase()),
    }
}

/// The superior classes of an object class, given in lower case.
pub(super) fn superior_classes(class: &str) -> impl Iterator<Item = &'static str> {
    let superior = |class: &str| {
        let found = SUPERIORS.iter().find(|(name, _)| *name == class);
        found.map(|(_, superior)| *superior)
    };
    std::iter::successors(superior(class), move |class| superior(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4517, section 4.2, and the schemas named above.
    #[test]
    fn attributes_have_their_rules() {
        for (attribute, left, right, same) in [
            ("mail", "John@Example.ORG", "john@example.org", true),
            (
                "mailhost",
                "BACKEND1.example.org",
                "backend1.example.org",
                true,
            ),
            ("cn", "Ünal  Oz", "ünal oz", true),
            ("kolabtargetfolder", "shared/Memo@x", "shared/memo@x", false),
            ("uniquemember", "UID=a, dc=x", "uid=a,dc=x", true),
            ("mail", "ü@example.org", "ü@example.org", false),
            ("sn", " Doe ", "doe", true),
        ] {
            let rule = MatchingRule::of(attribute);
            let left = rule.normalized(left);
            assert_eq!(
                left.is_some() && left == rule.normalized(right),
                same,
                "{attribute}"
            );
        }
        let superiors: Vec<&str> = superior_classes("inetorgperson").collect();
        assert_eq!(superiors, ["organizationalperson", "person", "top"]);
    }
}
