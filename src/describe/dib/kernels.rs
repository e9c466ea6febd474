//! Kernels among the files that a machine starts from, and the ramdisk that goes with each.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// What the name of a kernel begins with, by architecture.
const KERNELS: [&str; 4] = ["vmlinuz", "vmlinux", "Image", "image"];

/// What names of ramdisks are made of, in front of the version and behind it.
const RAMDISKS: [(&str, &str); 4] = [
    ("initrd.img", ""),
    ("initramfs", ".img"),
    ("initramfs", ""),
    ("initrd", ""),
];

/// Kernels that are only started when something is wrong.
const UNUSUAL: [&str; 2] = ["debug", "rescue"];

/// A kernel, and its ramdisk, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// The kernel.
    pub kernel: String,
    /// Its ramdisk, if there is one.
    pub ramdisk: Option<String>,
    version: String,
}

impl Kernel {
    /// The kernel that a machine with these files would start: the newest that has a ramdisk, or the
    /// newest. One that is made for large memories or for any machine comes before others.
    pub fn best(files: &BTreeSet<String>) -> Option<Self> {
        let kernels = files.iter().filter_map(|name| Self::of(name, files));
        kernels.max_by(Self::compare)
    }

    /// The kernel of this name, if it is one.
    fn of(name: &str, files: &BTreeSet<String>) -> Option<Self> {
        let rest = KERNELS.iter().find_map(|it| name.strip_prefix(it))?;
        let is_version = rest.is_empty() || rest.starts_with('-');
        if !is_version || UNUSUAL.iter().any(|it| rest.contains(it)) {
            return None;
        }
        let ramdisks = RAMDISKS
            .iter()
            .map(|(front, behind)| format!("{front}{rest}{behind}"));
        Some(Self {
            kernel: name.to_owned(),
            ramdisk: ramdisks.into_iter().find(|it| files.contains(it)),
            version: rest.trim_start_matches('-').to_owned(),
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let rank = |it: &Self| {
            let is_preferred = |part: &str| it.version.contains(part);
            (
                it.ramdisk.is_some(),
                is_preferred("PAE"),
                is_preferred("generic"),
            )
        };
        rank(self)
            .cmp(&rank(other))
            .then_with(|| compare_versions(&self.version, &other.version))
            .then_with(|| self.kernel.cmp(&other.kernel))
    }
}

/// The order of versions: numbers by their size, `~` before everything, also before the end.
fn compare_versions(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() || !b.is_empty() {
        let (text, rest) = split(a, |it| !it.is_ascii_digit());
        let (other, other_rest) = split(b, |it| !it.is_ascii_digit());
        let (number, next) = split(rest, |it| it.is_ascii_digit());
        let (other_number, other_next) = split(other_rest, |it| it.is_ascii_digit());
        let ordering = weights(text)
            .cmp(weights(other))
            .then_with(|| compare_numbers(number, other_number));
        if ordering != Ordering::Equal {
            return ordering;
        }
        (a, b) = (next, other_next);
    }
    Ordering::Equal
}

/// The start of a text as far as `is_part`, and the rest.
fn split(text: &str, is_part: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|it| !is_part(it)).unwrap_or(text.len()))
}

/// Characters by their order, with an end that is behind `~` alone.
fn weights(text: &str) -> impl Iterator<Item = u32> {
    let weight = |it: char| if it == '~' { 0 } else { u32::from(it) + 2 };
    text.chars().map(weight).chain([1])
}

fn compare_numbers(a: &str, b: &str) -> Ordering {
    let [a, b] = [a, b].map(|it| it.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_with_a_ramdisk_is_started() {
        for (files, kernel, ramdisk) in [
            (
                "vmlinuz-6.1.0-9-amd64 vmlinuz-6.1.0-10-amd64 initrd.img-6.1.0-9-amd64 \
                 initrd.img-6.1.0-10-amd64 config-6.1.0-10-amd64 System.map-6.1.0-10-amd64",
                "vmlinuz-6.1.0-10-amd64",
                "initrd.img-6.1.0-10-amd64",
            ),
            (
                "vmlinuz-5.14.0-1.el9 vmlinuz-0-rescue-12ab initramfs-0-rescue-12ab.img \
                 initramfs-5.14.0-1.el9.img vmlinuz-5.14.0-1.el9+debug",
                "vmlinuz-5.14.0-1.el9",
                "initramfs-5.14.0-1.el9.img",
            ),
            (
                "vmlinuz-9-kvm initrd.img-9-kvm vmlinuz-8-generic initrd.img-8-generic",
                "vmlinuz-8-generic",
                "initrd.img-8-generic",
            ),
            ("vmlinuz-3.1 vmlinuz-3.0.PAE", "vmlinuz-3.0.PAE", "none"),
            (
                "Image-6.4-default initrd-6.4-default",
                "Image-6.4-default",
                "initrd-6.4-default",
            ),
            (
                "vmlinuz-6.2 vmlinuz-6.1 initrd-6.1",
                "vmlinuz-6.1",
                "initrd-6.1",
            ),
            ("vmlinuz initrd.img vmlinuz.old", "vmlinuz", "initrd.img"),
        ] {
            let files = files.split_whitespace().map(str::to_owned).collect();
            let found = Kernel::best(&files).unwrap();
            assert_eq!(found.kernel, kernel);
            assert_eq!(found.ramdisk.as_deref().unwrap_or("none"), ramdisk);
        }
        assert_eq!(Kernel::best(&["initrd.img-6".to_owned()].into()), None);
    }

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let sorted = [
            "",
            "5.4~rc1",
            "5.4",
            "5.4-a",
            "5.4-b",
            "5.10.0",
            "5.10.0-2",
            "5.10.0-010",
            "10",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(
                compare_versions(pair[0], pair[1]),
                Ordering::Less,
                "{pair:?}"
            );
            assert_eq!(
                compare_versions(pair[1], pair[0]),
                Ordering::Greater,
                "{pair:?}"
            );
        }
    }
}
