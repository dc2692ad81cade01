//! Invites: a code that creates one principal, once, before it expires. The database keeps its hash.

use std::path::Path;

use super::HubError;
use super::files::HubAddressFile;
use super::state::hash;
use crate::clock;
use crate::model::address::Address;
use crate::model::profile::Secret;
use crate::model::{PrincipalKind, Role, time::WallMs};
use crate::store::{Change, HubStore};

pub use crate::model::rights::INVITE_MS;

/// Crockford's base 32: omits letters that look like digits.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Options of an invite.
#[derive(Clone, Debug)]
pub struct InviteOptions {
    /// How long it is valid, in milliseconds.
    pub expires_ms: u64,
    /// The kind of principal that it creates.
    pub kind: PrincipalKind,
    /// What that person may do.
    pub role: Role,
    /// The hub's URL, if it differs from the one the hub knows.
    pub url: Option<String>,
}

impl Default for InviteOptions {
    fn default() -> Self {
        InviteOptions { expires_ms: INVITE_MS, kind: PrincipalKind::Person, role: Role::Operator, url: None }
    }
}

/// A new invite.
#[derive(Clone, Debug)]
pub struct Invite {
    /// Its code in readable form: four groups of four characters.
    pub code: Secret,
    /// The invite link: the address, the code and the fingerprint.
    pub link: Address,
    /// When it expires, in Unix milliseconds by this computer's clock.
    pub expires_at: WallMs,
}

/// Creates an invite to the hub in this data directory, whether the hub runs or not. Any process of the owner may do
/// so. Blocks.
///
/// # Errors
/// If there is no hub's database, it cannot be written, or the hub's address is neither known nor given.
pub fn invite(data_dir: &Path, options: &InviteOptions) -> Result<Invite, HubError> {
    let address_file = HubAddressFile::read(data_dir);
    let fingerprint = address_file.as_ref().and_then(|address_file| address_file.fingerprint.clone());
    let url = options.url.clone().or(address_file.map(|address_file| address_file.url));
    let url = url.ok_or_else(|| HubError::NotRunning { data_dir: data_dir.to_owned() })?;
    let code = new_code()?;
    let now = clock::now().wall_ms;
    let expires_at = now.saturating_add(i64::try_from(options.expires_ms).unwrap_or(i64::MAX));
    let code_hash = hash(&canonical(code.reveal()));
    let InviteOptions { kind, role, .. } = *options;
    let change = Change::Invite { code_hash, kind, role, by: None, expires_at };
    if HubStore::change_offline(data_dir, &change, now)?.is_err() {
        return Err(HubError::TooManyInvites);
    }
    Ok(Invite { link: Address { url, invite: Some(code.clone()), fingerprint }, code, expires_at })
}

/// A new code.
pub(super) fn new_code() -> Result<Secret, getrandom::Error> {
    Ok(Secret::new(code(clock::random::<10>()?)))
}

/// 80 bits as four groups of four digits.
fn code(random: [u8; 10]) -> String {
    let mut code = String::with_capacity(19);
    for group in random.chunks_exact(5) {
        let bits = group.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            if !code.is_empty() && place % 4 == 3 {
                code.push('-');
            }
            code.push(char::from(DIGITS[(bits >> (5 * place) & 31) as usize]));
        }
    }
    code
}

/// The canonical form of a code, however it was written down.
pub(super) fn canonical(code: &str) -> String {
    let significant = code.chars().filter(|c| c.is_ascii_alphanumeric());
    let read = |c: char| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    };
    significant.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_readable_and_tolerates_transcription() {
        assert_eq!(code([0; 10]), "0000-0000-0000-0000");
        assert_eq!(code([0xff; 10]), "zzzz-zzzz-zzzz-zzzz");
        let code = code([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(code, "0410-6105-0r3g-g28a");
        assert_eq!(canonical(&code), "041061050r3gg28a");
        assert_eq!(canonical(" O41O 6i05 or3g GG28A"), "041061050r3gg28a".replacen("gg28a", "ggg28a", 1));
        assert_eq!(canonical("O4lO-6I05-OR3G-G28A"), canonical(&code));
    }
}
