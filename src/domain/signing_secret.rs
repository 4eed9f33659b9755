//! The secret that webhook messages are signed with, as Standard Webhooks has it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What the written form begins with.
const PREFIX: &str = "whsec_";

/// 32 random bytes. Never shown by `Debug`; [`SigningSecret::reveal`] is for the one answer that hands it out.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret([u8; 32]);

impl SigningSecret {
    /// A secret of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for storage.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `whsec_` and the bytes in base64.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0))
    }

    /// True when `text` is the written form of this secret. Takes the same time wherever they differ.
    pub fn is(&self, text: &str) -> bool {
        let encoded = text.strip_prefix(PREFIX).unwrap_or_default();
        let Ok(bytes) = STANDARD.decode(encoded) else {
            return false;
        };
        // Comparing digests under a key tells nothing about the bytes.
        let digest = self.mac(&[&bytes]).finalize().into_bytes();
        self.mac(&[&self.0]).verify_slice(&digest).is_ok()
    }

    /// The header `webhook-signature` of a message: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let timestamp = timestamp.to_string();
        let mac = self.mac(&[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    fn mac(&self, pieces: &[&[u8]]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length");
        for piece in pieces {
            mac.update(piece);
        }
        mac
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_standard_says() {
        // Computed with Python's hmac module.
        let secret = SigningSecret::new([7; 32]);
        assert_eq!(
            secret.sign("msg_1", 1_700_000_000, b"{}"),
            "v1,nuLLyheCKcS2N8JNOFt5stk98R+umYWr26/ZTfdtGM8="
        );
    }

    #[test]
    fn knows_its_written_form_and_does_not_show_it() {
        let secret = SigningSecret::new([7; 32]);
        assert!(secret.is(&secret.reveal()));
        for wrong in [
            "",
            "whsec_",
            "whsec_AAAA",
            &SigningSecret::new([8; 32]).reveal(),
        ] {
            assert!(!secret.is(wrong), "{wrong}");
        }
        assert_eq!(format!("{secret:?}"), "SigningSecret");
    }
}
