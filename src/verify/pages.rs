//! The page of each code, from the documentation.

use super::code::FindingCode;

/// All pages: a heading `## code` before each.
const PAGES: &str = include_str!("../../docs/findings.md");

impl FindingCode {
    /// What the code means, with examples and the fix.
    #[must_use]
    pub fn page(self) -> &'static str {
        let pages = PAGES.split("\n## ").skip(1);
        let mut own = pages.filter_map(|page| page.split_once('\n'));
        own.find(|(word, _)| *word == self.word())
            .map_or("", |(_, page)| page.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_a_page_with_examples_and_a_fix() {
        for code in FindingCode::ALL {
            for part in ["\nHas it:", "\nHas it not:", "\nFix: ", "\nSource: "] {
                assert!(code.page().contains(part), "{code} {part}");
            }
        }
        assert_eq!(
            PAGES.matches("\n## ").count(),
            FindingCode::ALL.len(),
            "pages of no code"
        );
    }
}
