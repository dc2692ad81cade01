//! Windows: folders and files that carry their owner's access list from the moment they are there. The list names this
//! user and the system, takes nothing over from the folder above, and is handed on to what is made inside.
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

/// Makes a folder; one that is there already stays as it is.
pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    let (name, list) = (wide(path), AccessList::of_owner()?);
    // SAFETY: the name is NUL-terminated, and both outlive the call.
    let made = unsafe { CreateDirectoryW(name.as_ptr(), &list.attributes()) };
    match io::Error::last_os_error() {
        error if made == 0 && error.raw_os_error() != Some(ERROR_ALREADY_EXISTS.cast_signed()) => Err(error),
        _ => Ok(()),
    }
}

/// Makes a file to write to. Fails where there is one.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let (name, list) = (wide(path), AccessList::of_owner()?);
    // SAFETY: the name is NUL-terminated, and all outlive the call. Nobody else may open it as long as it is written.
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
    // SAFETY: a fresh handle to a file, which nothing else owns.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// A security descriptor of the system's making.
struct AccessList(PSECURITY_DESCRIPTOR);

impl AccessList {
    /// Full access for this user and for the system, for nobody else; protected from what is above, inherited by what
    /// is below. File systems without access lists, as on most USB sticks, do not heed it.
    fn of_owner() -> io::Result<AccessList> {
        let text = format!("D:P(A;OICI;FA;;;{})(A;OICI;FA;;;SY)", user()?);
        let (text, mut descriptor) = (wide(Path::new(&text)), null_mut());
        // SAFETY: the text is NUL-terminated; the system allocates what it hands out, and `drop` frees it.
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

    /// For the call that makes something; not to outlive `self`.
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
        // SAFETY: allocated by the system for us, as LocalAlloc does, and freed only here.
        unsafe { LocalFree(self.0) };
    }
}

/// This user's security identifier as text, `S-1-5-…`.
fn user() -> io::Result<String> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the pseudo handle of this process needs no closing; the token is closed below.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let user = user_of(token);
    // SAFETY: opened above, and used no more.
    unsafe { CloseHandle(token) };
    user
}

fn user_of(token: HANDLE) -> io::Result<String> {
    // In words, so that it is aligned. A TOKEN_USER with the longest identifier has 84 bytes (SECURITY_MAX_SID_SIZE + 16).
    let mut buffer = [0_u64; 16];
    let (mut length, mut text): (u32, PWSTR) = (0, null_mut());
    // SAFETY: the buffer is as long as said. On success it begins with a TOKEN_USER, whose identifier lies in it too.
    let told = unsafe {
        let size = size_of_val(&buffer) as u32;
        GetTokenInformation(token, TokenUser, buffer.as_mut_ptr().cast(), size, &mut length) != 0
            && ConvertSidToStringSidW((*buffer.as_ptr().cast::<TOKEN_USER>()).User.Sid, &mut text) != 0
    };
    if !told {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system's text ends with a NUL, and is freed once, after it was copied.
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
    fn the_owner_alone_is_named() {
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
