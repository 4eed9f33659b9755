//! The one TLS backend of the process.

/// Makes *ring* the process's TLS provider. Call it before the first HTTPS client is built; calling it again,
/// or after a host program has chosen a provider of its own, changes nothing.
pub fn install() {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::trace!("a TLS provider was installed before");
    }
}
