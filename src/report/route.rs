//! The route of an address, for people: hop by hop what decided, with the generated line and the manifest's line.

use std::fmt::Write as _;

use crate::mail::table::AnswerPlace;
use crate::mail::{Arrival, EndAction, Hit, Hop, HopRoute, MailTrace};
use crate::visible::visible;

/// Where the manifest or a module says a thing of a host, given the host and a parameter or a path: `m.yaml:12`.
pub type OriginOf<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

/// Writes the route of one address.
#[must_use]
pub fn text(trace: &MailTrace, origin: OriginOf<'_>) -> String {
    let mut text = headline(trace);
    for (number, hop) in trace.hops.iter().enumerate() {
        write_hop(number + 1, hop, origin, &mut text);
    }
    if trace.ends.len() > 1 || trace.hops.is_empty() || trace.verdict() != EndAction::Delivered {
        for end in &trace.ends {
            let mut line = format!(
                "  {} {} at {}",
                visible(&end.recipient),
                end.action.word(),
                end.host
            );
            let why = if end.reason.is_empty() {
                &end.via
            } else {
                &end.reason
            };
            if !why.is_empty() {
                let _ = write!(line, ": {}", visible(why));
            }
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The address, and in one line what becomes of its mail.
fn headline(trace: &MailTrace) -> String {
    let address = visible(&trace.address);
    let verdict = trace.verdict();
    let worst: Vec<_> = trace
        .ends
        .iter()
        .filter(|end| end.action == verdict)
        .collect();
    let end = match worst.as_slice() {
        [] => String::new(),
        [end] if verdict == EndAction::NotModelled => format!(": because {}", visible(&end.reason)),
        [end] => {
            let via = if end.via.is_empty() {
                String::new()
            } else {
                format!(" ({})", visible(&end.via))
            };
            let why = match end.is_assumed() {
                true => format!(": {}", visible(&end.reason)),
                false => String::new(),
            };
            format!(" at {}{via}{why}", end.host)
        }
        ends if verdict == EndAction::Delivered => format!(" to {} recipients", ends.len()),
        ends => format!(" for {} of {} recipients", ends.len(), trace.ends.len()),
    };
    format!("{address}: {}{end}\n", verdict.word())
}

fn write_hop(number: usize, hop: &Hop, origin: OriginOf<'_>, text: &mut String) {
    let arrival = match &hop.arrival {
        Arrival::Smtp(from) => format!("from {from}"),
        Arrival::Submitted => "submitted here".to_owned(),
    };
    let reply = hop.reply.as_ref().map_or(String::new(), |(reply, _)| {
        format!(
            ": {} {} {}",
            reply.code,
            reply.enhanced,
            visible(&reply.text)
        )
    });
    let _ = writeln!(
        text,
        "{number:>3}  {}  {arrival}, for {}{reply}",
        hop.host,
        visible(&hop.recipient)
    );
    if let Some((_, Some(hit))) = &hop.reply {
        let _ = writeln!(text, "       checked by {}", source(&hop.host, hit, origin));
    }
    for hit in &hop.rewriting {
        let (key, value) = (visible(&hit.key), visible(&hit.answer.value));
        let _ = writeln!(
            text,
            "       {key} → {value}   {}",
            source(&hop.host, hit, origin)
        );
    }
    for copy in &hop.copies {
        let decided = match &copy.hit {
            Some(hit) => source(&hop.host, hit, origin),
            None => parameter(&hop.host, copy.parameter, origin),
        };
        let recipient = match &copy.recipient {
            Some(recipient) => format!(" to {}", visible(recipient)),
            None => ": not modelled, because its recipient depends on the sender".to_owned(),
        };
        let _ = writeln!(text, "       a copy{recipient}   {decided}");
    }
    for route in &hop.routes {
        let decided = decided(&hop.host, route, origin);
        let recipient = visible(&route.recipient);
        let class = route.class_name();
        let _ = writeln!(
            text,
            "       {recipient} ({class}) via {}   {decided}",
            visible(&route.via)
        );
    }
}

/// What decided a route: a table entry, or parameters.
fn decided(host: &str, route: &HopRoute, origin: OriginOf<'_>) -> String {
    if let Some(hit) = &route.hit {
        return source(host, hit, origin);
    }
    let named = route.parameters.iter();
    let named = named.map(|name| parameter(host, name, origin));
    named.collect::<Vec<_>>().join(", ")
}

/// A parameter, with the line of the manifest that sets it.
fn parameter(host: &str, name: &str, origin: OriginOf<'_>) -> String {
    let place = origin(host, name);
    place.map_or(name.to_owned(), |place| format!("{name} ({place})"))
}

/// The parameter, the table and the line of an entry, and the line of the manifest behind it.
fn source(host: &str, hit: &Hit, origin: OriginOf<'_>) -> String {
    let (place, file) = match &hit.answer.place {
        AnswerPlace::Line(file, line) => (format!("{}:{line}", short(file)), Some(file)),
        AnswerPlace::Entry(file, entry) => {
            let name = visible(entry.split(',').next().unwrap_or_default());
            (format!("{} {name}", short(file)), Some(file))
        }
        AnswerPlace::Name => (visible(&hit.table), None),
    };
    let behind = file.map_or_else(|| origin(host, &hit.parameter), |file| origin(host, file));
    let behind = behind.map_or(String::new(), |behind| format!(" ({behind})"));
    format!("{} {place}{behind}", hit.parameter)
}

/// A path of Postfix's folder without the folder.
fn short(path: &str) -> &str {
    path.strip_prefix("/etc/postfix/").unwrap_or(path)
}
