//! Shell patterns for the names of hosts, roles and sites, and for paths.

/// Whether a shell-like pattern (`*`, `?`, `[a-c1]`, `[!x]`) matches a whole word; letters match in either case.
#[must_use]
pub fn matches(pattern: &str, word: &str) -> bool {
    let pattern: Vec<char> = pattern.to_ascii_lowercase().chars().collect();
    let word: Vec<char> = word.to_ascii_lowercase().chars().collect();
    // One place to go back to is enough: a later `*` can match whatever an earlier one matched.
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < word.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, seen));
            at += 1;
            continue;
        }
        if let Some(next) = one(&pattern, at, word[seen]) {
            at = next;
            seen += 1;
            continue;
        }
        let Some((back, taken)) = star else {
            return false;
        };
        star = Some((back, taken + 1));
        at = back + 1;
        seen = taken + 1;
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// The position in the pattern after it matched one character at `at`; nothing if it does not match.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => {
            let length = pattern[at + 1..].iter().position(|c| *c == ']')?;
            let set = &pattern[at + 1..at + 1 + length];
            let (set, negated) = match set.split_first() {
                Some(('!' | '^', rest)) => (rest, true),
                _ => (set, false),
            };
            let range =
                |part: &[char]| matches!(part, [low, '-', high] if (*low..=*high).contains(&c));
            let within = set.contains(&c) || set.windows(3).any(range);
            (within != negated).then_some(at + length + 2)
        }
        other => (*other == c).then_some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_words() {
        for (pattern, word, expected) in [
            ("backend*", "backend1.example.org", true),
            ("*", "x", true),
            ("*.example.org", "a.example.org", true),
            ("*.example.org", "a.example.org.net", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("backend?", "backend1", true),
            ("backend?", "backend12", false),
            ("backend[1-3]", "backend2", true),
            ("backend[1-3]", "backend4", false),
            ("backend[!1-3]", "backend4", true),
            ("Backend1", "backend1", true),
            ("backend", "backend1", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, word), expected, "{pattern} on {word}");
        }
    }
}
