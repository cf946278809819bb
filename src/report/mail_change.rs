//! What a plan means for mail, as lines of text.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::verify::{MailChange, MailState, StateEffect, WorseAddresses, WorseMail};

/// How many addresses of a kind are listed.
const LISTED: usize = 5;

/// How many states on the way are listed.
const STATES: usize = 8;

/// The lines, the first of them without indentation. `hosts` are the names of the model's hosts; addresses are listed only with
/// `shows_addresses`.
#[must_use]
pub fn text(change: &MailChange, hosts: &[String], waves: usize, shows_addresses: bool) -> String {
    let mut text = format!("mail: {}\n", addresses(change.addresses));
    let mut line = |words: String| {
        let _ = writeln!(text, "  {words}");
    };
    for words in at_the_end(change, shows_addresses) {
        line(words);
    }
    for state in change.states.iter().take(STATES) {
        for words in worse(&state.worse, shows_addresses) {
            line(format!(
                "on the way, {}: {words}",
                state_words(state, hosts, waves)
            ));
        }
    }
    if change.states.len() > STATES {
        line(format!(
            "on the way, in {} more states",
            change.states.len() - STATES
        ));
    }
    line(tried(change));
    for host in &change.unseen {
        line(format!(
            "`{host}` was not observed: it counts as the manifest wants it"
        ));
    }
    text
}

/// The lines about the end.
fn at_the_end(change: &MailChange, shows_addresses: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |words: String| lines.push(words);
    for ((from, to), count) in &change.moves {
        let verb = if *count == 1 { "moves" } else { "move" };
        line(format!("{} {verb} from {from} to {to}", addresses(*count)));
    }
    for words in worse(&change.worse, shows_addresses) {
        line(words);
    }
    if change.mended > 0 {
        let is = if change.mended == 1 { "is" } else { "are" };
        line(format!(
            "{} {is} delivered that {} not",
            addresses(change.mended),
            was(change.mended)
        ));
    }
    if change.not_modelled > 0 {
        line(format!(
            "{}: the model cannot tell, before or after",
            addresses(change.not_modelled)
        ));
    }
    for place in &change.vanished {
        line(format!("mail no longer enters at {place}"));
    }
    for place in &change.appeared {
        line(format!("mail can now enter at {place}"));
    }
    let is_same = change.moves.is_empty()
        && change.worse.is_empty()
        && change.mended == 0
        && change.vanished.is_empty()
        && change.appeared.is_empty();
    if is_same {
        line("no address moves, and none is worse off".to_owned());
    }
    lines
}

/// The same for programs.
#[must_use]
pub fn value(change: &MailChange, hosts: &[String], shows_addresses: bool) -> Value {
    let worse = |all: &WorseAddresses| -> Value {
        let kinds = all.iter().map(|(kind, (count, examples))| {
            let word = match kind {
                WorseMail::Looped => "looped",
                WorseMail::Bounced => "bounced",
                WorseMail::Refused => "refused",
                WorseMail::NotModelled => "not_modelled",
                WorseMail::Deferred => "deferred",
            };
            let of_kind = match shows_addresses {
                true => json!({"addresses": count, "examples": examples}),
                false => json!({"addresses": count}),
            };
            (word.to_owned(), of_kind)
        });
        Value::Object(kinds.collect())
    };
    let name = |at: usize| hosts.get(at);
    let state = |effect: &StateEffect| {
        let (wave, without, alone) = match effect.state {
            MailState::Waves(wave) => (Some(wave), None, None),
            MailState::WavesWithout(wave, host) => (Some(wave), name(host), None),
            MailState::Alone(host) => (None, None, name(host)),
        };
        json!({"after_wave": wave, "without": without, "alone": alone, "worse": worse(&effect.worse)})
    };
    let moves = change.moves.iter();
    let moves =
        moves.map(|((from, to), count)| json!({"from": from, "to": to, "addresses": count}));
    let [after_waves, without_one, alone] = change.tried;
    json!({
        "addresses": change.addresses,
        "moves": moves.collect::<Vec<_>>(),
        "worse": worse(&change.worse),
        "mended": change.mended,
        "not_modelled": change.not_modelled,
        "vanished": change.vanished,
        "appeared": change.appeared,
        "states": change.states.iter().map(state).collect::<Vec<_>>(),
        "tried": {"after_waves": after_waves, "without_one": without_one, "alone": alone, "alike": change.alike},
        "unseen": change.unseen,
    })
}

/// Why `apply` refuses: how many addresses lose mail, at the end or on the way. None if there are none.
#[must_use]
pub fn refusal(change: &MailChange) -> Option<String> {
    let (end, way) = change.losses();
    let lose = |count: usize| {
        let verb = if count == 1 { "loses" } else { "lose" };
        format!(
            "{} {verb} mail (refused for good, bounced, or in a loop)",
            addresses(count)
        )
    };
    match (end, way) {
        (0, 0) => None,
        (0, way) => Some(format!("{} while hosts are applied", lose(way))),
        (end, 0) => Some(format!("{} after this plan", lose(end))),
        (end, way) => Some(format!(
            "{} after this plan, and up to {way} more while hosts are applied",
            lose(end)
        )),
    }
}

fn addresses(count: usize) -> String {
    match count {
        1 => "1 address".to_owned(),
        count => format!("{count} addresses"),
    }
}

fn was(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// A line for each way in which mail is worse off.
fn worse(all: &WorseAddresses, shows_addresses: bool) -> Vec<String> {
    let lines = WorseMail::ALL.into_iter().filter_map(|kind| {
        let (count, examples) = all.get(&kind)?;
        let one = *count == 1;
        let becomes = match kind {
            WorseMail::Looped if one => "now loops",
            WorseMail::Looped => "now loop",
            WorseMail::Bounced if one => "now bounces",
            WorseMail::Bounced => "now bounce",
            WorseMail::Refused if one => "is now refused for good",
            WorseMail::Refused => "are now refused for good",
            WorseMail::NotModelled if one => "is no longer modelled",
            WorseMail::NotModelled => "are no longer modelled",
            WorseMail::Deferred if one => "now waits",
            WorseMail::Deferred => "now wait",
        };
        let mut line = format!("{} {becomes}", addresses(*count));
        if shows_addresses {
            let listed: Vec<&str> = examples.iter().take(LISTED).map(String::as_str).collect();
            let more = if *count > listed.len() { ", …" } else { "" };
            let _ = write!(line, ": {}{more}", listed.join(", "));
        }
        Some(line)
    });
    lines.collect()
}

fn state_words(state: &StateEffect, hosts: &[String], waves: usize) -> String {
    let name = |at: usize| hosts.get(at).map_or("", String::as_str);
    match state.state {
        MailState::Waves(wave) => format!("after wave {wave} of {waves}"),
        MailState::WavesWithout(wave, host) => {
            format!("after wave {wave} of {waves} without `{}`", name(host))
        }
        MailState::Alone(host) => format!("with `{}` alone changed", name(host)),
    }
}

fn tried(change: &MailChange) -> String {
    let [waves, without, alone] = change.tried;
    let mut line = format!(
        "tried: the end; on the way {waves} after a wave, {without} without one host of a wave, {alone} with one host alone"
    );
    if change.alike > 0 {
        let _ = write!(
            line,
            " ({} more differ from these in names only)",
            change.alike
        );
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worse_is_said_with_addresses_only_where_that_is_asked() {
        let worse: WorseAddresses = [
            (
                WorseMail::Bounced,
                (2, vec!["a@x".to_owned(), "b@x".to_owned()]),
            ),
            (WorseMail::Deferred, (1, vec!["c@x".to_owned()])),
        ]
        .into();
        let states = vec![StateEffect {
            state: MailState::WavesWithout(1, 0),
            worse: [(WorseMail::Looped, (7, vec!["d@x".to_owned()]))].into(),
        }];
        let change = MailChange {
            addresses: 9,
            moves: [(("b1".to_owned(), "b2".to_owned()), 1)].into(),
            worse,
            tried: [1, 2, 3],
            states,
            ..MailChange::default()
        };
        let hosts = ["b1".to_owned()];
        assert_eq!(
            text(&change, &hosts, 2, false),
            "mail: 9 addresses\n  1 address moves from b1 to b2\n  2 addresses now bounce\n  1 address now waits\n  on the way, after wave 1 of 2 without `b1`: 7 addresses now loop\n  tried: the end; on the way 1 after a wave, 2 without one host of a wave, 3 with one host alone\n"
        );
        assert!(text(&change, &hosts, 2, true).contains("bounce: a@x, b@x\n"));
        assert_eq!(
            refusal(&change).as_deref(),
            Some(
                "2 addresses lose mail (refused for good, bounced, or in a loop) after this plan, and up to 7 more while hosts are applied"
            )
        );
        assert_eq!(refusal(&MailChange::default()), None);
    }
}
