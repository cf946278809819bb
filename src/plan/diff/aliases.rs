//! Alias files (aliases(5)): the files that `alias_maps` and `alias_database` name with a type that has an index, which
//! postalias(1) builds from lines of another form than those of postmap(1).

use crate::name::{Parameter, RemotePath, TableType};
use crate::postfix::catalogue::tables;
use crate::state::{File, Want};
use crate::thing::Thing;

use super::draft::Draft;

/// The parameters that name alias files.
const PARAMETERS: [&str; 2] = ["alias_maps", "alias_database"];

impl Draft<'_> {
    /// The type of the index beside an alias file. None if the file is none, or has no index.
    pub(super) fn alias_type(&self, path: &RemotePath) -> Option<TableType> {
        let settings = self.live_settings();
        let main = self.configuration(&settings).main();
        PARAMETERS.into_iter().find_map(|name| {
            let thing = Thing::Parameter(Parameter::new(name).ok()?);
            let text = match self.desired.values.get(&thing) {
                Some(Want::Present(text)) => main.expand(text).text,
                Some(Want::Absent) | None => main.expanded(name).text,
            };
            let named = tables::read(&text.ok()?).into_iter();
            let mut types = named.filter(|table| table.name == path.as_str());
            types.find_map(|table| {
                let kind = TableType::new(table.kind).ok()?;
                kind.index_suffix().is_some().then_some(kind)
            })
        })
    }

    /// A wanted file with the type of its index: an alias file always has one, in the type by which it is named.
    pub(super) fn indexed(&self, path: &RemotePath, file: &File) -> File {
        let mut file = file.clone();
        if path.as_str().contains("alias")
            && let Some(kind) = self.alias_type(path)
        {
            file.index = Some(kind.clone());
            file.table = Some(kind);
        }
        file
    }
}
