//! `duplexctl`: the console companion. See [`duplex::cli`].

fn main() -> std::process::ExitCode {
    duplex::cli::main(duplex::app::command)
}
