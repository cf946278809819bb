//! main.cf.
/// main.cf as text and as Postfix understands it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MainCf {}
impl MainCf {
    /// Reads main.cf.
    #[must_use]
    pub fn parse(_text: &[u8]) -> Self {
        Self {}
    }
    /// x
    pub fn get(&self, _n: &str) -> Option<&str> {
        None
    }
    /// Parameter names and values as Postfix reads them (last wins, white-space runs folded), in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        std::iter::empty()
    }
}
