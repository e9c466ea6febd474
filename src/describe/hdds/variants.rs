//! From groups to images.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use disklayout::Bytes;
use disklayout::layout::spec::{Disk, Partition, VolumeGroup};
use disklayout::table::{Kind, Role};

use super::model::{Config, Group, InstallGroup, Label, LayoutGroup, Part};
use super::releases::{NextRelease, Release, Resolved};
use super::{arch, family, for_label, holding, names, volumes};
use crate::image::{Filling, Image, InstallRecipe, Keys, Layout, Recipe, Seed};

impl Config {
    /// Every image that there should be, in the order of the file.
    ///
    /// # Errors
    /// When a relative release can't be resolved, or turns out to be that of another group.
    pub fn images(&self, next: &mut NextRelease<'_>) -> Result<Vec<Image>> {
        let mut images = Vec::new();
        for group in self.groups() {
            images.extend(match group {
                Group::Layout(group) => layout_images(group, None, None)?,
                Group::Install(group) => install_images(group, None, None, next)?,
            });
        }
        refuse_equal_names(&images)?;
        Ok(images)
    }
}

/// The images of `group` with this label and this filesystem, or all of them. A restriction
/// doesn't change the file names.
///
/// # Errors
/// When the group has no such variant.
pub fn layout_images(
    group: &LayoutGroup,
    label: Option<&str>,
    filesystem: Option<&str>,
) -> Result<Vec<Image>> {
    let labels = group.labels.iter().map(|label| label.word.as_str());
    refuse_unlisted(group, "label", label, labels)?;
    let filesystems = group.filesystems.iter().map(String::as_str);
    refuse_unlisted(group, "filesystem", filesystem, filesystems)?;
    let wanted = |wish: Option<&str>, word: &str| wish.is_none_or(|wish| wish == word);
    let images = of(group)
        .into_iter()
        .filter(|(l, fs)| wanted(label, &l.word) && wanted(filesystem, fs))
        .flat_map(|(label, filesystem)| files(group, label, filesystem));
    Ok(images.collect())
}

/// The images of `group`, or the one of this release and architecture, which needn't be among
/// those of the group. Without an architecture it is the usual one, x86_64.
///
/// # Errors
/// When an architecture is given without a release, when there is no such thing as the release
/// for the architecture, and when a relative release can't be resolved.
pub fn install_images(
    group: &InstallGroup,
    release: Option<&Release>,
    arch: Option<&str>,
    next: &mut NextRelease<'_>,
) -> Result<Vec<Image>> {
    match (release, arch) {
        (None, None) => all_install_images(group, next),
        (Some(release), arch) => {
            let arch = arch.unwrap_or(arch::DEFAULT);
            let releases = release.resolve(&group.distribution, next)?;
            let images = releases.iter().map(|release| {
                let Resolved { name, .. } = release;
                if !group.distribution.is_released(name, arch) {
                    bail!("release {name} was never made for {arch}");
                }
                Ok(install_image(group, release, arch))
            });
            images.collect()
        }
        (None, Some(arch)) => {
            bail!("the architecture {arch} is given without a release; give one with -r/--release")
        }
    }
}

/// The variants of a group: each label with each filesystem.
pub(super) fn of(group: &LayoutGroup) -> Vec<(&Label, &str)> {
    let filesystems = || group.filesystems.iter().map(String::as_str);
    let labels = group.labels.iter();
    labels
        .flat_map(|label| filesystems().map(move |filesystem| (label, filesystem)))
        .collect()
}

/// What the name of a variant in the format of raw images ends in.
const RAW: &str = "img";

/// The name of a variant with this extension. Only what the group has several of is in it.
pub(super) fn file_name(
    group: &LayoutGroup,
    label: &Label,
    filesystem: &str,
    extension: &str,
) -> String {
    let filesystem = (group.filesystems.len() > 1).then_some(filesystem);
    let label = (group.labels.len() > 1).then_some(label.word.as_str());
    let imgver = group.imgver.as_deref();
    names::layout_file_name(&group.name, imgver, filesystem, label, extension)
}

/// A variant in each of the formats.
fn files(group: &LayoutGroup, label: &Label, filesystem: &str) -> Vec<Image> {
    let layout = Arc::new(layout(group, label, filesystem));
    let formats = group.formats.iter();
    let images = formats.map(|format| Image {
        file_name: file_name(group, label, filesystem, &format.extension),
        group: group.name.clone(),
        recipe: Recipe::Layout(Arc::clone(&layout), format.clone()),
    });
    images.collect()
}

fn layout(group: &LayoutGroup, label: &Label, filesystem: &str) -> Layout {
    let fillings = group.parts.iter().map(|part| part.filling.clone());
    let mut contents: Vec<_> = fillings.collect();
    let mut keys = keys_of_parts(group);
    let order = by_number(group, label.kind);
    for file in &group.files {
        if let Some(Filling::Files(objects)) =
            of_number(&order, file.part).and_then(|index| contents.get_mut(index))
        {
            objects.push(file.object.clone());
        }
    }
    let first = group.volumes_from();
    let (first_label, first_filesystem) = first.variant(label, filesystem);
    let groups = volumes::groups(group, first_filesystem);
    for volume in groups.iter().flat_map(|(_, volumes)| volumes) {
        contents.push(volume.filling.clone());
        keys.extend(volume.keys.iter().cloned());
    }
    let is_shared = group.family.is_some();
    let seed = is_shared.then(|| file_name(first, first_label, first_filesystem, RAW));
    let groups = groups.into_iter().map(|(spec, _)| VolumeGroup {
        seed: seed.clone(),
        ..spec
    });
    let others = group.others().map(|(position, other)| {
        let (label, filesystem) = other.variant(label, filesystem);
        let mut disk = disk(other, label, filesystem, position);
        Keys::pretend(&mut disk, &keys_of_parts(other));
        disk
    });
    Layout {
        disk: Disk {
            groups: groups.collect(),
            others: others.collect(),
            ..disk(group, label, filesystem, group.position())
        },
        other_formats: group.others().map(|(_, it)| it.formats.clone()).collect(),
        contents,
        blobs: group.blobs.iter().map(|(_, data)| data.clone()).collect(),
        keys,
        // The same disk in every format.
        seed: Seed::Text(file_name(group, label, filesystem, RAW)),
    }
}

/// What opens the partitions of a group, those of them that are encrypted.
fn keys_of_parts(group: &LayoutGroup) -> Vec<Keys> {
    let parts = group.parts.iter();
    parts.flat_map(|part| part.keys.clone()).collect()
}

/// The disk of a variant, which is at this position among those of its volumes, without any of them.
fn disk(group: &LayoutGroup, label: &Label, filesystem: &str, position: usize) -> Disk {
    let partitions = group.parts.iter().map(|part| partition(part, filesystem));
    let mut partitions: Vec<_> = partitions.collect();
    for_label::adapt(&mut partitions, group, label.kind);
    family::order(partitions.iter_mut().map(|it| &mut it.holds), position);
    Disk {
        place: group.place.clone(),
        size: group.size,
        multiple: Bytes::new(1),
        sector_size: group.sector_size,
        table: for_label::table(group, label.kind),
        partitions,
        blobs: group.blobs.iter().map(|(blob, _)| blob.clone()).collect(),
        groups: Vec::new(),
        others: Vec::new(),
        kept_table: Vec::new(),
    }
}

/// A partition with the filesystem that it names, or else that of the variant.
fn partition(part: &Part, filesystem: &str) -> Partition {
    let mut partition = part.partition.clone();
    let word = part.filesystem.as_deref().unwrap_or(filesystem);
    holding::choose(&mut partition.holds, word);
    partition
}

/// The positions of the parts in the order of their numbers: logical partitions come last.
pub(super) fn by_number(group: &LayoutGroup, kind: Kind) -> Vec<usize> {
    let mut order: Vec<_> = (0..group.parts.len()).collect();
    if kind == Kind::Mbr {
        order.sort_by_key(|index| group.parts[*index].partition.role == Role::Logical);
    }
    order
}

/// The position of the partition with this number, counted from 1.
pub(super) fn of_number(order: &[usize], number: i64) -> Option<usize> {
    let index = usize::try_from(number.checked_sub(1)?).ok()?;
    order.get(index).copied()
}

fn all_install_images(group: &InstallGroup, next: &mut NextRelease<'_>) -> Result<Vec<Image>> {
    let mut images: Vec<Image> = Vec::new();
    for (release, arches) in &group.releases {
        let distribution = &group.distribution;
        let releases = release.resolve(distribution, next)?;
        // The same release under several names is one image for each architecture.
        for (arch, release) in arches
            .iter()
            .flat_map(|arch| releases.iter().map(move |release| (arch, release)))
            .filter(|(arch, release)| distribution.is_released(&release.name, arch))
        {
            let image = install_image(group, release, arch);
            let is_there = |other: &Image| other.file_name == image.file_name;
            if !images.iter().any(is_there) {
                images.push(image);
            }
        }
    }
    Ok(images)
}

fn install_image(group: &InstallGroup, release: &Resolved, arch: &str) -> Image {
    Image {
        file_name: install_file_name(group, &release.name, arch),
        group: group.name.clone(),
        recipe: Recipe::Install(Box::new(InstallRecipe {
            place: group.place.clone(),
            release: release.name.clone(),
            stage: release.stage,
            arch: arch.to_string(),
            distribution: Arc::clone(&group.distribution),
            variant: group.variant.clone(),
            size_gib: group.size_gib,
            maxage_days: group.maxage_days,
            bootopts: group.bootopts.clone(),
            format: group.format,
            memory_mib: group.memory_mib,
            cpus: group.cpus,
            finish: group.finish,
        })),
    }
}

/// The name of the image of `group` with `release` for `arch`.
pub(super) fn install_file_name(group: &InstallGroup, release: &str, arch: &str) -> String {
    let (prefix, imgver) = (&group.distribution.prefix, group.imgver.as_deref());
    names::install_file_name(prefix, release, &group.name, imgver, arch, group.extension)
}

fn refuse_unlisted<'a>(
    group: &LayoutGroup,
    what: &str,
    wish: Option<&str>,
    listed: impl Iterator<Item = &'a str>,
) -> Result<()> {
    let listed: Vec<_> = listed.collect();
    match wish {
        Some(wish) if !listed.contains(&wish) => {
            let (name, listed) = (&group.name, listed.join(", "));
            bail!("the group '{name}' has no {what} '{wish}'; it has {listed}")
        }
        _ => Ok(()),
    }
}

/// Parsing has compared the names as they are written; relative releases show theirs only now.
fn refuse_equal_names(images: &[Image]) -> Result<()> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for Image {
        file_name, group, ..
    } in images
    {
        if let Some(first) = seen.insert(file_name, group) {
            bail!("the groups '{first}' and '{group}' both have an image called '{file_name}'");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use disklayout::layout::spec::Holds;

    use super::*;

    fn config(guestfs: &str, virtinstall: &str) -> Config {
        let text =
            format!(r#"{{"guestfs": [{guestfs}], "virtinstall": [{virtinstall}], "renames": []}}"#);
        Config::parse(&text, "t", &[]).unwrap()
    }

    fn names(images: &[Image]) -> Vec<&str> {
        images
            .iter()
            .map(|image| image.file_name.as_str())
            .collect()
    }

    fn nobody_asks() -> NextRelease<'static> {
        NextRelease::new(None, || bail!("asked for the current release"))
    }

    const BOTH: &str = r#"{"name": "x", "size": 1, "labels": ["mbr", "gpt"],
        "filesystems": ["ext4", "ntfs"], "parts": [
            {"type": "p", "start": 1, "end": 2},
            {"type": "p", "start": 3, "end": 4, "filesystem": "vfat"}]}"#;

    const MINIMAL: &str = r#"{"name": "m", "size": 15, "maxage": 3, "releases":
        {"8": ["i686", "x86_64"], "9": ["x86_64", "i686"], "-1": ["aarch64", "x86_64"]}}"#;

    #[test]
    fn the_label_is_the_outer_loop_and_the_filesystem_comes_first_in_the_name() {
        let images = config(BOTH, "").images(&mut nobody_asks()).unwrap();
        let expected = [
            "disk_x_ext4_mbr.img",
            "disk_x_ntfs_mbr.img",
            "disk_x_ext4_gpt.img",
            "disk_x_ntfs_gpt.img",
        ];
        assert_eq!(names(&images), expected);
    }

    #[test]
    fn every_variant_has_its_own_filesystem_where_the_partition_names_none() {
        let images = config(BOTH, "").images(&mut nobody_asks()).unwrap();
        let filesystems: Vec<Vec<_>> = images
            .iter()
            .map(|image| match &image.recipe {
                Recipe::Layout(layout, _) => layout
                    .disk
                    .partitions
                    .iter()
                    .map(|part| match &part.holds {
                        Holds::Filesystem(held) => held.format.as_str(),
                        other => panic!("{other:?}"),
                    })
                    .collect(),
                Recipe::Install(_) => vec![],
            })
            .collect();
        let (ext4, ntfs) = (["ext4", "vfat"], ["ntfs", "vfat"]);
        assert_eq!(filesystems, [ext4, ntfs, ext4, ntfs]);
    }

    #[test]
    fn a_restriction_keeps_the_long_names() {
        let config = config(BOTH, "");
        let group = &config.layouts[0];
        for (label, filesystem, expected) in [
            (Some("gpt"), Some("ntfs"), &["disk_x_ntfs_gpt.img"][..]),
            (
                None,
                Some("ntfs"),
                &["disk_x_ntfs_mbr.img", "disk_x_ntfs_gpt.img"],
            ),
            (
                Some("mbr"),
                None,
                &["disk_x_ext4_mbr.img", "disk_x_ntfs_mbr.img"],
            ),
        ] {
            let images = layout_images(group, label, filesystem).unwrap();
            assert_eq!(names(&images), expected);
        }
        let error = layout_images(group, None, Some("xfs")).unwrap_err();
        let message = "the group 'x' has no filesystem 'xfs'; it has ext4, ntfs";
        assert_eq!(error.to_string(), message);
        layout_images(group, Some("sun"), None).unwrap_err();
    }

    #[test]
    fn relative_releases_are_resolved_and_never_listed_twice() {
        let mut next = NextRelease::new(None, || Ok(9));
        let images = config("", MINIMAL).images(&mut next).unwrap();
        let expected = [
            "disk_rocky8_m_i686.qcow2",
            "disk_rocky8_m_x86_64.qcow2",
            "disk_rocky9_m_x86_64.qcow2",
            "disk_rocky9_m_aarch64.qcow2",
        ];
        assert_eq!(names(&images), expected);
    }

    #[test]
    fn one_release_and_architecture() {
        let config = config("", MINIMAL);
        let group = &config.installs[0];
        let one = |release: &str, arch: Option<&str>| {
            let release = Release::parse(release).unwrap();
            install_images(group, Some(&release), arch, &mut nobody_asks())
        };
        assert_eq!(
            names(&one("10", None).unwrap()),
            ["disk_rocky10_m_x86_64.qcow2"]
        );
        assert_eq!(
            names(&one("8", Some("i686")).unwrap()),
            ["disk_rocky8_m_i686.qcow2"]
        );
        let error = one("9", Some("i686")).unwrap_err();
        assert_eq!(error.to_string(), "release 9 was never made for i686");
        one("-1", None).unwrap_err();
        install_images(group, None, Some("x86_64"), &mut nobody_asks()).unwrap_err();
    }

    #[test]
    fn groups_that_meet_in_a_relative_release_are_refused() {
        let text = r#"{"name": "a", "imgver": "b", "size": 1, "releases": {"9": ["x86_64"]}},
                      {"name": "a_b", "size": 1, "releases": {"-1": ["x86_64"]}}"#;
        let config = config("", text);
        let images = |next| config.images(&mut NextRelease::new(Some(next), || bail!("asked")));
        assert_eq!(images(11).unwrap().len(), 2);
        let error = images(10).unwrap_err();
        let expected =
            "the groups 'a' and 'a_b' both have an image called 'disk_rocky9_a_b_x86_64.qcow2'";
        assert_eq!(error.to_string(), expected);
    }
}
