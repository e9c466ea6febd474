//! The files that an image goes into, by their names.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::engine::{self, Directory};
use crate::formats;
use crate::image::FileFormat;

/// The directory of the image called `output`, a path from `directory` on, and the names there of its
/// files in each of these formats.
///
/// # Errors
/// When it is no name of a file.
pub(super) fn names(
    directory: &Path,
    output: &Path,
    files: &[FileFormat],
) -> Result<(PathBuf, Vec<String>)> {
    let (path, name) = split(&directory.join(output))?;
    let names = match files {
        [_] => vec![name],
        several => formats::names(&name, several),
    };
    Ok((path, names))
}

/// Refuses names that can't be, or mustn't become, those of the files, and of their sums. What is
/// there is replaced if it is an image, or by `force`.
///
/// # Errors
/// Why not.
pub(super) fn check(
    directory: &Directory,
    names: &[String],
    files: &[FileFormat],
    force: bool,
) -> Result<()> {
    for (name, format) in names.iter().zip(files) {
        engine::check_target(directory, name)?;
        if !force {
            engine::check_replaced(directory, name, format)?;
        }
        for checksum in &format.checksums {
            engine::check_target(directory, &checksum.file_name(name))?;
        }
    }
    Ok(())
}

/// The directory of the output and its name there.
fn split(output: &Path) -> Result<(PathBuf, String)> {
    let shown = output.display();
    let ends_in_slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    let Some(name) = output.file_name().filter(|_| !ends_in_slash) else {
        bail!("the output '{shown}' is no file name");
    };
    let name = name
        .to_str()
        .with_context(|| format!("the name of the output '{shown}' isn't UTF-8"))?;
    let parent = match output.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    Ok((parent.to_path_buf(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_name_in_a_directory() {
        for (output, expected) in [
            ("a.img", Some((".", "a.img"))),
            ("./a.img", Some((".", "a.img"))),
            ("/a.img", Some(("/", "a.img"))),
            ("../d/a.img", Some(("../d", "a.img"))),
            ("d/", None),
            ("..", None),
            ("/", None),
        ] {
            let found = split(Path::new(output)).ok();
            let found = found
                .as_ref()
                .map(|(path, name)| (path.to_str().unwrap(), &**name));
            assert_eq!(found, expected, "{output}");
        }
    }
}
