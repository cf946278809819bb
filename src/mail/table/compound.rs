//! Tables of tables: `unionmap:{…}` and `pipemap:{…}` (DATABASE_README).

use std::sync::Arc;

use super::answer::{KeyLookup, LookupAnswer, LookupResult};
use super::part::PartVisitor;
use crate::directory::Directory;

/// `unionmap:{a, b}`: the results of all tables, with commas.
#[derive(Debug)]
pub struct UnionTable(pub Vec<Arc<dyn KeyLookup>>);

/// `pipemap:{a, b}`: the result of each table is the key of the next one.
#[derive(Debug)]
pub struct PipeTable(pub Vec<Arc<dyn KeyLookup>>);

impl KeyLookup for UnionTable {
    fn find(&self, key: &str, directory: &Directory) -> LookupResult {
        let mut all: Option<LookupAnswer> = None;
        for table in &self.0 {
            let Some(found) = table.find(key, directory)? else {
                continue;
            };
            match &mut all {
                Some(all) => all.value = format!("{},{}", all.value, found.value),
                None => all = Some(found),
            }
        }
        Ok(all)
    }

    fn parts(&self, is_piped: bool, visit: PartVisitor<'_>) {
        for table in &self.0 {
            table.parts(is_piped, visit);
        }
    }

    fn takes_parts(&self) -> bool {
        self.0.iter().all(|table| table.takes_parts())
    }
}

impl KeyLookup for PipeTable {
    fn find(&self, key: &str, directory: &Directory) -> LookupResult {
        let mut key = key.to_owned();
        let mut last = None;
        for table in &self.0 {
            let Some(found) = table.find(&key, directory)? else {
                return Ok(None);
            };
            key.clone_from(&found.value);
            last = Some(found);
        }
        Ok(last)
    }

    fn parts(&self, is_piped: bool, visit: PartVisitor<'_>) {
        let last = self.0.len().saturating_sub(1);
        for (at, table) in self.0.iter().enumerate() {
            table.parts(is_piped || at < last, visit);
        }
    }

    fn takes_parts(&self) -> bool {
        // The key is asked of the first table only.
        self.0.first().is_some_and(|table| table.takes_parts())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixed::{FixedTable, StaticTable};
    use super::*;

    /// DATABASE_README, `unionmap` and `pipemap`.
    #[test]
    fn tables_are_combined() {
        let inline = |text| -> Arc<dyn KeyLookup> {
            Arc::new(FixedTable::from_inline(text).unwrap_or_default())
        };
        let tables = || vec![inline("{a=b, x=1}"), inline("{b=c, x=2}")];
        let directory = Directory::default();
        let value = |found: LookupResult| found.map(|found| found.map(|found| found.value));
        let text = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(
            value(UnionTable(tables()).find("x", &directory)),
            text("1,2")
        );
        assert_eq!(value(PipeTable(tables()).find("a", &directory)), text("c"));
        assert_eq!(value(PipeTable(tables()).find("x", &directory)), Ok(None));
        assert!(UnionTable(vec![Arc::new(StaticTable("x".to_owned()))]).takes_parts());
    }
}
