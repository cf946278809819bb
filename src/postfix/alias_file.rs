//! Alias files (aliases(5)): lines of `name: value, value`, which postalias(1) reads.

use super::lines::logical_lines;

/// A line that postalias(1) skips with a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasProblem {
    /// The number of its first line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The lines that postalias(1) skips with a warning.
#[must_use]
pub fn alias_problems(text: &str) -> Vec<AliasProblem> {
    let lines = logical_lines(text.as_bytes());
    let problems = lines.iter().filter_map(|line| {
        let problem = match line.dropped {
            true => Some("it begins with white space, and continues no line"),
            false => problem_of(&String::from_utf8_lossy(&line.text)),
        };
        Some(AliasProblem {
            line: line.first,
            problem: problem?,
        })
    });
    problems.collect()
}

/// What is wrong with a line. As in an address (RFC 5322), characters in double quotes, in parentheses and behind a
/// backslash have no meaning here; postalias(1) takes text in parentheses for a name, too.
fn problem_of(line: &str) -> Option<&'static str> {
    const NO_PAIR: &str = "it is no `name: value`";
    let (mut quoted, mut comment, mut escaped) = (false, 0_usize, false);
    let (mut name, mut has_at, mut has_comma) = (false, false, false);
    for (at, letter) in line.char_indices() {
        if escaped {
            (escaped, name) = (false, name || comment == 0);
            continue;
        }
        match letter {
            '\\' => escaped = true,
            '"' if comment == 0 => (quoted, name) = (!quoted, true),
            _ if quoted => {}
            '(' => (comment, name) = (comment + 1, true),
            ')' if comment > 0 => comment -= 1,
            _ if comment > 0 => {}
            ':' => {
                let value = line.get(at + 1..).unwrap_or_default();
                return if !name || has_comma || value.trim().is_empty() {
                    Some(NO_PAIR)
                } else {
                    has_at.then_some("the name before the colon must have no domain")
                };
            }
            '@' => has_at = true,
            ',' => has_comma = true,
            letter => name = name || !letter.is_whitespace(),
        }
    }
    Some(NO_PAIR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_pairs_of_a_local_name_and_a_value() {
        let good = "root: admin@example.org\n# a comment\n\"a b:c\": :include:/etc/list,\n  |/bin/x\nx (y: z): /dev/null\n\"x@y\": z\nnobody: \"\"\na\\:b: c\n";
        assert_eq!(alias_problems(good), []);
        for bad in [
            "root admin",
            ": x",
            "root:",
            "root: \n",
            "a, b: c",
            "root@example.org: x",
            "\"root: x",
            " root: x",
        ] {
            let text = format!("# one\n{bad}\n");
            let lines: Vec<usize> = alias_problems(&text).iter().map(|one| one.line).collect();
            assert_eq!(lines, [2], "{bad}");
        }
    }

    /// Compares with postalias(1) where this machine has it.
    #[test]
    fn postalias_is_of_the_same_opinion() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let main_cf = folder.path().join("main.cf");
        std::fs::write(&main_cf, "compatibility_level = 3.6\n")?;
        for line in [
            "root: x",
            "root x",
            "a, b: c",
            "root@x: y",
            "\"r x\": y",
            "r (a:b): c",
            "(c): d",
            "r: ",
            "r: \"\"",
            "\"\": x",
            ": :include:/x",
            "r: :include:/x",
            "a:b:c",
            "\\a: b",
        ] {
            let path = folder.path().join("aliases");
            std::fs::write(&path, format!("{line}\n"))?;
            let run = std::process::Command::new("/usr/sbin/postalias")
                .arg("-c")
                .arg(folder.path())
                .arg(format!("hash:{}", path.display()))
                .output();
            let Ok(output) = run else {
                return Ok(());
            };
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let warns = said.contains("need name:value") || said.contains("must be local");
            assert_eq!(warns, !alias_problems(line).is_empty(), "{line}: {said}");
        }
        Ok(())
    }
}
