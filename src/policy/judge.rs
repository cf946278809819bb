//! Judges the desired state of one host by rules.

use super::host::{PolicyHost, Violation, files};
use super::{Demand, FileDemand, PolicyRule, ValueDemand, mistakes};
use crate::name::{Parameter, ServiceName};
use crate::postfix::catalogue::{amount, lists, same_meaning, tls_strictness};
use crate::postfix::configuration::covers;
use crate::postfix::split_list;
use crate::state::{File, Want};
use crate::thing::Thing;

/// Every way in which a host breaks a rule; none where the rule is not about it.
#[must_use]
pub fn violations(rule: &PolicyRule, host: &PolicyHost<'_>) -> Vec<Violation> {
    let by_role = rule.roles.is_empty() || rule.roles.iter().any(|role| host.roles.contains(role));
    let provides = |word: &String| host.provides.contains(word.as_str());
    let by_module = rule.provides.is_empty() || rule.provides.iter().any(provides);
    if !by_role || !by_module {
        return Vec::new();
    }
    match &rule.demand {
        Demand::Parameter(name, service, demand) => parameter(host, name, service.as_ref(), demand),
        Demand::NoService(name) => no_service(host, name),
        Demand::Service(name, columns) => {
            if no_service(host, name).is_empty() {
                return vec![Violation::missing(format!(
                    "no manifest key or module sets the service `{name}`"
                ))];
            }
            columns
                .iter()
                .filter_map(|(field, wanted)| {
                    let thing = Thing::Field(name.clone(), *field);
                    match host.wanted.values.get(&thing) {
                        Some(Want::Present(text)) if text == wanted => None,
                        Some(Want::Present(text)) => Some(Violation::of(
                            &thing,
                            format!("`{thing}` is `{text}`, not `{wanted}`"),
                        )),
                        _ => Some(Violation::missing(format!(
                            "no manifest key or module sets `{thing}`, which must be `{wanted}`"
                        ))),
                    }
                })
                .collect()
        }
        Demand::NoFile(pattern) => files(host, pattern)
            .map(|(thing, _)| {
                let what = format!("`{thing}` is a managed file");
                Violation::of(&thing, what)
            })
            .collect(),
        Demand::File(pattern, demand) => files(host, pattern)
            .flat_map(|(thing, file)| file_demand(&thing, file, demand))
            .collect(),
        Demand::No(mistake) => mistakes::violations(*mistake, host),
    }
}

fn file_demand(thing: &Thing, file: &File, demand: &FileDemand) -> Vec<Violation> {
    let mut found = Vec::new();
    for (what, is, wanted) in [
        ("owner", &file.owner, &demand.owner),
        ("group", &file.group, &demand.group),
    ] {
        if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != is) {
            let what = format!("the {what} of `{thing}` is `{is}`, not `{wanted}`");
            found.push(Violation::of(thing, what));
        }
    }
    if let Some(most) = demand.mode
        && file.mode.bits() & !most.bits() != 0
    {
        let what = format!("the mode of `{thing}` is {}, more than {most}", file.mode);
        found.push(Violation::of(thing, what));
    }
    found
}

/// The parts of a service that the host must have.
fn no_service(host: &PolicyHost<'_>, name: &ServiceName) -> Vec<Violation> {
    let part = host.wanted.values.iter().find(|(thing, want)| {
        let of = match thing {
            Thing::Service(of) | Thing::Field(of, _) | Thing::Option(of, _) => of,
            Thing::File(_) | Thing::Parameter(_) => return false,
        };
        of == name && matches!(want, Want::Present(_))
    });
    part.map(|(thing, _)| Violation::of(thing, format!("the manifest manages `{name}`")))
        .into_iter()
        .collect()
}

/// Every value of the parameter that the host must have: in main.cf, and in the options of services.
fn parameter(
    host: &PolicyHost<'_>,
    name: &Parameter,
    service: Option<&ServiceName>,
    demand: &ValueDemand,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut set = false;
    for (thing, want) in &host.wanted.values {
        let view = match (thing, service) {
            (Thing::Parameter(one), _) if one == name => host.configuration.main(),
            (Thing::Option(of, one), None) if one == name => host.configuration.service(of),
            (Thing::Option(of, one), Some(only)) if one == name && of == only => {
                host.configuration.service(of)
            }
            _ => continue,
        };
        // An option of the service takes the place of main.cf.
        let hidden = service.is_some_and(|only| {
            let option = Thing::Option(only.clone(), name.clone());
            matches!(thing, Thing::Parameter(_))
                && matches!(host.wanted.values.get(&option), Some(Want::Present(_)))
        });
        let Want::Present(text) = want else { continue };
        set |= matches!(thing, Thing::Parameter(_)) || service.is_some();
        if hidden {
            continue;
        }
        let expanded = view.expand(text).text.unwrap_or_else(|_| text.clone());
        let wrong = value_demand(name.as_str(), &expanded, demand);
        found.extend(wrong.map(|what| Violation::of(thing, format!("`{thing}` {what}"))));
    }
    let needs_a_value = !matches!(demand, ValueDemand::Not(_));
    if !set && needs_a_value {
        let place = match service {
            Some(service) => format!("`{name}`, neither in main.cf nor for `{service}`"),
            None => format!("`{name}`"),
        };
        found.push(Violation::missing(format!(
            "no manifest key or module sets {place}; {}",
            wanted(demand)
        )));
    }
    found
}

/// What a rule wants of a value, as a clause.
fn wanted(demand: &ValueDemand) -> String {
    match demand {
        ValueDemand::Is(text) => format!("it must be `{text}`"),
        ValueDemand::Has(words) => format!("it must have `{}`", words.join("`, `")),
        ValueDemand::Not(words) => format!("it must not be `{}`", words.join("`, `")),
        ValueDemand::OneOf(words) => format!("it must be one of `{}`", words.join("`, `")),
        ValueDemand::AtLeast(text) => format!("it must be at least `{text}`"),
        ValueDemand::AtMost(text) => format!("it must be at most `{text}`"),
    }
}

/// How much a value is: a number, seconds, or the strictness of a level of TLS. None where values of the parameter have no order.
pub(super) fn measure(name: &str, text: &str) -> Option<i64> {
    tls_strictness(name, text).or_else(|| amount(name, text))
}

/// How a value breaks a demand, as a clause; none where it keeps it.
fn value_demand(name: &str, text: &str, demand: &ValueDemand) -> Option<String> {
    let same = |word: &String| same_meaning(name, text, word);
    let is = || format!("is `{text}`; {}", wanted(demand));
    let members = || split_list(text);
    match demand {
        ValueDemand::Is(word) => (!same(word)).then(is),
        ValueDemand::Has(words) => {
            let members = members();
            let lacks = words
                .iter()
                .find(|word| !members.iter().any(|member| covers(member, word)))?;
            Some(format!("lacks `{lacks}`"))
        }
        ValueDemand::Not(words) if lists::is_list(name) || words.iter().all(|word| !same(word)) => {
            let members = members();
            let bad = members
                .iter()
                .find(|member| words.iter().any(|word| covers(member, word)))?;
            let holds_list = lists::is_list(name) || members.len() > 1;
            holds_list.then(|| format!("has `{bad}`, which is forbidden"))
        }
        ValueDemand::Not(_) => Some(format!("is `{text}`, which is forbidden")),
        ValueDemand::OneOf(words) if lists::is_list(name) => {
            let members = members();
            let other = members
                .iter()
                .find(|member| !words.iter().any(|word| covers(word, member)))?;
            Some(format!(
                "has `{other}`; it may only have `{}`",
                words.join("`, `")
            ))
        }
        ValueDemand::OneOf(words) => (!words.iter().any(same)).then(is),
        ValueDemand::AtLeast(least) => {
            let keeps = measure(name, text)
                .is_some_and(|is| measure(name, least).is_some_and(|least| is >= least));
            (!keeps).then(is)
        }
        ValueDemand::AtMost(most) => {
            let keeps = measure(name, text)
                .is_some_and(|is| measure(name, most).is_some_and(|most| is <= most));
            (!keeps).then(is)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_or_break_what_is_demanded() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let one = str::to_owned;
        for (name, text, demand, keeps) in [
            (
                "smtpd_helo_required",
                "YES",
                ValueDemand::Is(one("yes")),
                true,
            ),
            (
                "smtpd_helo_required",
                "no",
                ValueDemand::Is(one("yes")),
                false,
            ),
            (
                "smtp_helo_timeout",
                "5m",
                ValueDemand::AtMost(one("300s")),
                true,
            ),
            (
                "smtp_helo_timeout",
                "6m",
                ValueDemand::AtMost(one("300s")),
                false,
            ),
            (
                "message_size_limit",
                "1000",
                ValueDemand::AtLeast(one("1001")),
                false,
            ),
            (
                "message_size_limit",
                "$x",
                ValueDemand::AtLeast(one("1")),
                false,
            ),
            (
                "smtp_tls_security_level",
                "encrypt",
                ValueDemand::AtLeast(one("may")),
                true,
            ),
            (
                "smtp_tls_security_level",
                "none",
                ValueDemand::AtLeast(one("may")),
                false,
            ),
            (
                "mynetworks",
                "127.0.0.0/8, 0.0.0.0/0",
                ValueDemand::Not(words("192.0.2.1")),
                false,
            ),
            (
                "mynetworks",
                "127.0.0.0/8",
                ValueDemand::Not(words("192.0.2.1")),
                true,
            ),
            (
                "mynetworks",
                "127.0.0.1",
                ValueDemand::OneOf(words("127.0.0.0/8 [::1]")),
                true,
            ),
            (
                "mynetworks",
                "127.0.0.1 10.0.0.1",
                ValueDemand::OneOf(words("127.0.0.0/8")),
                false,
            ),
            (
                "smtpd_tls_security_level",
                "none",
                ValueDemand::Not(words("none")),
                false,
            ),
            (
                "smtpd_tls_security_level",
                "may",
                ValueDemand::Not(words("none")),
                true,
            ),
            (
                "smtpd_tls_security_level",
                "may",
                ValueDemand::OneOf(words("encrypt may")),
                true,
            ),
            (
                "smtpd_tls_security_level",
                "",
                ValueDemand::OneOf(words("encrypt may")),
                false,
            ),
            (
                "smtpd_tls_mandatory_protocols",
                ">=TLSv1.2",
                ValueDemand::Is(one(">=TLSv1.2")),
                true,
            ),
            (
                "smtpd_relay_restrictions",
                "permit_mynetworks,reject",
                ValueDemand::Has(words("reject")),
                true,
            ),
            (
                "smtpd_relay_restrictions",
                "permit_mynetworks",
                ValueDemand::Has(words("reject")),
                false,
            ),
        ] {
            let wrong = value_demand(name, text, &demand);
            assert_eq!(
                wrong.is_none(),
                keeps,
                "{name} = {text}, {demand:?}: {wrong:?}"
            );
        }
    }
}
