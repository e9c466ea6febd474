//! What mkfs.btrfs is told.

use std::ffi::OsString;
use std::path::Path;

use uuid::Uuid;

use super::SECTOR;
use super::options::{Chosen, Feature};
use super::subvolumes::Subvolume;

/// The arguments for a filesystem on `volume` with the content of the directory `top`, if there is
/// any.
pub(super) fn arguments(
    chosen: &Chosen,
    uuid: Uuid,
    label: Option<&str>,
    top: Option<&Path>,
    volume: &Path,
) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["-q", "-f", "-K"].map(OsString::from).to_vec();
    let mut add = |option: &str, value: String| args.extend([option.into(), value.into()]);
    add("-s", SECTOR.to_string());
    add("--csum", chosen.checksum.to_owned());
    add("-n", chosen.node_size.to_string());
    add("-U", uuid.to_string());
    // Version 6.2 takes this one only as an option of running filesystems, later ones as both.
    let is_runtime = |feature: &&Feature| feature.name == "free-space-tree";
    let (runtime, others): (Vec<_>, Vec<_>) = chosen.features.iter().partition(is_runtime);
    for (option, features) in [("-O", others), ("-R", runtime)] {
        if !features.is_empty() {
            add(option, list(&features));
        }
    }
    if let Some(label) = label {
        add("-L", label.to_owned());
    }
    if let Some(top) = top {
        for subvolume in &chosen.subvolumes {
            add("--subvol", said(subvolume));
        }
        if let Some(compress) = &chosen.compress {
            add("--compress", compress.clone());
        }
        args.extend(["--rootdir".into(), top.into()]);
    }
    if chosen.mixed {
        args.push("--mixed".into());
    }
    args.push(volume.into());
    args
}

fn list(features: &[&Feature]) -> String {
    let words = features.iter().map(|Feature { name, is_on }| match is_on {
        true => (*name).to_owned(),
        false => format!("^{name}"),
    });
    words.collect::<Vec<_>>().join(",")
}

/// The type is never left out: a path may have a colon.
fn said(subvolume: &Subvolume) -> String {
    let kind = match (subvolume.is_default, subvolume.is_read_only) {
        (false, false) => "rw",
        (false, true) => "ro",
        (true, false) => "default",
        (true, true) => "default-ro",
    };
    format!("{kind}:{}", subvolume.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(chosen: &Chosen, label: Option<&str>, top: Option<&str>) -> String {
        let volume = Path::new("/v");
        let args = arguments(chosen, Uuid::nil(), label, top.map(Path::new), volume);
        let words = args.iter().map(|word| word.to_str().unwrap());
        words.collect::<Vec<_>>().join(" ")
    }

    const UUID: &str = "00000000-0000-0000-0000-000000000000";

    #[test]
    fn an_empty_filesystem_is_told_of_as_far_as_it_differs() {
        let chosen = Chosen {
            checksum: "crc32c",
            compress: Some("zstd".to_owned()),
            features: Vec::new(),
            mixed: false,
            node_size: 16_384,
            subvolumes: Vec::new(),
        };
        let expected = format!("-q -f -K -s 4096 --csum crc32c -n 16384 -U {UUID} /v");
        assert_eq!(told(&chosen, None, None), expected);
    }

    #[test]
    fn everything_that_can_be_chosen_is_told_of() {
        let feature = |name, is_on| Feature { name, is_on };
        let chosen = Chosen {
            checksum: "sha256",
            compress: Some("zstd:3".to_owned()),
            features: vec![
                feature("free-space-tree", false),
                feature("extref", true),
                feature("no-holes", false),
            ],
            mixed: true,
            node_size: 4096,
            subvolumes: Subvolume::parse_all("home,ro:usr,default:a:b").unwrap(),
        };
        let expected = format!(
            "-q -f -K -s 4096 --csum sha256 -n 4096 -U {UUID} -O extref,^no-holes \
             -R ^free-space-tree -L -l --subvol rw:home --subvol ro:usr --subvol default:a:b \
             --compress zstd:3 --rootdir /top --mixed /v"
        );
        assert_eq!(told(&chosen, Some("-l"), Some("/top")), expected);
    }
}
