//! The names of image and kickstart files.

/// The longest name of a file on the filesystems of Linux, in bytes.
const NAME_MAX: usize = 255;

/// What is appended to the name of an image while it is being built.
const TEMPORARY_SUFFIX: &str = ".tmp";

/// The name of a layout image. The filesystem and the label are in it only where the group has
/// more than one of them.
pub fn layout_file_name(
    name: &str,
    imgver: Option<&str>,
    filesystem: Option<&str>,
    label: Option<&str>,
    extension: &str,
) -> String {
    let parts = [Some("disk"), Some(name), imgver, filesystem, label];
    format!("{}.{extension}", joined(&parts))
}

/// What the name of an image with an installed system ends in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extension {
    /// A disk in QEMU's own format.
    #[default]
    Qcow2,
    /// A disk in any format.
    Img,
}

impl Extension {
    /// The extension without its dot.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Qcow2 => "qcow2",
            Self::Img => "img",
        }
    }

    /// The extension that `name` is, without a dot.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Qcow2, Self::Img];
        all.into_iter().find(|extension| extension.as_str() == name)
    }
}

/// The name of an image with an installed system; `prefix` is that of its distribution.
pub fn install_file_name(
    prefix: &str,
    release: &str,
    name: &str,
    imgver: Option<&str>,
    arch: &str,
    extension: Extension,
) -> String {
    let release = format!("{prefix}{release}");
    let parts = [Some("disk"), Some(&release), Some(name), imgver, Some(arch)];
    format!("{}.{}", joined(&parts), extension.as_str())
}

/// The kickstart files that are looked for, the most particular first.
pub fn kickstart_file_names(name: &str, release: &str, arch: &str) -> [String; 4] {
    [
        format!("{name}-{release}-{arch}.ks"),
        format!("{name}-{release}.ks"),
        format!("{name}-{arch}.ks"),
        format!("{name}.ks"),
    ]
}

fn joined(parts: &[Option<&str>]) -> String {
    let present: Vec<_> = parts.iter().copied().flatten().collect();
    present.join("_")
}

/// Refuses a word that can't be a part of the name of a file in this directory.
pub(super) fn check_word(word: &str) -> Result<(), String> {
    let shown = word.escape_debug();
    let reason = if word.is_empty() {
        "is empty"
    } else if word.contains('/') {
        "contains a '/' and would leave the directory"
    } else if word.chars().any(char::is_control) {
        "contains a control character"
    } else if word.starts_with('.') {
        "starts with a '.'"
    } else {
        return Ok(());
    };
    Err(format!("'{shown}' {reason}; it is a part of a file name"))
}

/// Refuses a file name that is too long once the suffix of the temporary file is appended.
pub(super) fn check_length(file_name: &str) -> Result<(), String> {
    let limit = NAME_MAX - TEMPORARY_SUFFIX.len();
    if file_name.len() > limit {
        let len = file_name.len();
        return Err(format!(
            "the file name '{file_name}' has {len} bytes; {limit} is the limit"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_names_put_the_version_first_and_the_filesystem_before_the_label() {
        for (imgver, filesystem, label, expected) in [
            (None, None, None, "disk_x.img"),
            (Some("2"), None, None, "disk_x_2.img"),
            (None, Some("ntfs"), None, "disk_x_ntfs.img"),
            (None, None, Some("gpt"), "disk_x_gpt.img"),
            (
                Some("2"),
                Some("ntfs"),
                Some("gpt"),
                "disk_x_2_ntfs_gpt.img",
            ),
        ] {
            assert_eq!(
                layout_file_name("x", imgver, filesystem, label, "img"),
                expected
            );
        }
    }

    #[test]
    fn install_names_start_with_the_release_and_end_with_the_architecture() {
        use Extension::{Img, Qcow2};
        for (release, imgver, extension, expected) in [
            ("9", None, Qcow2, "disk_rocky9_minimal_x86_64.qcow2"),
            ("9", None, Img, "disk_rocky9_minimal_x86_64.img"),
            (
                "8-BETA",
                Some("3"),
                Qcow2,
                "disk_rocky8-BETA_minimal_3_x86_64.qcow2",
            ),
        ] {
            let name = install_file_name("rocky", release, "minimal", imgver, "x86_64", extension);
            assert_eq!(name, expected);
        }
    }

    #[test]
    fn the_most_particular_kickstart_comes_first() {
        assert_eq!(
            kickstart_file_names("server", "9", "aarch64"),
            [
                "server-9-aarch64.ks",
                "server-9.ks",
                "server-aarch64.ks",
                "server.ks"
            ]
        );
    }

    #[test]
    fn words_that_would_leave_the_directory_are_refused() {
        for word in ["ks-8", "updates_img", "8-BETA", "ü", "a b", "a.b"] {
            check_word(word).unwrap();
        }
        for word in ["", "a/b", "/", "a\0", "a\nb", ".", "..", ".hidden"] {
            check_word(word).unwrap_err();
        }
    }

    #[test]
    fn the_temporary_name_fits_too() {
        check_length(&"x".repeat(251)).unwrap();
        check_length(&"x".repeat(252)).unwrap_err();
    }
}
