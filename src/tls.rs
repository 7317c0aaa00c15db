//! The one TLS implementation of the process.

/// Makes ring the provider of cryptography for every TLS client of the process. May be called as
/// often as wanted.
pub fn install_provider() {
    // An error means that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
