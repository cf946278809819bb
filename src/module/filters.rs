//! The filters of templates: pure functions of text.

use std::net::IpAddr;

use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::growth::limited;

/// Registers every filter of ours. `folder` is that of the configuration of Postfix.
pub(super) fn register(tera: &mut Tera, folder: &str) {
    tera.register_filter("ldap_filter", |text: &str, _: Kwargs, _: &State| {
        limited(ldap_filter(text))
    });
    tera.register_filter("ldap_table", |text: &str, _: Kwargs, _: &State| {
        limited(ldap_table(text))
    });
    tera.register_filter("postfix_value", |text: &str, _: Kwargs, _: &State| {
        limited(postfix_value(text))
    });
    tera.register_filter("regexp", |text: &str, _: Kwargs, _: &State| {
        limited(regexp(text))
    });
    tera.register_filter("local_part", |text: &str, _: Kwargs, _: &State| {
        limited(local_part(text))
    });
    let folder = folder.to_owned();
    tera.register_filter(
        "ldap_tables",
        move |name: &str, arguments: Kwargs, _: &State| ldap_tables(&folder, name, &arguments),
    );
    tera.register_filter("ldap_equals", ldap_equals);
    tera.register_filter("among", among);
    tera.register_filter("outside", outside);
    tera.register_filter("network", |text: &str, _: Kwargs, _: &State| network(text));
    tera.register_filter("local_parts", local_parts);
}

/// Escapes a text for use as a value in an LDAP filter (RFC 4515, section 3).
pub(super) fn ldap_filter(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'*' | b'(' | b')' | b'\\' | 0..=0x1f | 0x7f..=0xff => {
                out.push_str(&format!("\\{byte:02x}"));
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}

/// Doubles `%`, which ldap_table(5) expands in `query_filter`, `search_base` and `result_format`.
pub(super) fn ldap_table(text: &str) -> String {
    text.replace('%', "%%")
}

/// Doubles `$`, which main.cf expands (postconf(5)), and folds runs of white space.
pub(super) fn postfix_value(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('$', "$$")
}

/// Escapes what has a meaning in a regular expression (regexp_table(5)), the delimiter too.
pub(super) fn regexp(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()[]{}|^$/".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// Quotes the local part of an address where it needs that (RFC 5321 §4.1.2): without quotes, a
/// blank or a comma would make two recipients of one.
pub(super) fn local_part(text: &str) -> String {
    let atom = |atom: &str| {
        !atom.is_empty()
            && atom.chars().all(|character| {
                character.is_ascii_alphanumeric()
                    || !character.is_ascii()
                    || "!#$%&'*+-/=?^_`{|}~".contains(character)
            })
    };
    if text.split('.').all(atom) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `vars.x | ldap_equals(of=host.ldap.prefixes)`: the attribute, `=`, and what stands before each address in its values, for
/// a `query_filter`.
fn ldap_equals(attribute: &str, arguments: Kwargs, _: &State) -> TeraResult<String> {
    let prefixes = arguments.must_get::<Value>("of")?;
    let key = tera::value::Key::from(attribute.to_owned());
    let prefix = prefixes.as_map().and_then(|map| map.get(&key));
    let prefix = prefix.and_then(Value::as_str).unwrap_or_default();
    limited(format!("{attribute}={}", ldap_table(&ldap_filter(prefix))))
}

/// `"groups" | ldap_tables(of=host.directories)`: the lookup tables of that name, one a directory. With `pipe="TABLE"`
/// each result is looked up in that table, whose answer counts.
fn ldap_tables(folder: &str, name: &str, arguments: &Kwargs) -> TeraResult<String> {
    let directories = arguments.must_get::<Vec<Value>>("of")?;
    let pipe = arguments.get::<String>("pipe")?;
    let mut tables = Vec::with_capacity(directories.len());
    for directory in &directories {
        let suffix = directory
            .as_map()
            .and_then(|map| map.get(&tera::value::Key::from("suffix")))
            .and_then(Value::as_str)
            .ok_or_else(|| Error::message("`of` is no list of directories"))?;
        let table = format!("proxy:ldap:{folder}/ldap/{name}{suffix}.cf");
        tables.push(match &pipe {
            Some(pipe) => format!("pipemap:{{{table},{pipe}}}"),
            None => table,
        });
    }
    limited(tables.join(", "))
}

/// `vars.x | among(of=murder.domains)`: what is in both lists; case does not count. Keys
/// of a map count as a list.
fn among(value: &Value, arguments: Kwargs, _: &State) -> TeraResult<Value> {
    let of = arguments.must_get::<Vec<String>>("of")?;
    let both = words(value)
        .into_iter()
        .filter(|word| of.iter().any(|other| other.eq_ignore_ascii_case(word)));
    Ok(Value::from(both.map(Value::from).collect::<Vec<Value>>()))
}

/// `addresses | local_parts(delimiter="+")`: the parts before `@`, without an extension.
fn local_parts(value: &Value, arguments: Kwargs, _: &State) -> TeraResult<Value> {
    let delimiter = arguments.must_get::<String>("delimiter")?;
    let parts = words(value).into_iter().map(|address| {
        let local = address.rsplit_once('@').map_or("", |(local, _)| local);
        Value::from(local.split(delimiter.as_str()).next().unwrap_or(local))
    });
    Ok(Value::from(parts.collect::<Vec<Value>>()))
}

/// `addresses | outside(domains=…)`: those whose domain is not in the list.
fn outside(value: &Value, arguments: Kwargs, _: &State) -> TeraResult<Value> {
    let domains = arguments.must_get::<Vec<String>>("domains")?;
    let foreign = words(value).into_iter().filter(|address| {
        // A word without a domain is no address, which is said where the variable is set.
        let domain = address.rsplit_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| !domains.iter().any(|own| own.eq_ignore_ascii_case(domain)))
    });
    Ok(Value::from(
        foreign.map(Value::from).collect::<Vec<Value>>(),
    ))
}

/// The words of a list, or the keys of a map.
fn words(value: &Value) -> Vec<String> {
    if let Some(map) = value.as_map() {
        return map.keys().map(ToString::to_string).collect();
    }
    let words = value.as_array().into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// An address or network as `mynetworks` wants it: IPv6 in brackets (postconf(5)).
pub(crate) fn network(address: &str) -> String {
    let (ip, length) = match address.split_once('/') {
        Some((ip, length)) => (ip, Some(length)),
        None => (address, None),
    };
    match (ip.parse::<IpAddr>(), length) {
        (Ok(IpAddr::V6(_)), Some(length)) => format!("[{ip}]/{length}"),
        (Ok(IpAddr::V6(_)), None) => format!("[{ip}]"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_networks_stand_in_brackets() {
        assert_eq!(network("2001:db8::/32"), "[2001:db8::]/32");
        assert_eq!(network("2001:db8::1"), "[2001:db8::1]");
        assert_eq!(network("192.0.2.0/24"), "192.0.2.0/24");
    }

    #[test]
    fn filter_values_are_escaped_by_rfc_4515() {
        assert_eq!(
            ldap_filter("a*(b)\\c\0 é"),
            "a\\2a\\28b\\29\\5cc\\00 \\c3\\a9"
        );
    }

    #[test]
    fn percent_signs_are_doubled() {
        assert_eq!(ldap_table("100% of %s"), "100%% of %%s");
    }

    #[test]
    fn dollars_and_white_space_are_tamed() {
        assert_eq!(postfix_value("a  $b\n c"), "a $$b c");
    }

    #[test]
    fn regular_expressions_match_the_text_itself() {
        assert_eq!(regexp("a.b+c/d"), "a\\.b\\+c\\/d");
    }

    #[test]
    fn a_local_part_is_quoted_where_it_must_be() {
        assert_eq!(local_part("folder+shared/memo"), "folder+shared/memo");
        assert_eq!(local_part("folder+a.b"), "folder+a.b");
        assert_eq!(local_part("folder+Big Folder"), "\"folder+Big Folder\"");
        assert_eq!(local_part("folder+a,b"), "\"folder+a,b\"");
        assert_eq!(local_part("folder+a..b"), "\"folder+a..b\"");
        assert_eq!(local_part(r#"a"b\c"#), r#""a\"b\\c""#);
    }
}
