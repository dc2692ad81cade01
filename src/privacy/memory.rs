//! The only place that modifies this process's own arguments and environment in the system's memory.
#![allow(unsafe_code)]

use std::ffi::OsString;

/// Removes variables from the environment that children inherit and, on Linux, from `/proc/PID/environ`. Call it
/// before the first thread starts.
pub(super) fn remove_variables(names: &[OsString]) {
    for name in names {
        // SAFETY: `main` calls `privacy::seal` before any thread is started, so nothing else reads or changes the
        // environment.
        unsafe { std::env::remove_var(name) };
    }
    #[cfg(target_os = "linux")]
    if let Some(blocks) = linux::Blocks::read() {
        use std::os::unix::ffi::OsStrExt as _;
        let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        linux::change(blocks.environment, |block| super::block::erase_variables(block, &names));
    }
}

/// Sets an environment variable. Call it before the first thread starts.
pub(super) fn set_variable(name: &str, value: &str) {
    // SAFETY: `main` calls this before any thread is started, so nothing else reads or changes the environment.
    unsafe { std::env::set_var(name, value) };
}

/// Overwrites secrets in the command line that other users see. Linux only. Call it before the first thread starts.
pub(super) fn hide_arguments() {
    #[cfg(target_os = "linux")]
    if let Some(blocks) = linux::Blocks::read() {
        linux::change(blocks.arguments, super::block::hide_arguments);
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ops::Range;

    /// Address ranges of the arguments and the environment, which `/proc/PID/cmdline` and `environ` show.
    #[derive(Debug, PartialEq)]
    pub(super) struct Blocks {
        pub(super) arguments: Range<usize>,
        pub(super) environment: Range<usize>,
    }

    impl Blocks {
        pub(super) fn read() -> Option<Blocks> {
            Blocks::parse(&std::fs::read_to_string("/proc/self/stat").ok()?)
        }

        /// proc_pid_stat(5): `arg_start`, `arg_end`, `env_start`, `env_end` are fields 48 to 51. The program's name,
        /// field 2, is in parentheses and may contain anything.
        pub(super) fn parse(stat: &str) -> Option<Blocks> {
            let (_, from_third) = stat.rsplit_once(") ")?;
            let mut fields = from_third.split_whitespace().skip(48 - 3).map(|field| field.parse().ok());
            let mut range = || {
                let range = fields.next()??..fields.next()??;
                // Zero if the kernel hides the address.
                (range.start != 0 && range.start < range.end).then_some(range)
            };
            Some(Blocks { arguments: range()?, environment: range()? })
        }
    }

    /// Gives `change` write access to one of the blocks.
    pub(super) fn change(place: Range<usize>, change: impl FnOnce(&mut [u8])) {
        let start = std::ptr::with_exposed_provenance_mut::<u8>(place.start);
        // SAFETY: the kernel reports that these bytes are this process's arguments or environment: readable and
        // writable memory on the first thread's stack, valid for the life of the process. `change` keeps the length,
        // so that each string ends where it did. No other thread runs yet, and nothing on this one holds a reference
        // to them: the standard library copies arguments and variables when asked.
        change(unsafe { std::slice::from_raw_parts_mut(start, place.len()) });
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_blocks_are_found_after_a_name_with_parentheses() {
            let numbers: Vec<String> = (4..=52).map(|field| field.to_string()).collect();
            let stat = format!("1 (a) R (b) S {}", numbers.join(" "));
            assert_eq!(Blocks::parse(&stat), Some(Blocks { arguments: 48..49, environment: 50..51 }));
            assert_eq!(Blocks::parse("1 (a) S 1 2"), None);
            assert!(Blocks::read().is_some());
        }
    }
}
