//! The kickstart file of an image.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::describe::hdds::encoding;
use crate::describe::hdds::locate::DataDir;
use crate::describe::hdds::names::kickstart_file_names;
use crate::image::{Image, Recipe};
use crate::virtinstall::Kickstart;

/// The most particular of the kickstart files for `image`.
///
/// # Errors
/// When there is none, or when it can't be read.
pub(super) fn find(data: &DataDir, image: &Image) -> Result<Kickstart> {
    let Recipe::Install(recipe) = &image.recipe else {
        bail!("'{}' has no kickstart file", image.file_name);
    };
    let names = kickstart_file_names(&image.group, &recipe.release, &recipe.arch);
    for name in &names {
        let Some(content) = data.kickstart(name)? else {
            continue;
        };
        let bytes = match (content.inline_bytes(), content.host_path()) {
            (Some(bytes), _) => bytes.to_vec(),
            (None, Some(path)) => fs::read(&path)
                .with_context(|| format!("can't read the kickstart file '{}'", path.display()))?,
            (None, None) => continue,
        };
        // The installer takes a mark for the name of its first command.
        let bytes = encoding::without_mark(bytes)
            .with_context(|| format!("can't read the kickstart file '{name}'"))?;
        let name = name.clone();
        return Ok(Kickstart { name, bytes });
    }
    bail!(
        "{}: there is no kickstart file: none of {} is beside hdds.json or in kickstarts/",
        recipe.place,
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::hdds::Config;
    use crate::describe::hdds::releases::NextRelease;

    #[test]
    fn a_byte_order_mark_is_not_for_the_installer() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDir::Directory(directory.path().to_path_buf());
        let group = r#"{"name": "m", "size": 1, "releases": {"9": ["x86_64"]}}"#;
        let text = format!(r#"{{"virtinstall": [{group}]}}"#);
        let config = Config::parse(&text, "t", &[]).unwrap();
        let image = &config
            .images(&mut NextRelease::new(None, || bail!("asked")))
            .unwrap()[0];
        fs::write(directory.path().join("m.ks"), "\u{feff}text\n").unwrap();
        assert_eq!(find(&data, image).unwrap().bytes, b"text\n");
        fs::write(directory.path().join("m.ks"), b"t\0e\0x\0t\0").unwrap();
        let message = format!("{:#}", find(&data, image).unwrap_err());
        assert_eq!(
            message,
            "can't read the kickstart file 'm.ks': it is UTF-16; save it as UTF-8"
        );
    }
}
