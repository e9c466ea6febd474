//! Where hdds.json, the kickstart files and the uploads are.
//!
//! A directory of data holds `hdds.json`, `kickstarts/*.ks` and `uploads/`. Kickstart files may
//! also lie beside hdds.json, as in the original, and uploads in `kickstarts/uploads/`.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, bail};
use disklayout::tree::Content;

use super::{encoding, shipped};

/// The variable that stands for `--config` where that isn't given.
pub const CONFIG_VARIABLE: &str = "CREATEHDDS_CONFIG";

/// The variable that stands for `--data-dir` where that isn't given.
pub const DATA_DIR_VARIABLE: &str = "CREATEHDDS_DATA_DIR";

const CONFIG_NAME: &str = "hdds.json";

/// The share directories without XDG_DATA_DIRS, as its specification has them.
const SHARE_DIRECTORIES: &str = "/usr/local/share:/usr/share";

/// Where to look, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The configuration, when it is given.
    pub config: Option<PathBuf>,
    /// The directory of data, when it is given.
    pub data_dir: Option<PathBuf>,
    /// Directories of data that may or may not be there.
    pub directories: Vec<PathBuf>,
}

impl Search {
    /// The search with the options `--config` and `--data-dir`, the environment variables that
    /// `variable` knows, and the path of the running program.
    pub fn new(
        config: Option<PathBuf>,
        data_dir: Option<PathBuf>,
        variable: impl Fn(&str) -> Option<OsString>,
        executable: Option<&Path>,
    ) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let share = set("XDG_DATA_DIRS").unwrap_or_else(|| SHARE_DIRECTORIES.into());
        // The specification has relative ones ignored.
        let share = std::env::split_paths(&share)
            .filter(|path| path.is_absolute())
            .map(|path| path.join("createhdds"));
        let beside = executable.and_then(Path::parent).map(Path::to_path_buf);
        let current = PathBuf::new();
        Self {
            config: config.or_else(|| set(CONFIG_VARIABLE).map(PathBuf::from)),
            data_dir: data_dir.or_else(|| set(DATA_DIR_VARIABLE).map(PathBuf::from)),
            directories: beside.into_iter().chain([current]).chain(share).collect(),
        }
    }

    /// The configuration and the data. What is given is taken whether it is there or not, so
    /// that reading it says what is wrong; without anything, it is the shipped set.
    pub fn locate(&self, is_file: impl Fn(&Path) -> bool) -> Found {
        if let Some(config) = &self.config {
            let beside = config.parent().unwrap_or(Path::new(""));
            let data = self.data_dir.as_deref().unwrap_or(beside);
            return Found::files(config.clone(), data);
        }
        let holds_config = |directory: &&PathBuf| is_file(&directory.join(CONFIG_NAME));
        let directory = match &self.data_dir {
            Some(directory) => Some(directory),
            None => self.directories.iter().find(holds_config),
        };
        match directory {
            Some(directory) => Found::files(directory.join(CONFIG_NAME), directory),
            None => Found {
                config: ConfigSource::Shipped,
                data: DataDir::Shipped,
            },
        }
    }
}

/// What a search has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The configuration.
    pub config: ConfigSource,
    /// The files that its images need.
    pub data: DataDir,
}

impl Found {
    fn files(config: PathBuf, data: &Path) -> Self {
        Self {
            config: ConfigSource::File(config),
            data: DataDir::Directory(data.to_path_buf()),
        }
    }
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// A file of the host.
    File(PathBuf),
    /// The one that is compiled into the program.
    Shipped,
}

impl ConfigSource {
    /// Its name for messages.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Shipped => format!("the built-in {CONFIG_NAME}"),
        }
    }

    /// Its text, without a byte order mark.
    ///
    /// # Errors
    /// When the file can't be read or isn't UTF-8.
    pub fn read(&self) -> Result<String> {
        match self {
            Self::File(path) => fs::read(path)
                .map_err(Error::new)
                .and_then(encoding::text)
                .with_context(|| format!("can't read the configuration {}", path.display())),
            Self::Shipped => Ok(shipped::CONFIG.to_string()),
        }
    }
}

/// Where kickstart files and uploads are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataDir {
    /// A directory of the host.
    Directory(PathBuf),
    /// Those that are compiled into the program.
    Shipped,
}

impl DataDir {
    /// The upload called `name`, a path below `uploads/`.
    ///
    /// # Errors
    /// When there is no such file, with the places where it might have been.
    pub fn upload(&self, name: &str) -> Result<Content> {
        let Self::Directory(directory) = self else {
            let bytes = shipped::upload(name);
            return bytes
                .map(Content::inline)
                .with_context(|| format!("the upload '{name}' isn't built in; use --data-dir"));
        };
        let paths = [
            directory.join("uploads").join(name),
            directory.join("kickstarts/uploads").join(name),
        ];
        if let Some(content) = first_file(&paths)? {
            return Ok(content);
        }
        let [path, other] = paths.map(|path| path.display().to_string());
        bail!("can't find the upload '{name}': neither {path} nor {other} is a file")
    }

    /// The directory called `name`, a path below `uploads/`.
    ///
    /// # Errors
    /// When there is no such directory, with the places where it might have been.
    pub fn upload_directory(&self, name: &str) -> Result<PathBuf> {
        let Self::Directory(directory) = self else {
            bail!("the directory '{name}' isn't built in; use --data-dir");
        };
        let paths = [
            directory.join("uploads").join(name),
            directory.join("kickstarts/uploads").join(name),
        ];
        if let Some(found) = paths.iter().find(|path| path.is_dir()) {
            return Ok(found.clone());
        }
        let [path, other] = paths.map(|path| path.display().to_string());
        bail!("can't find the directory '{name}': neither {path} nor {other} is one")
    }

    /// The kickstart file called `name`, if there is one.
    ///
    /// # Errors
    /// When it can't be told.
    pub fn kickstart(&self, name: &str) -> Result<Option<Content>> {
        match self {
            Self::Directory(directory) => first_file(&[
                directory.join("kickstarts").join(name),
                directory.join(name),
            ]),
            Self::Shipped => Ok(shipped::kickstart(name).map(Content::inline)),
        }
    }
}

/// The first of `paths` that is a file.
fn first_file(paths: &[PathBuf]) -> Result<Option<Content>> {
    for path in paths {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => {
                return Ok(Some(Content::of_host(path, &metadata)));
            }
            Ok(_) => {}
            Err(error) if is_absent(&error) => {}
            Err(error) => {
                let message = format!("can't look at {}", path.display());
                return Err(error).context(message);
            }
        }
    }
    Ok(None)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(config: Option<&str>, data_dir: Option<&str>, variables: &[(&str, &str)]) -> Search {
        let variable = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some(OsString::from(value))
        };
        let executable = Path::new("/opt/bin/createhdds");
        Search::new(
            config.map(Into::into),
            data_dir.map(Into::into),
            variable,
            Some(executable),
        )
    }

    /// The paths of the configuration and of the data.
    fn paths(found: &Found) -> (&str, &str) {
        match (&found.config, &found.data) {
            (ConfigSource::File(config), DataDir::Directory(data)) => {
                (config.to_str().unwrap(), data.to_str().unwrap())
            }
            _ => ("shipped", "shipped"),
        }
    }

    #[test]
    fn options_come_before_variables_and_need_not_exist() {
        let both = [(CONFIG_VARIABLE, "/v/v.json"), (DATA_DIR_VARIABLE, "/vd")];
        for (config, data_dir, variables, expected) in [
            (Some("/o/o.json"), None, &[][..], ("/o/o.json", "/o")),
            (Some("o.json"), None, &[], ("o.json", "")),
            (None, Some("/d"), &[], ("/d/hdds.json", "/d")),
            (Some("/o/o.json"), Some("/d"), &both, ("/o/o.json", "/d")),
            (Some("/o/o.json"), None, &both, ("/o/o.json", "/vd")),
            (None, Some("/d"), &both, ("/v/v.json", "/d")),
            (None, None, &both, ("/v/v.json", "/vd")),
            (None, None, &both[..1], ("/v/v.json", "/v")),
            (None, None, &both[1..], ("/vd/hdds.json", "/vd")),
            (None, None, &[(CONFIG_VARIABLE, "")], ("shipped", "shipped")),
        ] {
            let found = search(config, data_dir, variables).locate(|_| false);
            assert_eq!(paths(&found), expected);
        }
    }

    #[test]
    fn directories_are_searched_in_their_order() {
        let order = [
            ("/opt/bin/hdds.json", "/opt/bin"),
            ("hdds.json", ""),
            (
                "/usr/local/share/createhdds/hdds.json",
                "/usr/local/share/createhdds",
            ),
            ("/usr/share/createhdds/hdds.json", "/usr/share/createhdds"),
            ("shipped", "shipped"),
        ];
        for (i, expected) in order.iter().enumerate() {
            let there = |path: &Path| order[i..].iter().any(|(file, _)| path == Path::new(file));
            assert_eq!(paths(&search(None, None, &[]).locate(there)), *expected);
        }
    }

    #[test]
    fn share_directories_follow_their_variable() {
        let variables = [("XDG_DATA_DIRS", "/a:relative:/b")];
        let directories = search(None, None, &variables).directories;
        let expected = ["/opt/bin", "", "/a/createhdds", "/b/createhdds"];
        assert_eq!(directories, expected.map(PathBuf::from));
    }

    #[test]
    fn uploads_beside_the_configuration_come_before_those_of_the_kickstarts() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::Directory(dir.path().to_path_buf());
        let [first, second] = ["uploads", "kickstarts/uploads"].map(|sub| dir.path().join(sub));
        for sub in [&first, &second] {
            fs::create_dir_all(sub.join("directory")).unwrap();
        }
        let error = data.upload("a").unwrap_err().to_string();
        assert!(error.contains(first.join("a").to_str().unwrap()), "{error}");
        assert!(
            error.contains(second.join("a").to_str().unwrap()),
            "{error}"
        );
        data.upload("directory").unwrap_err();
        for (sub, text) in [(&second, "four"), (&first, "three")] {
            let path = sub.join("a");
            fs::write(&path, text).unwrap();
            let expected = Content::of_host(&path, &fs::metadata(&path).unwrap());
            assert_eq!(data.upload("a").unwrap(), expected);
        }
    }

    #[test]
    fn kickstart_files_may_lie_beside_the_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::Directory(dir.path().to_path_buf());
        assert_eq!(data.kickstart("m.ks").unwrap(), None);
        fs::create_dir(dir.path().join("kickstarts")).unwrap();
        for path in [dir.path().join("m.ks"), dir.path().join("kickstarts/m.ks")] {
            fs::write(&path, "text").unwrap();
            let expected = Content::of_host(&path, &fs::metadata(&path).unwrap());
            assert_eq!(data.kickstart("m.ks").unwrap(), Some(expected));
        }
    }

    #[test]
    fn configurations_are_read_or_say_why_not() {
        assert_eq!(ConfigSource::Shipped.read().unwrap(), shipped::CONFIG);
        let dir = tempfile::tempdir().unwrap();
        let file = ConfigSource::File(dir.path().join("x.json"));
        let message = format!("can't read the configuration {}", file.name());
        assert_eq!(file.read().unwrap_err().to_string(), message);
        fs::write(dir.path().join("x.json"), "{}").unwrap();
        assert_eq!(file.read().unwrap(), "{}");
        fs::write(dir.path().join("x.json"), b"\xef\xbb\xbf{}").unwrap();
        assert_eq!(file.read().unwrap(), "{}");
        fs::write(dir.path().join("x.json"), b"\xff").unwrap();
        let text = format!("{:#}", file.read().unwrap_err());
        assert!(
            text.starts_with(&message) && text.contains("UTF-8"),
            "{text}"
        );
    }

    #[test]
    fn what_is_not_shipped_says_so() {
        let error = DataDir::Shipped.upload("nothing").unwrap_err().to_string();
        assert_eq!(error, "the upload 'nothing' isn't built in; use --data-dir");
        assert_eq!(DataDir::Shipped.kickstart("nothing.ks").unwrap(), None);
    }
}
