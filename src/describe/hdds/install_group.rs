//! Groups of images with an installed system: `virtinstall[]`.

use std::collections::HashSet;
use std::sync::Arc;

use super::layout_group::{read_imgver, read_name};
use super::model::InstallGroup;
use super::releases::Release;
use super::{arch, installed_disk, keys, machine, names, size};
use crate::config::{Findings, Object, Value};
use crate::distribution::Distribution;

/// Reads a group; `None` when anything is wrong with it.
/// `is_chosen` tells that the file, or the user, says what is installed.
pub(super) fn read(
    value: &Value<'_>,
    distribution: &Arc<Distribution>,
    is_chosen: bool,
    reserved: &[&str],
    f: &mut Findings,
) -> Option<InstallGroup> {
    let object = value.object(&keys::INSTALL_GROUP, f)?;
    let variant = read_variant(&object, is_chosen, f);
    let name = read_name(&object, reserved, f);
    let releases = object
        .required("releases", f)
        .and_then(|value| releases(value, f));
    let size_gib = read_size(&object, f);
    let imgver = read_imgver(&object, f);
    let maxage_days = object.optionally("maxage", f, Value::unsigned);
    let bootopts = object.optionally("bootopts", f, Value::string);
    let disk = installed_disk::read(&object, f);
    let memory_mib = read_text(&object, "memory", f, machine::parse_memory);
    let cpus = read_text(&object, "cpus", f, machine::parse_cpus);
    let disk = disk?;
    Some(InstallGroup {
        place: f.named(value.place()),
        name: name?,
        imgver: imgver?,
        distribution: Arc::clone(distribution),
        variant: variant?,
        releases: releases?,
        size_gib: size_gib?,
        maxage_days: maxage_days?.unwrap_or(distribution.maxage_days),
        bootopts: bootopts?
            .filter(|opts| !opts.is_empty())
            .map(str::to_string),
        format: disk.format,
        extension: disk.extension,
        memory_mib: memory_mib?,
        cpus: cpus?,
        finish: disk.finish,
    })
}

/// The variant, which has an effect only where the distribution has several trees. Sets that are
/// made for another program have it too, so that it is no mistake where what they are is said.
fn read_variant(object: &Object<'_>, is_chosen: bool, f: &mut Findings) -> Option<Option<String>> {
    if !is_chosen && object.optional("variant").is_some() {
        f.warn(
            &object.place_of("variant"),
            "unknown key 'variant': it chooses an installation tree of Fedora and has no effect here",
        );
    }
    object.optionally("variant", f, |value, f| {
        let text = value.string(f)?;
        f.check(value.place(), names::check_word(text))?;
        Some(text.to_owned())
    })
}

/// What `parse` makes of the string or the number of `key`, if there is any.
fn read_text<T>(
    object: &Object<'_>,
    key: &str,
    f: &mut Findings,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<Option<T>> {
    object.optionally(key, f, |value, f| {
        let text = value.text(f)?;
        f.check(value.place(), parse(&text))
    })
}

fn releases(value: &Value<'_>, f: &mut Findings) -> Option<Vec<(Release, Vec<String>)>> {
    let entries = value.entries("an object of releases and their architectures", f)?;
    if entries.is_empty() {
        f.warn(
            value.place(),
            "there are no releases, so there are no images",
        );
    }
    let mut releases = Vec::new();
    for (key, arches) in &entries {
        let release = f.check(arches.place(), Release::parse(key));
        let arches = arches.each("architectures", f, {
            let mut seen = HashSet::new();
            move |value, f| architecture(value, &mut seen, f)
        });
        releases.push(release.zip(arches));
    }
    releases.into_iter().collect()
}

fn architecture<'a>(
    value: &Value<'a>,
    seen: &mut HashSet<&'a str>,
    f: &mut Findings,
) -> Option<String> {
    let arch = value.string(f)?;
    f.check(value.place(), arch::check(arch))?;
    if !seen.insert(arch) {
        return f.refuse(value.place(), format!("'{arch}' is in the list already"));
    }
    Some(arch.to_string())
}

/// The size in GiB. Without one the original hands a size of 0 to virt-install, which then can't
/// make a new disk.
fn read_size(object: &Object<'_>, f: &mut Findings) -> Option<u64> {
    let size = read_text(object, "size", f, size::parse_gib)?.unwrap_or(0);
    if size == 0 {
        f.warn(
            object.place(),
            "there is no size; virt-install needs one in GiB to make a disk",
        );
    }
    Some(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests;
    use crate::describe::hdds::names::Extension;
    use crate::image::{DiskFormat, Finish};

    fn group(json: &str) -> (Option<InstallGroup>, Vec<String>) {
        tests::read(json, |value, f| read(value, &Arc::default(), false, &[], f))
    }

    #[test]
    fn defaults_and_the_order_of_the_releases() {
        let (group, problems) = group(
            r#"{"name": "m", "size": "15",
                "releases": {"9": ["x86_64", "aarch64"], "8-BETA": ["x86_64"], "-1": ["i686"]}}"#,
        );
        let group = group.unwrap();
        assert_eq!(problems, [""; 0]);
        assert_eq!(group.maxage_days, 14);
        assert_eq!(group.size_gib, 15);
        assert_eq!((group.imgver, group.bootopts), (None, None));
        assert_eq!((group.memory_mib, group.cpus), (None, None));
        let disk = (group.format, group.extension, group.finish);
        let expected = (DiskFormat::Qcow2, Extension::Qcow2, Finish::default());
        assert_eq!(disk, expected);
        let releases: Vec<_> = group
            .releases
            .iter()
            .map(|(r, a)| (r.to_string(), a.len()))
            .collect();
        let expected = [("9", 2), ("8-BETA", 1), ("-1", 1)];
        assert_eq!(
            releases,
            expected.map(|(release, n)| (release.to_string(), n))
        );
    }

    #[test]
    fn every_key() {
        let (group, _) = group(
            r#"{"name": "m", "size": 20, "imgver": "3", "maxage": "0", "bootopts": "uefi",
                "format": "raw", "extension": "img", "memory": "4G", "cpus": 2,
                "sparsify": true, "compress": false, "checksum": true, "releases": {"9": []}}"#,
        );
        let group = group.unwrap();
        assert_eq!((group.size_gib, group.maxage_days), (20, 0));
        assert_eq!((group.memory_mib, group.cpus), (Some(4096), Some(2)));
        let disk = (group.format, group.extension);
        assert_eq!(disk, (DiskFormat::Raw, Extension::Img));
        let finish = Finish {
            sparsify: true,
            compress: false,
            checksum: true,
        };
        assert_eq!(group.finish, finish);
        assert_eq!(group.imgver.as_deref(), Some("3"));
        assert_eq!(group.bootopts.as_deref(), Some("uefi"));
    }

    #[test]
    fn doubtful_groups_are_warned_of() {
        for (json, expected) in [
            (
                r#"{"name": "m", "size": 1, "releases": {}}"#,
                "releases: there are no releases, so there are no images",
            ),
            (
                r#"{"name": "m", "releases": {"9": ["x86_64"]}}"#,
                "there is no size; virt-install needs one in GiB to make a disk",
            ),
            (
                r#"{"name": "m", "size": 1, "variant": "Server", "releases": {"9": ["x86_64"]}}"#,
                "variant: unknown key 'variant': it chooses an installation tree of Fedora and has no effect here",
            ),
        ] {
            let (group, problems) = group(json);
            assert!(group.is_some());
            assert_eq!(problems, [expected]);
        }
    }
}
