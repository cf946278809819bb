//! Times in which nothing is applied without a reason.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::policy::{Freeze, Policy};

/// The policy and the freeze that run now; the one that ends last where several do.
#[must_use]
pub fn running(policies: &[Policy], now: SystemTime) -> Option<(&Policy, &Freeze)> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let all = policies.iter();
    let freezes = all.flat_map(|policy| policy.freezes.iter().map(move |freeze| (policy, freeze)));
    freezes
        .filter(|(_, freeze)| freeze.from <= now && now < freeze.until)
        .max_by_key(|(_, freeze)| freeze.until)
}

/// What a person is told of it, as one line.
#[must_use]
pub fn words(policy: &Policy, freeze: &Freeze) -> String {
    let reason = freeze.reason.as_deref();
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    format!(
        "changes are frozen until {} by {}{reason}",
        freeze.until_text, policy.name
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_freeze_runs_from_its_first_moment_to_its_end() {
        let freeze = |from, until| Freeze {
            from,
            until,
            until_text: until.to_string(),
            reason: Some("holidays".to_owned()),
        };
        let policies = [Policy {
            name: "`p.yaml`".to_owned(),
            freezes: vec![freeze(10, 20), freeze(15, 30)],
            ..Policy::default()
        }];
        let until = |now: u64| {
            let found = running(&policies, UNIX_EPOCH + Duration::from_secs(now));
            found.map(|(_, freeze)| freeze.until)
        };
        assert_eq!(until(9), None);
        assert_eq!(until(10), Some(20));
        assert_eq!(until(15), Some(30));
        assert_eq!(until(29), Some(30));
        assert_eq!(until(30), None);
        let said = running(&policies, UNIX_EPOCH + Duration::from_secs(12));
        let said = said.map(|(policy, freeze)| words(policy, freeze));
        let expected = "changes are frozen until 20 by `p.yaml`: holidays";
        assert_eq!(said.as_deref(), Some(expected));
    }
}
