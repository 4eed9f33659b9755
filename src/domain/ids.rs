//! Identifiers that carry a rule of their own.
//!
//! Plain EVE ids (characters, systems, types …) are `i64` in fields that name them: ESI widened all of
//! them to 64 bits, and an id alone does not tell its kind.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A killmail's hash: 40 hexadecimal digits, as ESI and zKillboard write it. Shown in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KillmailHash([u8; 20]);

/// The text is not 40 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a killmail hash is 40 hexadecimal digits, not {value:?}")]
pub struct KillmailHashError {
    /// What was given, cut to 64 characters.
    pub value: String,
}

impl FromStr for KillmailHash {
    type Err = KillmailHashError;

    /// Accepts upper and lower case and surrounding white space (seen in zKillboard's history).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let trimmed = text.trim();
        let refused = || KillmailHashError {
            value: text.chars().take(64).collect(),
        };
        if trimmed.len() != 40 {
            return Err(refused());
        }
        let mut bytes = [0_u8; 20];
        for (byte, pair) in bytes.iter_mut().zip(trimmed.as_bytes().chunks_exact(2)) {
            let mut value = 0_u8;
            for digit in pair {
                let nibble = char::from(*digit).to_digit(16).ok_or_else(refused)?;
                value = (value << 4) | u8::try_from(nibble).map_err(|_| refused())?;
            }
            *byte = value;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for KillmailHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for KillmailHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl From<KillmailHash> for String {
    fn from(hash: KillmailHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for KillmailHash {
    type Error = KillmailHashError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A position in our own feed log: the first event has 1, and 0 means "before everything".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct FeedSequence(pub i64);

impl fmt::Display for FeedSequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
