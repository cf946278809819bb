//! Hosts that differ in nothing but their own names and addresses: mail for others takes the same way from each of them.

use std::collections::BTreeMap;

use super::input::HostInput;
use crate::secret::Body;
use crate::state::Want;

/// The configuration of a host with marks in the place of its own names and addresses. Hosts with equal texts are twins.
pub(super) fn anonymous(input: &HostInput<'_>) -> String {
    let mut text = format!(
        "{} {} {:?} {}\n",
        input.facts.postfix_version, input.facts.distribution, input.abilities, input.service
    );
    if let Some(live) = &input.live {
        for bytes in [live.main_cf.bytes(), live.master_cf.bytes()] {
            text.push_str(&String::from_utf8_lossy(bytes));
        }
        let files: BTreeMap<&String, &String> = live.files.iter().collect();
        text.push_str(&format!("{files:?}{:?}\n", live.environment));
    }
    for (thing, want) in &input.desired.values {
        text.push_str(&format!("{thing}={want:?}\n"));
    }
    for (path, want) in &input.desired.files {
        text.push_str(path.as_str());
        if let Want::Present(file) = want {
            text.push_str(&Body::masked(&file.body));
        }
        text.push('\n');
    }
    for (mark, name) in [("\u{1}", input.name.as_str()), ("\u{2}", input.mailhost)] {
        // As it is, and as it is written in expressions, in files and in quotes.
        for separator in [".", "\\.", "\\\\."] {
            text = text.replace(&name.replace('.', separator), mark);
        }
    }
    for address in input.addresses {
        text = text.replace(address.as_str(), "\u{3}");
    }
    text
}
