//! Templates with `%s`, `%u`, `%d` and `%1` to `%9` (ldap_table(5)).

/// A text with place-holders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTemplate(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(char),
}

/// What the templates of one table need of the key and of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    key_user: bool,
    key_domain: bool,
    value_user: bool,
    value_domain: bool,
    /// How many labels the domain of the key must have.
    labels: usize,
}

impl KeyTemplate {
    /// Reads a template; none if it has an unknown place-holder, at which Postfix programs stop.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match (c, c == '%') {
                (_, true) => match rest.next()? {
                    '%' => plain.push('%'),
                    letter if "sudSUD123456789".contains(letter) => {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                        pieces.push(Piece::Placeholder(letter));
                    }
                    _ => return None,
                },
                (c, false) => plain.push(c),
            }
        }
        pieces.push(Piece::Text(plain));
        Some(Self(pieces))
    }

    /// Whether it has a place-holder.
    #[must_use]
    pub fn is_dynamic(&self) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Placeholder(_)))
    }

    /// The text with each place-holder replaced.
    pub fn fill(&self, value: &dyn Fn(char) -> String) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Placeholder(letter) => text.push_str(&value(*letter)),
            }
        }
        text
    }
}

impl Needs {
    /// Adds the needs of a template: of a query, or of a result.
    pub fn add(&mut self, template: &KeyTemplate, is_query: bool) {
        for piece in &template.0 {
            let Piece::Placeholder(letter) = piece else {
                continue;
            };
            match letter {
                'u' if is_query => self.key_user = true,
                'u' => self.value_user = true,
                'd' if is_query => self.key_domain = true,
                'd' => self.value_domain = true,
                'U' => self.key_user = true,
                'D' => self.key_domain = true,
                digit => {
                    if let Some(labels) = digit.to_digit(10) {
                        self.key_domain = true;
                        self.labels = self.labels.max(labels as usize);
                    }
                }
            }
        }
    }

    /// Whether a key has all that the templates need; without it the table is not asked.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        if key.is_empty() || !has(key, self.key_user, self.key_domain) {
            return false;
        }
        let labels = domain_of(key)
            .unwrap_or_default()
            .rsplit('.')
            .take(self.labels);
        self.labels == 0 || labels.filter(|label| !label.is_empty()).count() == self.labels
    }

    /// Whether a result has all that the templates need; without it the result is left out.
    #[must_use]
    pub fn has_value(&self, value: &str) -> bool {
        !value.is_empty() && has(value, self.value_user, self.value_domain)
    }
}

fn has(text: &str, needs_user: bool, needs_domain: bool) -> bool {
    if !needs_user && !needs_domain {
        return true;
    }
    let domain = domain_of(text);
    let lacks_domain = needs_domain && domain.is_none_or(str::is_empty);
    let lacks_user = needs_user && text.rfind('@') == Some(0);
    !lacks_domain && !lacks_user
}

fn domain_of(text: &str) -> Option<&str> {
    text.rsplit_once('@').map(|(_, domain)| domain)
}

/// What a place-holder stands for. Lower-case letters are of the value, upper-case letters and digits of the key.
#[must_use]
pub fn placeholder(letter: char, value: &str, key: &str) -> String {
    let of = if letter.is_ascii_lowercase() {
        value
    } else {
        key
    };
    let (user, domain) = of.rsplit_once('@').unwrap_or((of, ""));
    match letter.to_ascii_lowercase() {
        's' => of.to_owned(),
        'u' => user.to_owned(),
        'd' => domain.to_owned(),
        digit => {
            let label = digit.to_digit(10).map_or(0, |digit| digit as usize);
            domain
                .rsplit('.')
                .nth(label.saturating_sub(1))
                .unwrap_or_default()
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ldap_table(5), `query_filter` and `result_format`.
    #[test]
    fn place_holders_stand_for_parts_of_addresses() {
        for (template, text) in [
            ("%s", "v@w.org"),
            ("\"folder+%u\"@%d", "\"folder+v\"@w.org"),
            ("%U.%D.%S", "k.mail.example.org.k@mail.example.org"),
            ("%1-%2-%3", "org-example-mail"),
            ("100%%", "100%"),
        ] {
            let read = KeyTemplate::read(template).unwrap_or(KeyTemplate(Vec::new()));
            let value = |letter| placeholder(letter, "v@w.org", "k@mail.example.org");
            assert_eq!(read.fill(&value), text, "{template}");
        }
        assert_eq!(KeyTemplate::read("%x"), None);
    }

    #[test]
    fn a_key_without_a_needed_part_is_not_looked_up() {
        for (template, key, looked_up) in [
            ("%s", "john", true),
            ("%u", "john", true),
            ("%u", "@example.org", false),
            ("%d", "john", false),
            ("%d", "@example.org", true),
            ("%3", "john@example.org", false),
            ("%2", "john@example.org", true),
            ("%2", "john@.org", false),
            ("%s", "", false),
        ] {
            let mut needs = Needs::default();
            needs.add(
                &KeyTemplate::read(template).unwrap_or(KeyTemplate(Vec::new())),
                true,
            );
            assert_eq!(needs.has_key(key), looked_up, "{template} {key}");
        }
    }
}
