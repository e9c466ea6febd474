//! The disk of a virtual machine, by qemu-img.

use std::ffi::OsString;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use disklayout::disk::SparseFile;
use disklayout::inspect;
use foreign::run::{Packages, Runner, Tool};
use foreign::stage::MemFile;

use crate::image::DiskFormat;

pub(super) const QEMU_IMG: Tool = Tool {
    program: "qemu-img",
    packages: Packages::two("qemu-utils", "qemu-img", "Fedora, Rocky"),
};

/// How much of the beginning and of the end is looked at, in bytes: tables lie in both, and
/// superblocks in the first 64 KiB and a bit.
const LOOKED_AT: u64 = 1 << 20;

/// Whether there is a partition table with partitions, or a filesystem, on the disk at `path`.
///
/// # Errors
/// When it can't be read, or isn't of the format.
pub(super) fn is_written(
    place: &str,
    path: &Path,
    format: DiskFormat,
    runner: &Runner,
) -> Result<bool> {
    let size = virtual_size(place, path, format, runner)?;
    let disk = MemFile::new(size)?;
    let last = size.saturating_sub(LOOKED_AT) / LOOKED_AT;
    for (limit, at) in [("count=1".to_owned(), 0), (format!("skip={last}"), last)] {
        let bytes = read_part(place, path, format, &limit, runner)?;
        disk.file().write_all_at(&bytes, at * LOOKED_AT)?;
    }
    let disk = SparseFile::open(disk.file().try_clone()?)?;
    Ok(match inspect::image(&disk) {
        Ok(image) => {
            let has_partitions = image
                .table
                .is_some_and(|table| !table.partitions.is_empty());
            let mut volumes = image.volumes.iter();
            has_partitions || volumes.any(|volume| matches!(volume.filesystem, Ok(Some(_))))
        }
        Err(_) => false,
    })
}

/// The size of the disk in bytes.
fn virtual_size(place: &str, path: &Path, format: DiskFormat, runner: &Runner) -> Result<u64> {
    let mut arguments: Vec<OsString> = ["info", "--output=json"].map(Into::into).to_vec();
    arguments.push(path.into());
    let printed = runner.output(&disklayout::Place::from(place), QEMU_IMG, &arguments)?;
    let info: serde_json::Value = serde_json::from_str(&printed)
        .with_context(|| format!("{place}: what qemu-img says of the disk isn't JSON"))?;
    // A raw disk is taken for anything that the guest has written to its beginning.
    if format == DiskFormat::Qcow2 && info["format"] != format.as_str() {
        bail!("{place}: the disk has become {}, not qcow2", info["format"]);
    }
    if format == DiskFormat::Raw {
        return Ok(path.metadata()?.len());
    }
    info["virtual-size"]
        .as_u64()
        .with_context(|| format!("{place}: qemu-img doesn't tell the size of the disk"))
}

/// A part of what the guest sees, `limit` in pieces of [`LOOKED_AT`].
fn read_part(
    place: &str,
    path: &Path,
    format: DiskFormat,
    limit: &str,
    runner: &Runner,
) -> Result<Vec<u8>> {
    let target = MemFile::new(0)?;
    let option = |name: &str, path: &Path| {
        let mut option = OsString::from(name);
        option.push(path);
        option
    };
    let mut arguments: Vec<OsString> = ["dd", "-f", format.as_str(), "-O", "raw"]
        .map(Into::into)
        .to_vec();
    arguments.extend([format!("bs={LOOKED_AT}").into(), limit.into()]);
    arguments.extend([option("if=", path), option("of=", &target.path())]);
    runner.run(&disklayout::Place::from(place), QEMU_IMG, &arguments)?;
    Ok(std::fs::read(target.path())?)
}

/// The arguments of qemu-img that copy `from` to `to` without what is zero.
pub(super) fn convert_arguments(
    format: DiskFormat,
    compress: bool,
    from: &Path,
    to: &Path,
) -> Vec<OsString> {
    let name = format.as_str();
    let mut arguments: Vec<OsString> = ["convert", "-q", "-f", name, "-O", name]
        .map(Into::into)
        .to_vec();
    if compress {
        arguments.push("-c".into());
    }
    arguments.extend([from.into(), to.into()]);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// An MBR with one partition.
    fn boot_sector() -> [u8; 512] {
        let mut sector = [0; 512];
        sector[446 + 4] = 0x83;
        sector[446 + 8] = 1;
        sector[446 + 12] = 9;
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        sector
    }

    fn check(size: u64, bytes: &[u8], format: DiskFormat) -> bool {
        let root = tempfile::tempdir().unwrap();
        let raw = root.path().join("raw");
        fs::write(&raw, bytes).unwrap();
        let file = fs::File::options().write(true).open(&raw).unwrap();
        file.set_len(size).unwrap();
        let disk = root.path().join("disk");
        let runner = Runner::from_env();
        let name = format.as_str();
        let mut arguments: Vec<OsString> = ["convert", "-f", "raw", "-O", name]
            .map(Into::into)
            .to_vec();
        arguments.extend([raw.into(), disk.clone().into()]);
        runner.run(&"test".into(), QEMU_IMG, &arguments).unwrap();
        is_written("test", &disk, format, &runner).unwrap()
    }

    #[test]
    fn a_table_is_recognised_in_either_format_and_size() {
        for format in [DiskFormat::Raw, DiskFormat::Qcow2] {
            for size in [512 * 64, LOOKED_AT, LOOKED_AT + 512, 5 * LOOKED_AT + 4096] {
                assert!(check(size, &boot_sector(), format), "{size}");
                assert!(!check(size, b"", format), "{size}");
                assert!(!check(size, b"something else", format), "{size}");
            }
        }
    }

    #[test]
    fn a_disk_of_another_format_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let disk = root.path().join("disk");
        fs::write(&disk, boot_sector()).unwrap();
        let runner = Runner::from_env();
        let error = is_written("test", &disk, DiskFormat::Qcow2, &runner).unwrap_err();
        assert!(error.to_string().contains("not qcow2"), "{error}");
    }

    #[test]
    fn converting_has_these_arguments() {
        let paths = (Path::new("/a"), Path::new("/b"));
        let arguments = |format, compress| {
            convert_arguments(format, compress, paths.0, paths.1).join(" ".as_ref())
        };
        let expected = "convert -q -f qcow2 -O qcow2 -c /a /b";
        assert_eq!(arguments(DiskFormat::Qcow2, true), expected);
        let expected = "convert -q -f raw -O raw /a /b";
        assert_eq!(arguments(DiskFormat::Raw, false), expected);
    }
}
