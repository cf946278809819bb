//! One entry of a search, from the bytes of LDAP (RFC 4511, section 4.5.2). A malformed one is none.

use ldap3::asn1::{PL, StructureTag};

/// An entry as a server sent it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LdapEntry {
    pub(super) dn: String,
    /// Attributes with their values, in the server's order.
    pub(super) values: Vec<(String, String)>,
}

/// Reads an entry; none if the message has another form. Bytes that are not UTF-8 become `U+FFFD`, as when LDIF is read.
pub(super) fn entry(message: StructureTag) -> Option<LdapEntry> {
    let [dn, attributes] = <[StructureTag; 2]>::try_from(list(message)?).ok()?;
    let mut values = Vec::new();
    for attribute in list(attributes)? {
        let [name, own] = <[StructureTag; 2]>::try_from(list(attribute)?).ok()?;
        let name = text(name)?;
        for value in list(own)? {
            values.push((name.clone(), text(value)?));
        }
    }
    Some(LdapEntry {
        dn: text(dn)?,
        values,
    })
}

fn list(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn text(tag: StructureTag) -> Option<String> {
    match tag.payload {
        PL::P(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        PL::C(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use ldap3::asn1::TagClass;

    use super::*;

    fn tag(payload: PL) -> StructureTag {
        StructureTag {
            class: TagClass::Universal,
            id: 4,
            payload,
        }
    }

    fn bytes(text: &[u8]) -> StructureTag {
        tag(PL::P(text.to_vec()))
    }

    fn read(parts: Vec<StructureTag>) -> Option<LdapEntry> {
        entry(tag(PL::C(parts)))
    }

    #[test]
    fn an_entry_is_read_and_a_malformed_one_is_none() {
        let mail = |values| tag(PL::C(vec![bytes(b"mail"), values]));
        let values = tag(PL::C(vec![bytes(b"a@x"), bytes(b"\xffb@x")]));
        let attributes = tag(PL::C(vec![mail(values)]));
        let expected = LdapEntry {
            dn: "uid=a".to_owned(),
            values: vec![
                ("mail".to_owned(), "a@x".to_owned()),
                ("mail".to_owned(), "\u{fffd}b@x".to_owned()),
            ],
        };
        assert_eq!(read(vec![bytes(b"uid=a"), attributes]), Some(expected));
        for wrong in [
            vec![],
            vec![bytes(b"uid=a")],
            vec![bytes(b"uid=a"), bytes(b"mail")],
            vec![tag(PL::C(vec![])), tag(PL::C(vec![]))],
            vec![bytes(b"uid=a"), tag(PL::C(vec![mail(bytes(b"a@x"))]))],
            vec![bytes(b"uid=a"), tag(PL::C(vec![tag(PL::C(vec![]))]))],
        ] {
            assert_eq!(read(wrong), None);
        }
    }
}
