//! The faults of a class of addresses: which of them count.

use super::code::FindingCode;
use super::places::EntryPlace;

/// What was found for a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassFault {
    /// The code.
    pub code: FindingCode,
    /// Where it shows.
    pub place: EntryPlace,
    /// The hosts that have the fault, sorted.
    pub hosts: Vec<String>,
    /// Why, in words.
    pub why: String,
    /// Whose mail it is at the end of the route: a message for a group has several ends.
    pub(super) recipient: String,
    /// What the address has to be extended by to see the fault, as `+x`; empty if it shows without.
    pub extension: String,
}

/// Leaves out what is only a consequence: of a loop, of a table that fails, or of a worse fault of the same route.
pub(super) fn keep_causes(faults: &mut Vec<ClassFault>) {
    const ROUTE: [FindingCode; 5] = [
        FindingCode::Loop,
        FindingCode::Backscatter,
        FindingCode::NoSuchMailbox,
        FindingCode::MapsDisagree,
        FindingCode::Undeliverable,
    ];
    faults.retain(|fault| !fault.why.contains("bad search filter"));
    let has = |code: &FindingCode| faults.iter().any(|fault| fault.code == *code);
    let worst = ROUTE.iter().copied().find(has);
    let of_worst: Vec<(EntryPlace, String)> = faults
        .iter()
        .filter(|fault| Some(fault.code) == worst)
        .map(|fault| (fault.place, fault.recipient.clone()))
        .collect();
    // Another end of the same message has a fault of its own.
    let is_other_end = |fault: &ClassFault| {
        let mut worst = of_worst.iter();
        worst.all(|(place, recipient)| *place == fault.place && *recipient != fault.recipient)
    };
    faults.retain(|fault| {
        !ROUTE.contains(&fault.code) || Some(fault.code) == worst || is_other_end(fault)
    });
}

/// Adds a fault. One that shows at several places is one; what the model cannot tell is one for each reason, and so are
/// several ends of one message.
pub(super) fn add(fault: ClassFault, faults: &mut Vec<ClassFault>) {
    let is_unknown = fault.code == FindingCode::NotModelled;
    let known = faults.iter_mut().find(|known| {
        let is_same = (&known.hosts, &known.why) == (&fault.hosts, &fault.why);
        let is_other_end = known.place == fault.place && known.recipient != fault.recipient;
        known.code == fault.code && (is_same || !is_unknown && !is_other_end)
    });
    match known {
        Some(known) => {
            let new = fault.hosts.into_iter();
            let new: Vec<String> = new.filter(|host| !known.hosts.contains(host)).collect();
            known.hosts.extend(new);
            known.hosts.sort_unstable();
        }
        None => faults.push(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Entry;
    use crate::verify::places::PlaceKind;

    /// The place where a fault shows first depends on where mail enters, and the order of the hosts does not.
    #[test]
    fn the_hosts_of_a_fault_are_sorted() {
        let fault = |place, host: &str| ClassFault {
            code: FindingCode::Loop,
            place: EntryPlace {
                host: place,
                kind: PlaceKind::Submitted,
                entry: Entry::Submit(place),
                twin: place,
            },
            hosts: vec![host.to_owned()],
            why: "it loops".to_owned(),
            recipient: String::new(),
            extension: String::new(),
        };
        let mut faults = Vec::new();
        for (place, host) in [(0, "b"), (1, "c"), (2, "a"), (3, "b")] {
            add(fault(place, host), &mut faults);
        }
        let hosts: Vec<&[String]> = faults.iter().map(|fault| fault.hosts.as_slice()).collect();
        assert_eq!(hosts, [["a", "b", "c"].map(str::to_owned)]);
    }
}
