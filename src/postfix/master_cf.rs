//! master.cf.
use crate::name::*;
use crate::thing::Field;
/// master.cf as text and as Postfix understands it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MasterCf {}
/// e
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {}
impl MasterCf {
    /// Reads
    #[must_use]
    pub fn parse(_text: &[u8]) -> Self {
        Self {}
    }
    /// x
    pub fn service(&self, _s: &ServiceName) -> Option<Entry> {
        None
    }
    /// x
    pub fn services(&self) -> impl Iterator<Item = ServiceName> {
        std::iter::empty()
    }
}
impl Entry {
    /// x
    pub fn field(&self, _f: Field) -> &str {
        ""
    }
    /// x
    pub fn option(&self, _f: &Parameter) -> Option<String> {
        None
    }
    /// x
    pub fn line(&self) -> String {
        String::new()
    }
}
