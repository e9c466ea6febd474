//! The files on the EFI system partition: shim and GRUB as they are signed, where the tree has
//! them, else GRUB as grub-mkimage makes it here. The firmware's variables are never touched: it
//! starts what has the name for removable media.

use anyhow::Result;

use super::files::{Copy, PERMISSIONS};
use super::image;
use super::plan::Home;
use super::platform::Platform;
use crate::rooted::Tree;

/// What goes onto the EFI system partition.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Files {
    copies: Vec<Copy>,
    /// The configuration of a signed GRUB, which leads to the one in the tree.
    stub: Option<(String, String)>,
}

impl Files {
    /// What goes onto the EFI system partition that is mounted `at` this directory.
    ///
    /// # Errors
    /// Where the tree can't be read.
    pub(super) fn new(tree: &Tree, platform: Platform, home: &Home, at: &str) -> Result<Self> {
        let efi = format!("{}/EFI", at.trim_end_matches('/'));
        let suffix = platform.suffix;
        let shim = format!("/usr/lib/shim/shim{suffix}.efi.signed");
        let grub = format!("{}-signed/grub{suffix}.efi.signed", platform.modules());
        let signed = match tree.has_file(&shim)? {
            true => tree.read(&grub)?,
            false => None,
        };
        let Some(signed) = signed else {
            let vendor = vendor(tree, &[])?;
            let core = image::core_file(platform);
            let places = [
                format!("{efi}/BOOT/{}", platform.removable()),
                format!("{efi}/{vendor}/grub{suffix}.efi"),
            ];
            return Ok(Self {
                copies: places.map(|place| Copy::new(&core, place)).into(),
                stub: None,
            });
        };
        let vendor = vendor(tree, &signed)?;
        let mut copies = vec![
            Copy::new(&shim, format!("{efi}/BOOT/{}", platform.removable())),
            Copy::new(&shim, format!("{efi}/{vendor}/shim{suffix}.efi")),
            Copy::new(&grub, format!("{efi}/BOOT/grub{suffix}.efi")),
            Copy::new(&grub, format!("{efi}/{vendor}/grub{suffix}.efi")),
        ];
        copies.extend(helpers(tree, platform, &efi, &vendor)?);
        let stub = format!("{}configfile $prefix/grub.cfg\n", image::search(home));
        Ok(Self {
            copies,
            stub: Some((format!("{efi}/{vendor}/grub.cfg"), stub)),
        })
    }

    /// Puts them there.
    ///
    /// # Errors
    /// Where a file can't be read or written.
    pub(super) fn install(&self, tree: &Tree) -> Result<()> {
        self.copies.iter().try_for_each(|copy| copy.make(tree))?;
        match &self.stub {
            Some((path, text)) => tree.write(path, text.as_bytes(), PERMISSIONS),
            None => Ok(()),
        }
    }
}

/// What shim starts besides GRUB, where the tree has it: the manager of keys, and the program that
/// makes an entry in the firmware's variables of what the table beside it says. The latter isn't
/// put beside what firmware starts, as it would be started instead of GRUB.
fn helpers(tree: &Tree, platform: Platform, efi: &str, vendor: &str) -> Result<Vec<Copy>> {
    let suffix = platform.suffix;
    let table = format!("BOOT{}.CSV", suffix.to_uppercase());
    let mut copies = Vec::new();
    for (name, directories) in [
        (format!("mm{suffix}.efi"), &["BOOT", vendor][..]),
        (format!("fb{suffix}.efi"), &[vendor]),
        (table, &[vendor]),
    ] {
        let sources = [format!("{name}.signed"), name.clone()];
        for source in sources.map(|name| format!("/usr/lib/shim/{name}")) {
            if tree.has_file(&source)? {
                let place = |directory| format!("{efi}/{directory}/{name}");
                copies.extend(directories.iter().map(|it| Copy::new(&source, place(it))));
                break;
            }
        }
    }
    Ok(copies)
}

/// The directory of the vendor: the one in which a `signed` GRUB looks for its configuration, else
/// the name that the system has for itself.
fn vendor(tree: &Tree, signed: &[u8]) -> Result<String> {
    if let Some(vendor) = built_in_vendor(signed) {
        return Ok(vendor);
    }
    let mut release = tree.read("/etc/os-release")?;
    if release.is_none() {
        release = tree.read("/usr/lib/os-release")?;
    }
    let release = release.unwrap_or_default();
    Ok(id(&String::from_utf8_lossy(&release)).unwrap_or_else(|| "debian".to_owned()))
}

/// The vendor in the only directory `/EFI/VENDOR` that a program has in it as a text of its own.
fn built_in_vendor(program: &[u8]) -> Option<String> {
    const BEFORE: &[u8] = b"\0/EFI/";
    let starts = program.windows(BEFORE.len()).enumerate();
    let starts = starts.filter(|(_, window)| *window == BEFORE);
    let names = starts.filter_map(|(start, _)| {
        let rest = &program[start + BEFORE.len()..];
        let end = rest.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&rest[..end])
            .ok()
            .filter(|name| is_plain(name))
    });
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names.dedup();
    match names[..] {
        [name] => Some(name.to_owned()),
        _ => None,
    }
}

/// The ID of a system in its os-release.
fn id(release: &str) -> Option<String> {
    let mut lines = release.lines();
    let value = lines.find_map(|line| line.strip_prefix("ID="))?;
    let value = value.trim().trim_matches(['"', '\'']);
    is_plain(value).then(|| value.to_owned())
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::filesystems::of_format;
    use super::*;
    use crate::system::Firmware;

    /// A tree with these files, and what goes onto its EFI system partition.
    fn files(architecture: &str, tree: &[(&str, &str)]) -> Files {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in tree {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let home = Home {
            drive: ",gpt2".to_owned(),
            layers: Default::default(),
            uuid: "U".to_owned(),
            filesystem: of_format("ext4").unwrap(),
            path: "/boot/grub".to_owned(),
        };
        let platform = Platform::of(Firmware::Uefi, architecture).unwrap();
        let tree = Tree::open(directory.path()).unwrap();
        Files::new(&tree, platform, &home, "/boot/efi/").unwrap()
    }

    fn copies(files: &Files) -> Vec<(&str, &str)> {
        let copies = files.copies.iter();
        copies
            .map(|it| (&*it.from, it.to.strip_prefix("/boot/efi/EFI/").unwrap()))
            .collect()
    }

    #[test]
    fn signed_programs_are_taken_where_they_are() {
        let found = files(
            "amd64",
            &[
                ("usr/lib/shim/shimx64.efi.signed", ""),
                ("usr/lib/shim/mmx64.efi.signed", ""),
                ("usr/lib/shim/mmx64.efi", ""),
                ("usr/lib/shim/fbx64.efi", ""),
                ("usr/lib/shim/BOOTX64.CSV", ""),
                (
                    "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
                    "x\0/EFI/debian\0x",
                ),
                ("etc/os-release", "ID=kali\n"),
            ],
        );
        let (shim, mm) = (
            "/usr/lib/shim/shimx64.efi.signed",
            "/usr/lib/shim/mmx64.efi.signed",
        );
        let grub = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed";
        let expected = [
            (shim, "BOOT/BOOTX64.EFI"),
            (shim, "debian/shimx64.efi"),
            (grub, "BOOT/grubx64.efi"),
            (grub, "debian/grubx64.efi"),
            (mm, "BOOT/mmx64.efi"),
            (mm, "debian/mmx64.efi"),
            ("/usr/lib/shim/fbx64.efi", "debian/fbx64.efi"),
            ("/usr/lib/shim/BOOTX64.CSV", "debian/BOOTX64.CSV"),
        ];
        assert_eq!(copies(&found), expected);
        let stub = "search.fs_uuid U root \nset prefix=($root)'/boot/grub'\n\
                    configfile $prefix/grub.cfg\n";
        let place = "/boot/efi/EFI/debian/grub.cfg";
        assert_eq!(found.stub, Some((place.to_owned(), stub.to_owned())));
    }

    #[test]
    fn others_get_what_is_made_of_their_modules() {
        let shim = ("usr/lib/shim/shimaa64.efi.signed", "");
        let grub = ("usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed", "");
        let ubuntu = (
            "usr/lib/os-release",
            "NAME=\"Ubuntu\"\nID=\"ubuntu\"\nID_LIKE=debian\n",
        );
        for (tree, vendor) in [
            (&[][..], "debian"),
            (&[shim], "debian"),
            (&[grub, ubuntu], "ubuntu"),
            (&[ubuntu, ("etc/os-release", "ID=../x\n")], "debian"),
        ] {
            let found = files("arm64", tree);
            let core = "/boot/grub/arm64-efi/core.efi";
            let place = format!("{vendor}/grubaa64.efi");
            assert_eq!(
                copies(&found),
                [(core, "BOOT/BOOTAA64.EFI"), (core, &place)]
            );
            assert_eq!(found.stub, None);
        }
        let found = files("arm64", &[shim, grub, ubuntu]);
        let places: Vec<_> = copies(&found).into_iter().map(|(_, place)| place).collect();
        let expected = [
            "BOOT/BOOTAA64.EFI",
            "ubuntu/shimaa64.efi",
            "BOOT/grubaa64.efi",
            "ubuntu/grubaa64.efi",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn the_vendor_is_in_the_program() {
        for (program, vendor) in [
            (&b"\0/EFI/debian\0"[..], Some("debian")),
            (b"x\0/EFI/ubuntu\0\0/EFI/ubuntu\0", Some("ubuntu")),
            (b"\0/EFI/debian\0\0/EFI/ubuntu\0", None),
            (b"\0/EFI/de bian\0", None),
            (b"\0/EFI/\0", None),
            (b"\0/EFI/debian/grub.cfg\0", None),
            (b"a/EFI/debian\0", None),
            (b"\0/EFI/debian", None),
            (b"", None),
        ] {
            assert_eq!(
                built_in_vendor(program).as_deref(),
                vendor,
                "{}",
                program.escape_ascii()
            );
        }
    }
}
