//! Lists the files below kickstarts/ for `src/describe/hdds/shipped.rs`, which compiles them in.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=kickstarts");
    let kickstarts = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("kickstarts");
    let is_kickstart = |path: &Path| path.extension().is_some_and(|extension| extension == "ks");
    let mut code = String::new();
    table(&mut code, "KICKSTARTS", &files(&kickstarts, is_kickstart)?)?;
    table(
        &mut code,
        "UPLOADS",
        &files(&kickstarts.join("uploads"), |_| true)?,
    )?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("shipped.rs"), code)?;
    Ok(())
}

/// The files of `directory` that are wanted, sorted by name.
fn files(directory: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    if directory.is_dir() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_file() && wanted(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn table(code: &mut String, name: &str, files: &[PathBuf]) -> Result<(), Box<dyn Error>> {
    writeln!(code, "const {name}: &[(&str, &[u8])] = &[")?;
    for path in files {
        let file_name = path.file_name().and_then(|name| name.to_str());
        let file_name = file_name.ok_or("a name below kickstarts/ isn't UTF-8")?;
        writeln!(code, "    ({file_name:?}, include_bytes!({path:?})),")?;
    }
    writeln!(code, "];")?;
    Ok(())
}
