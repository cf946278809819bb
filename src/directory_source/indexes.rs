//! What an LDAP server says of its indexes: OpenLDAP's `cn=config`, where the login may read it.

use super::connection::LdapConnection;
use crate::directory::{ServerIndexes, normalized_dn};

/// The indexes of the database that has a base; none if the server does not show them. Only databases whose folder is
/// shown too are believed, as a server may show a part of its configuration.
pub(super) async fn of_server(
    connection: &mut LdapConnection,
    base: &str,
) -> Option<ServerIndexes> {
    let base = normalized_dn(base).ok()?;
    let attributes = ["olcSuffix", "olcDbDirectory", "olcDbIndex"].map(str::to_owned);
    let mut found: Option<(usize, Vec<String>)> = None;
    let mut take = |entry: super::entry::LdapEntry| {
        let of = |name: &str| {
            let values = entry.values.iter();
            let own = values.filter(|(own, _)| own.eq_ignore_ascii_case(name));
            own.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let suffixes = of("olcSuffix");
        let suffixes = suffixes.iter().filter_map(|name| normalized_dn(name).ok());
        let nearest = suffixes
            .filter(|suffix| is_below(&base, suffix))
            .map(|suffix| suffix.len())
            .max();
        if let Some(length) = nearest
            && !of("olcDbDirectory").is_empty()
            && found.as_ref().is_none_or(|(known, _)| *known < length)
        {
            found = Some((length, of("olcDbIndex")));
        }
        Ok(())
    };
    let filter = "(objectClass=olcMdbConfig)";
    let end = connection
        .search("cn=config", filter, &attributes, &mut take)
        .await
        .ok()?;
    if end.result.rc != 0 {
        return None;
    }
    let (_, values) = found?;
    let values = values.iter().map(String::as_str);
    Some(ServerIndexes::of_openldap(&connection.uri, values))
}

/// Whether a normalized name is another one, or below it.
pub(super) fn is_below(name: &str, above: &str) -> bool {
    above.is_empty()
        || name == above
        || name
            .strip_suffix(above)
            .is_some_and(|rest| rest.ends_with(','))
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn names_below_others_are_known() {
        for (name, above, expected) in [
            ("dc=x", "dc=x", true),
            ("ou=a,dc=x", "dc=x", true),
            ("dc=x", "ou=a,dc=x", false),
            ("odc=x", "dc=x", false),
            ("dc=x", "", true),
        ] {
            assert_eq!(is_below(name, above), expected, "{name} {above}");
        }
    }
}
