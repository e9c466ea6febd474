//! An installation in which everything is decided.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Result, bail};
use disklayout::{Field, Place};

use super::settings::Settings;
use super::{location, os_variant};
use crate::console;
use crate::image::{DiskFormat, Finish, InstallRecipe};

/// The memory of a virtual machine in MiB, as in the original.
const MEMORY_MIB: u64 = 3072;

/// The same on POWER.
const MEMORY_MIB_POWER: u64 = 4096;

/// A file that the installer reads what to install from.
#[derive(Clone, Debug)]
pub struct Kickstart {
    /// Its name: `minimal-uefi.ks`.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// An installation in which everything is decided but for the name of its machine and the place of
/// its files, which are those of a run.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Where it stands in the configuration: `virtinstall[0]`.
    pub place: Place,
    /// The file name of its image.
    pub image: String,
    /// The size of its disk in GiB.
    pub size_gib: u64,
    /// The format of its disk.
    pub format: DiskFormat,
    /// Where the installation tree may be, in the order in which they are tried.
    pub trees: Vec<String>,
    /// What the installer is told.
    pub kickstart: Kickstart,
    /// The memory of its machine in MiB.
    pub memory_mib: u64,
    /// What is done when the system is installed.
    pub finish: Finish,
    arch: String,
    os_variant: String,
    cpus: Option<u64>,
    bootopts: Option<String>,
}

/// Where an attempt has its files, and what its machine is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    /// The name of its machine.
    pub(super) machine: &'a str,
    /// The absolute path of its disk.
    pub(super) disk: &'a Path,
    /// The path of the kickstart file, which has its name.
    pub(super) kickstart: &'a Path,
    /// The address of the installation tree.
    pub(super) tree: &'a str,
}

impl Installation {
    /// Decides how `image` is made by `recipe`; `systems` is the table of operating systems that
    /// osinfo-query prints.
    ///
    /// # Errors
    /// When the recipe has no size, or the distribution no such tree.
    pub fn plan(
        image: &str,
        recipe: &InstallRecipe,
        kickstart: Kickstart,
        systems: &str,
        settings: &Settings,
    ) -> Result<Self> {
        if recipe.size_gib == 0 {
            bail!(
                "{}: an installation needs the size of its disk in GiB",
                recipe.place.field(Field::Size)
            );
        }
        let arch = &recipe.arch;
        let usual = match arch.starts_with("ppc") {
            true => MEMORY_MIB_POWER,
            false => MEMORY_MIB,
        };
        let trees = settings.sources.iter();
        let trees = trees.map(|source| location::tree(source, recipe));
        Ok(Self {
            place: recipe.place.clone(),
            image: image.to_owned(),
            size_gib: recipe.size_gib,
            format: recipe.format,
            trees: trees.collect::<Result<_>>()?,
            kickstart,
            memory_mib: settings.memory_mib_of(recipe).unwrap_or(usual),
            finish: recipe.finish,
            arch: arch.clone(),
            os_variant: os_variant::choose(
                &recipe.distribution,
                &recipe.release,
                &os_variant::short_names(systems),
            ),
            cpus: settings.cpus_of(recipe),
            bootopts: recipe.bootopts.clone(),
        })
    }

    /// The arguments of virt-install. Those of the original come first and in its order; it leaves
    /// it to virt-install to make the disk, and to choose libvirt and the format.
    pub(super) fn arguments(
        &self,
        attempt: Attempt<'_>,
        settings: &Settings,
        debug: bool,
    ) -> Vec<OsString> {
        let mut disk = OsString::from("path=");
        // A comma in a value is doubled.
        disk.push(escaped(attempt.disk));
        disk.push(format!(",format={}", self.format.as_str()));
        let mut arguments: Vec<OsString> = vec!["--disk".into(), disk];
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
        add(&["--os-variant", &self.os_variant]);
        let kickstart = format!("inst.ks=file:/{}", self.kickstart.name);
        add(&["-x", &kickstart, "--initrd-inject"]);
        arguments.push(attempt.kickstart.into());
        let mut add = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
        add(&["--location", attempt.tree, "--name", attempt.machine]);
        add(&["--memory", &self.memory_mib.to_string()]);
        add(&["--noreboot", "--wait", "-1"]);
        if debug {
            add(&["--debug"]);
        }
        if let Some(bootopts) = &self.bootopts {
            add(&["--boot", bootopts]);
        }
        if settings.text {
            let console = format!("console={}", console::serial(&self.arch));
            add(&["--graphics", "none", "--extra-args", &console]);
        } else {
            add(&["--graphics", "vnc"]);
        }
        add(&["--noautoconsole", "--network", "user"]);
        if let Some(cpus) = self.cpus {
            add(&["--vcpus", &cpus.to_string()]);
        }
        if let Some(virt_type) = settings.virt_type.name() {
            add(&["--virt-type", virt_type]);
        }
        if let Some(uri) = &settings.connect {
            add(&["--connect", uri]);
        }
        arguments
    }

    /// The arguments of qemu-img that make an empty `disk`.
    pub(super) fn disk_arguments(&self, disk: &Path) -> Vec<OsString> {
        let format = self.format.as_str();
        let size = format!("{}G", self.size_gib);
        let mut arguments: Vec<OsString> = ["create", "-q", "-f", format].map(Into::into).to_vec();
        arguments.extend([disk.into(), size.into()]);
        arguments
    }
}

/// A path as a value of an option of virt-install, where a comma ends it unless it is doubled.
fn escaped(path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut bytes = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        bytes.push(*byte);
        if *byte == b',' {
            bytes.push(b',');
        }
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::distribution::Stage;
    use crate::virtinstall::VirtType;

    const SYSTEMS: &str =
        " Short ID       | Version\n-----\n rocky8-unknown | 8\n rocky9-unknown | 9\n";

    fn recipe(release: &str, arch: &str) -> InstallRecipe {
        InstallRecipe {
            place: "virtinstall[0]".into(),
            release: release.into(),
            stage: Stage::Released,
            arch: arch.into(),
            distribution: Arc::default(),
            variant: None,
            size_gib: 15,
            maxage_days: 14,
            bootopts: None,
            format: DiskFormat::Qcow2,
            memory_mib: None,
            cpus: None,
            finish: Finish::default(),
        }
    }

    fn planned(recipe: &InstallRecipe, settings: &Settings) -> Installation {
        let kickstart = Kickstart {
            name: "minimal.ks".into(),
            bytes: vec![],
        };
        Installation::plan("disk.qcow2", recipe, kickstart, SYSTEMS, settings).unwrap()
    }

    fn line(installation: &Installation, settings: &Settings, debug: bool) -> String {
        let attempt = Attempt {
            machine: "createhdds-1",
            disk: Path::new("/images/a,b.qcow2.tmp"),
            kickstart: Path::new("/tmp/x/minimal.ks"),
            tree: &installation.trees[0],
        };
        let arguments = installation.arguments(attempt, settings, debug);
        let words = arguments.iter().map(|word| word.to_str().unwrap());
        words.collect::<Vec<_>>().join(" ")
    }

    const TREE: &str = "https://download.rockylinux.org/pub/rocky/9/BaseOS/x86_64/os";

    #[test]
    fn without_choices_the_arguments_are_these() {
        let settings = Settings::default();
        let installation = planned(&recipe("9", "x86_64"), &settings);
        assert_eq!(
            line(&installation, &settings, false),
            format!(
                "--disk path=/images/a,,b.qcow2.tmp,format=qcow2 --os-variant rocky9-unknown \
                 -x inst.ks=file:/minimal.ks --initrd-inject /tmp/x/minimal.ks --location {TREE} \
                 --name createhdds-1 --memory 3072 --noreboot --wait -1 --graphics vnc \
                 --noautoconsole --network user"
            )
        );
    }

    #[test]
    fn every_choice_has_its_arguments() {
        let settings = Settings {
            sources: vec!["stg".into(), "http://m".into()],
            text: true,
            virt_type: VirtType::Qemu,
            connect: Some("qemu:///session".into()),
            cpus: Some(4),
            ..Settings::default()
        };
        let recipe = InstallRecipe {
            bootopts: Some("uefi".into()),
            format: DiskFormat::Raw,
            memory_mib: Some(2048),
            cpus: Some(2),
            ..recipe("8-BETA", "aarch64")
        };
        let installation = planned(&recipe, &settings);
        assert_eq!(
            installation.trees,
            [
                "https://download.rockylinux.org/stg/rocky/8-BETA/BaseOS/aarch64/os",
                "http://m/8-BETA/BaseOS/aarch64/os"
            ]
        );
        let line = line(&installation, &settings, true);
        for part in [
            ",format=raw --os-variant rocky8-unknown ",
            " --memory 2048 --noreboot --wait -1 --debug --boot uefi --graphics none ",
            " --extra-args console=ttyAMA0 --noautoconsole --network user --vcpus 4 ",
            " --virt-type qemu --connect qemu:///session",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
        let words = installation.disk_arguments(Path::new("/d"));
        assert_eq!(words, ["create", "-q", "-f", "raw", "/d", "15G"]);
    }

    #[test]
    fn memory_is_that_of_the_command_line_then_that_of_the_group() {
        let mut settings = Settings::default();
        let mut recipe = recipe("9", "ppc64le");
        assert_eq!(planned(&recipe, &settings).memory_mib, MEMORY_MIB_POWER);
        recipe.memory_mib = Some(1024);
        assert_eq!(planned(&recipe, &settings).memory_mib, 1024);
        settings.memory_mib = Some(8192);
        assert_eq!(planned(&recipe, &settings).memory_mib, 8192);
    }

    #[test]
    fn a_disk_needs_a_size() {
        let mut recipe = recipe("9", "x86_64");
        recipe.size_gib = 0;
        let kickstart = Kickstart {
            name: "k".into(),
            bytes: vec![],
        };
        let error = Installation::plan("i", &recipe, kickstart, "", &Settings::default());
        let text = error.unwrap_err().to_string();
        assert!(text.contains("virtinstall[0].size"), "{text}");
    }
}
