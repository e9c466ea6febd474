//! The set of images that is compiled into the program.

/// The configuration of the set.
pub(super) const CONFIG: &str = include_str!("../../../hdds.json");

// KICKSTARTS and UPLOADS: the names and the bytes of the files below kickstarts/.
include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// The kickstart file called `name`.
pub(super) fn kickstart(name: &str) -> Option<&'static [u8]> {
    find(KICKSTARTS, name)
}

/// The upload called `name`.
pub(super) fn upload(name: &str) -> Option<&'static [u8]> {
    find(UPLOADS, name)
}

fn find(table: &[(&str, &'static [u8])], name: &str) -> Option<&'static [u8]> {
    let (_, bytes) = table.iter().find(|(known, _)| *known == name)?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use anyhow::bail;
    use disklayout::Bytes;
    use disklayout::layout::DiskSize;
    use disklayout::layout::spec::{End, Holds, Start};

    use super::*;
    use crate::describe::hdds::Config;
    use crate::describe::hdds::names::kickstart_file_names;
    use crate::describe::hdds::releases::NextRelease;
    use crate::image::{Image, Layout, Recipe, Source};

    fn images() -> Vec<Image> {
        let config = Config::parse(CONFIG, "hdds.json", &["all", "check", "plan"]).unwrap();
        let config = config.strict().unwrap();
        let mut next = NextRelease::new(None, || {
            bail!("the shipped set asks for the current release")
        });
        config.images(&mut next).unwrap()
    }

    /// Label, size in MiB, and of each partition its bounds and filesystem.
    fn summary(layout: &Layout) -> String {
        let disk = &layout.disk;
        let parts = disk.partitions.iter().map(|part| {
            let Holds::Filesystem(filesystem) = &part.holds else {
                panic!("{part:?}");
            };
            let (role, format) = (part.role.as_str(), &filesystem.format);
            match (part.start, part.end) {
                (Start::Sector(start), End::Sector(end)) => {
                    format!(" {role}:{start}..{end} {format}")
                }
                other => panic!("{other:?}"),
            }
        });
        let DiskSize::Fixed(size) = disk.size else {
            panic!("{} has no size", disk.place)
        };
        let size = size.get() / Bytes::MIB;
        let table = disk.table.kind().as_str();
        format!("{table} {size}{}", parts.collect::<String>())
    }

    #[test]
    fn the_layouts_are_those_of_the_original_sector_by_sector() {
        let full = "25600 primary:4096..26214400 ext4 primary:26214401..-4097 ext4";
        let free = "10240 primary:4096..2101247 ext4";
        let small = "mbr 100 primary:4096..-1 ext4";
        let expected = [
            ("disk_full_mbr.img", format!("mbr {full}")),
            ("disk_full_gpt.img", format!("gpt {full}")),
            ("disk_freespace_mbr.img", format!("mbr {free}")),
            ("disk_freespace_gpt.img", format!("gpt {free}")),
            ("disk_ks-8.img", small.to_string()),
            ("disk_ks-9.img", small.to_string()),
            ("disk_updates_img.img", small.to_string()),
            (
                "disk_shrink_ext4.img",
                "mbr 10240 primary:4096..-4097 ext4".to_string(),
            ),
            (
                "disk_shrink_ntfs.img",
                "mbr 10240 primary:4096..-4097 ntfs".to_string(),
            ),
        ];
        let images = images();
        let layouts: Vec<_> = images
            .iter()
            .filter_map(|image| match &image.recipe {
                Recipe::Layout(layout, _) => Some((image.file_name.as_str(), summary(layout))),
                Recipe::Install(_) => None,
            })
            .collect();
        assert_eq!(layouts, expected);
    }

    #[test]
    fn the_installations_are_those_of_the_original() {
        let images = images();
        let installs: Vec<_> = images
            .iter()
            .filter_map(|image| match &image.recipe {
                Recipe::Layout(..) => None,
                Recipe::Install(recipe) => Some((image, recipe)),
            })
            .collect();
        let groups = [
            ("minimal", 15),
            ("minimal-uefi", 15),
            ("desktop", 20),
            ("desktopencrypt", 20),
            ("server", 9),
            ("support", 36),
        ];
        let variants = [
            ("8", "x86_64"),
            ("8", "aarch64"),
            ("8-BETA", "x86_64"),
            ("8-LookAhead", "x86_64"),
            ("9", "x86_64"),
            ("9", "aarch64"),
        ];
        let expected = groups
            .iter()
            .flat_map(|group| variants.iter().map(move |variant| (group, variant)));
        assert_eq!(installs.len(), groups.len() * variants.len());
        for ((image, recipe), ((name, size), (release, arch))) in installs.iter().zip(expected) {
            assert_eq!(
                image.file_name,
                format!("disk_rocky{release}_{name}_{arch}.qcow2")
            );
            assert_eq!(recipe.size_gib, *size);
            assert_eq!(recipe.maxage_days, 14);
            let bootopts = (*name == "minimal-uefi").then_some("uefi");
            assert_eq!(recipe.bootopts.as_deref(), bootopts);
        }
    }

    #[test]
    fn every_file_that_the_shipped_set_needs_is_shipped() {
        for image in images() {
            match &image.recipe {
                Recipe::Layout(layout, _) => {
                    for data in layout.data() {
                        let Source::File(name) = &data.source else {
                            panic!("{} isn't a file", data.place);
                        };
                        assert!(super::upload(name).is_some(), "{name}");
                    }
                }
                Recipe::Install(recipe) => {
                    let names = kickstart_file_names(&image.group, &recipe.release, &recipe.arch);
                    let found = names.iter().any(|name| kickstart(name).is_some());
                    assert!(found, "{}: none of {names:?}", image.file_name);
                }
            }
        }
    }
}
