//! Elements of diskimage-builder itself, from the network: `scripts/test --nightly`.

use std::fs;
use std::path::Path;
use std::process::Command;

use createhdds::system::Firmware;

use super::container_files;
use super::ground::{Ground, member};
use crate::systems::debian::mirror;
use crate::systems::machine;
use crate::systems::user::User;

/// The version whose elements are built.
const VERSION: &str = "diskimage-builder==3.43.0";

/// Lets root in, and tells where.
const WAY_IN: &str = "#!/bin/bash\nset -eu\npasswd -d root\necho dib-debian > /etc/hostname\n";

/// Installs diskimage-builder into a directory of its own; gives that of its package.
fn install(directory: &Path) -> std::path::PathBuf {
    let run = |program: &str, arguments: &[&str]| {
        let said = Command::new(program).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{program} {arguments:?}: {text}");
        String::from_utf8(said.stdout).unwrap()
    };
    let shown = directory.to_str().unwrap();
    // That of the system, which every user may run.
    run("/usr/bin/python3", &["-m", "venv", shown]);
    let own = |name: &str| format!("{shown}/bin/{name}");
    run(
        &own("pip"),
        &["--quiet", "--no-input", "install", VERSION, "setuptools"],
    );
    let package = "import diskimage_builder; print(list(diskimage_builder.__path__)[0])";
    run(&own("python3"), &["-c", package]).trim_end().into()
}

#[test]
#[ignore = "slow: diskimage-builder and a Debian are installed from the network, and machines are started"]
fn a_debian_of_unmodified_elements_starts_by_bios_and_by_uefi() {
    let ground = Ground::new(User::Ordinary);
    let package = install(&ground.beside("dib"));
    ground.put("way-in/finalise.d/90-way-in", WAY_IN);
    let mirror = mirror();
    let security = format!("{}-security", mirror.trim_end_matches('/'));
    let variables = [
        ("DIB_RELEASE", "bookworm"),
        ("DIB_DISTRIBUTION_MIRROR", mirror.as_str()),
        ("DIB_DEBIAN_SECURITY_MIRROR", security.as_str()),
        ("DIB_DEBOOTSTRAP_CACHE", "1"),
        ("DIB_DEBIAN_USE_DEBOOTSTRAP_CACHE", "1"),
        ("DIB_JOURNAL_SIZE", ""),
        ("DIB_PYTHON_EXEC", ""),
    ];
    let package = package.display();
    let both = [Firmware::Bios, Firmware::Uefi];
    let usual = "-t raw,qcow2,tar --checksum";
    for (layout, options, firmware, root) in [
        (
            "block-device-mbr",
            usual,
            &both[..1],
            ["cloudimg-rootfs", "/dev/vda1 ext4"],
        ),
        (
            "block-device-efi",
            usual,
            &both,
            ["cloudimg-rootfs", "/dev/vda3 ext4"],
        ),
        (
            "block-device-efi-lvm",
            "-t raw -p lvm2,xfsprogs",
            &both,
            ["img-rootfs", "/dev/mapper/vg-lv_root xfs"],
        ),
    ] {
        let line =
            format!("dib --dib {package} -o {layout} {options} debian-minimal vm {layout} way-in");
        ground.run(&line, &variables).expect(0);
        let image = ground.path(&format!("{layout}.raw"));
        let [label, source] = root;
        let label = format!(" root=LABEL={label} ");
        for firmware in firmware {
            let answer = machine::ask(*firmware, &image);
            for part in [&label, source, "x86_64\n", "\nrunning\n", "dib-debian\n"] {
                assert!(answer.contains(part), "{part}: {answer}");
            }
        }
        fs::remove_file(&image).unwrap();
    }
}

#[test]
#[ignore = "needs the network: diskimage-builder is installed"]
fn the_unmodified_element_of_container_files_makes_a_tree() {
    let (ground, here) = container_files::ground(User::Ordinary, "RUN echo made > /made\n");
    let package = install(&ground.beside("dib"));
    let file = here.join("Containerfile");
    let variables = [
        ("DIB_PYTHON_EXEC", ""),
        ("DIB_CONTAINERFILE_DOCKERFILE", file.to_str().unwrap()),
    ];
    let line = format!("dib --dib {} -n -t tar containerfile", package.display());
    ground.run(&line, &variables).expect(0);
    assert_eq!(member(&ground.path("image.tar"), "made"), "made\n");
}
