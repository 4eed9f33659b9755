//! Which static data are on offer.

/// Which static data are on offer, and what is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// The build's number; also makes the `ETag`s.
    pub build: i64,
    /// Of types and systems, how many percent of the rows.
    pub percent: usize,
    /// The file of which only the first half is sent.
    pub cut: Option<String>,
}

impl Default for Edition {
    /// The whole data of a build of October 2026.
    fn default() -> Self {
        Self {
            build: 3_650_286,
            percent: 100,
            cut: None,
        }
    }
}
