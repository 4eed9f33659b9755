//! Ship types, solar systems and fixed names: loaded from static data exports, kept fresh.

mod events;
mod fresh;
mod load;

pub use fresh::{ReferenceDataDeps, keep_fresh};
pub use load::{LEAST_PERCENT, Loaded, Outcome, Report, load};
