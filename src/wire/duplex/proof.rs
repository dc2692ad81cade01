//! The proof that a hub knows a data directory's secret, bound to the address that was dialed: whoever else owns a
//! port of this computer cannot pass the real hub's proof on as its own.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The MAC of a challenge, in hexadecimal. `address` is `host:port` as dialed, `challenge` the hello's.
pub fn mac(secret: &[u8; 32], address: &str, challenge: &str) -> String {
    HEXLOWER.encode(&authenticator(secret, address, challenge).finalize().into_bytes())
}

/// Whether a MAC is the right one; takes the same time for every wrong one.
pub fn verify(secret: &[u8; 32], address: &str, challenge: &str, claimed: &str) -> bool {
    let claimed = HEXLOWER_PERMISSIVE.decode(claimed.as_bytes());
    claimed.is_ok_and(|claimed| authenticator(secret, address, challenge).verify_slice(&claimed).is_ok())
}

fn authenticator(secret: &[u8; 32], address: &str, challenge: &str) -> Hmac<Sha256> {
    // A key of 32 bytes fits every HMAC: the fixed-length constructor exists for SHA-256's block of 64 bytes.
    let mut key = [0u8; 64];
    key[..32].copy_from_slice(secret);
    let mut authenticator = Hmac::<Sha256>::new(&key.into());
    for part in ["duplex proof 1", address, challenge] {
        authenticator.update(part.as_bytes());
        authenticator.update(b"\n");
    }
    authenticator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_for_one_secret_address_and_challenge() {
        let proof = mac(&[7; 32], "127.0.0.1:7870", "abc");
        assert!(verify(&[7; 32], "127.0.0.1:7870", "abc", &proof));
        assert!(!verify(&[8; 32], "127.0.0.1:7870", "abc", &proof));
        assert!(!verify(&[7; 32], "127.0.0.1:7871", "abc", &proof), "another port cannot pass it on");
        assert!(!verify(&[7; 32], "127.0.0.1:7870", "abd", &proof));
        assert!(!verify(&[7; 32], "127.0.0.1:7870", "abc", "zz"));
        assert!(!verify(&[7; 32], "127.0.0.1:7870", "abc", ""));
    }
}
