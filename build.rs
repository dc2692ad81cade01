//! Gives the programs for Windows their icon, version and manifest. For other systems there is nothing to do.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

/// The programs, and what Windows calls them where it lists what runs.
const PROGRAMS: [(&str, &str); 2] = [("duplex", "Duplex"), ("duplexctl", "Duplex on the console")];
const ICON: &str = "assets/duplex.ico";
const MANIFEST: &str = "packaging/windows/program.manifest";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={ICON}");
    println!("cargo:rerun-if-changed={MANIFEST}");
    if env::var("CARGO_CFG_TARGET_OS")? != "windows" {
        return Ok(());
    }
    let (out, authors) = (env::var("OUT_DIR")?, env::var("CARGO_PKG_AUTHORS")?);
    for (program, description) in PROGRAMS {
        let folder = Path::new(&out).join(program);
        fs::create_dir_all(&folder)?;
        let mut resource = winresource::WindowsResource::new();
        resource
            .set_output_directory(&folder.to_string_lossy())
            .set_icon(ICON)
            .set_manifest_file(MANIFEST)
            .set("ProductName", PROGRAMS[0].1)
            .set("FileDescription", description)
            .set("CompanyName", &authors)
            .set("LegalCopyright", &format!("{authors}. {}", env::var("CARGO_PKG_LICENSE")?))
            .set("OriginalFilename", &format!("{program}.exe"));
        resource.compile_for(program)?;
    }
    Ok(())
}
