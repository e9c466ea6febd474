//! What the files of an image are called. Where anything else lies among them, it is no image.

/// What of an image a path may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing that an image has.
    Foreign,
    /// A directory that others have too.
    Directory,
    /// A file that hardly anything else has.
    File,
}

impl Part {
    /// What a path is, without `.` and doubled slashes in it.
    pub(super) fn of(path: &str, is_directory: bool) -> Self {
        let names: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
        let is_one = match (names.as_slice(), is_directory) {
            ([] | [_] | ["blobs", _] | ["ingest", ..], true) => return Self::Directory,
            ([name], false) => is_top(name),
            (["blobs", _, _], false) => true,
            ([_, "layer.tar" | "json" | "VERSION"], false) => true,
            _ => false,
        };
        match is_one {
            true => Self::File,
            false => Self::Foreign,
        }
    }
}

/// Whether a file at the top is called so: documents, and layers of `docker save`, which some
/// programs compress.
fn is_top(name: &str) -> bool {
    let documents = ["oci-layout", "repositories", "index.json.lock"];
    let ends = [".json", ".tar", ".tar.gz", ".tgz", ".tar.zst"];
    documents.contains(&name)
        || name.starts_with("sha256:")
        || ends
            .iter()
            .any(|end| name.len() > end.len() && name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_images_have_these_names() {
        for (path, is_directory, expected) in [
            ("", true, Part::Directory),
            ("blobs/sha256", true, Part::Directory),
            ("bin", true, Part::Directory),
            ("oci-layout", false, Part::File),
            ("blobs/sha256/aa", false, Part::File),
            ("aa.json", false, Part::File),
            ("aa/layer.tar", false, Part::File),
            ("aa.tar.gz", false, Part::File),
            ("sha256:aa", false, Part::File),
            ("bin/sh", false, Part::Foreign),
            ("bin", false, Part::Foreign),
            ("usr/bin", true, Part::Foreign),
            ("blobs/sha256/a/b", false, Part::Foreign),
            (".json", false, Part::Foreign),
        ] {
            assert_eq!(Part::of(path, is_directory), expected, "{path}");
        }
    }
}
