//! Windows: creates directories and files with their owner's access list. The list names this user and the system,
//! inherits nothing from the parent, and is inherited by everything inside.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::FromRawHandle as _;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_ALREADY_EXISTS, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE, LocalFree,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidW, ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetTokenInformation, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_ATTRIBUTE_NORMAL,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::core::PWSTR;

/// Creates a directory; an existing one is left as it is.
pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    let (name, list) = (wide(path), AccessList::of_owner()?);
    // SAFETY: the name is NUL-terminated, and both outlive the call.
    let made = unsafe { CreateDirectoryW(name.as_ptr(), &list.attributes()) };
    match io::Error::last_os_error() {
        error if made == 0 && error.raw_os_error() != Some(ERROR_ALREADY_EXISTS.cast_signed()) => Err(error),
        _ => Ok(()),
    }
}

/// Creates a file for writing. Fails if it exists.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let (name, list) = (wide(path), AccessList::of_owner()?);
    // SAFETY: the name is NUL-terminated, and all arguments outlive the call. Sharing is denied while the file is
    // written.
    let handle = unsafe {
        let attributes = list.attributes();
        CreateFileW(
            name.as_ptr(),
            GENERIC_WRITE,
            0,
            &attributes,
            CREATE_NEW,
            FILE_ATTRIBUTE_NORMAL,
            null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new handle to a file that nothing else owns.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// A security descriptor allocated by the system.
struct AccessList(PSECURITY_DESCRIPTOR);

impl AccessList {
    /// Full access for this user and the system only; inherits nothing, and is inherited by everything inside. File
    /// systems without access lists, as on most USB sticks, ignore it.
    fn of_owner() -> io::Result<AccessList> {
        let text = format!("D:P(A;OICI;FA;;;{})(A;OICI;FA;;;SY)", user()?);
        let (text, mut descriptor) = (wide(Path::new(&text)), null_mut());
        // SAFETY: the text is NUL-terminated; the system allocates the descriptor, and `drop` frees it.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &mut descriptor,
                null_mut(),
            )
        };
        if made == 0 { Err(io::Error::last_os_error()) } else { Ok(AccessList(descriptor)) }
    }

    /// Attributes for a creating call; they must not outlive `self`.
    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            // The size of three words.
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        }
    }
}

impl Drop for AccessList {
    fn drop(&mut self) {
        // SAFETY: allocated by the system with LocalAlloc, and freed only here.
        unsafe { LocalFree(self.0) };
    }
}

/// This user's security identifier as text, `S-1-5-…`.
fn user() -> io::Result<String> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the pseudo handle of this process need not be closed; the token is closed below.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let user = user_of(token);
    // SAFETY: opened above, and not used afterwards.
    unsafe { CloseHandle(token) };
    user
}

fn user_of(token: HANDLE) -> io::Result<String> {
    // `u64` for alignment. A TOKEN_USER with the longest identifier has 84 bytes (SECURITY_MAX_SID_SIZE + 16).
    let mut buffer = [0_u64; 16];
    let (mut length, mut text): (u32, PWSTR) = (0, null_mut());
    // SAFETY: the length matches the buffer. On success it begins with a TOKEN_USER, whose identifier is in the
    // buffer, too.
    let told = unsafe {
        let size = size_of_val(&buffer) as u32;
        GetTokenInformation(token, TokenUser, buffer.as_mut_ptr().cast(), size, &mut length) != 0
            && ConvertSidToStringSidW((*buffer.as_ptr().cast::<TOKEN_USER>()).User.Sid, &mut text) != 0
    };
    if !told {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system's text is NUL-terminated, and is freed once, after it was copied.
    unsafe {
        let length = (0..).take_while(|&at| *text.add(at) != 0).count();
        let copied = String::from_utf16_lossy(std::slice::from_raw_parts(text, length));
        LocalFree(text.cast());
        Ok(copied)
    }
}

fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_and_the_system_are_named() {
        assert!(user().unwrap().starts_with("S-1-5-"));
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        create_dir(&inner).unwrap();
        create_dir(&inner).unwrap();
        for path in [inner.clone(), inner.join("file")] {
            if path != inner {
                create_new(&path).unwrap();
                assert_eq!(create_new(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            }
            let listed = std::process::Command::new("icacls").arg(&path).output().unwrap().stdout;
            let listed = String::from_utf8_lossy(&listed).into_owned();
            assert_eq!(listed.matches("(F)").count(), 2, "{listed}");
        }
    }
}
