//! `extract-image`: the archive of a system is the tree that its image was made of.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{XattrFlags, lsetxattr};
use testkit::compare::assert_same;
use testkit::host;
use testkit::listing::{Knows, Listing, seen_by};
use testkit::metadata::set_time;
use testkit::mount::Mounted;
use testkit::program::{arguments, run};
use testkit::root::is_root;

use crate::world::World;

const EFI: &str = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
const BOOT: &str = "bc13c2ff-59e6-4262-a352-b275fd6f7172";
const LINUX: &str = "0fc63daf-8483-4772-8e79-3d69d8477de4";
const BIOS: &str = "21686148-6449-6e6f-744e-656564454649";

const KNOWS: Knows = Knows {
    times: true,
    names: true,
    devices: true,
    xattrs: true,
    allocated: false,
};

/// A world with the trees of a system, of its /boot and of its /boot/efi.
fn world() -> World {
    let world = World::new("", "", "");
    let root = world.root().join("root");
    for directory in ["etc", "usr/bin", "boot/efi", "dev", "srv", "var/many"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    fs::write(root.join("etc/hostname"), "cloud\n").unwrap();
    fs::write(root.join("boot/hidden"), "below /boot").unwrap();
    let tool: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 9 % 249) as u8).collect();
    fs::write(root.join("usr/bin/tool"), tool).unwrap();
    fs::set_permissions(
        root.join("usr/bin/tool"),
        fs::Permissions::from_mode(0o4755),
    )
    .unwrap();
    fs::hard_link(root.join("usr/bin/tool"), root.join("a-name")).unwrap();
    symlink("usr/bin", root.join("bin")).unwrap();
    symlink("/proc/self/fd", root.join("dev/fd")).unwrap();
    for number in 0..500 {
        fs::write(root.join(format!("var/many/{number}")), "x".repeat(number)).unwrap();
    }
    let sparse = File::create(root.join("var/sparse")).unwrap();
    sparse.write_all_at(b"middle", 1 << 20).unwrap();
    sparse.set_len(3 << 20).unwrap();
    for (name, numbers) in [
        ("dev/null", "c 1 3"),
        ("dev/sda", "b 8 0"),
        ("srv/own", "c 4 65"),
    ] {
        let line = format!("{} {numbers}", root.join(name).display());
        let words: Vec<_> = line.split(' ').collect();
        run("mknod", &words).unwrap();
    }
    run(
        "chown",
        &arguments(&["1234:5678"], &[&root.join("etc/hostname")]),
    )
    .unwrap();
    for (path, name, value) in [
        ("etc/hostname", "user.some", "value"),
        (
            "etc/hostname",
            "security.selinux",
            "system_u:object_r:etc_t:s0\0",
        ),
        ("usr", "security.selinux", "system_u:object_r:usr_t:s0\0"),
        ("usr", "trusted.own", "t"),
    ] {
        lsetxattr(root.join(path), name, value.as_bytes(), XattrFlags::empty()).unwrap();
    }
    let boot = world.root().join("boot");
    fs::create_dir_all(boot.join("efi")).unwrap();
    fs::write(boot.join("vmlinuz-6.1"), vec![b'k'; 2_000_000]).unwrap();
    fs::write(boot.join("efi/hidden"), "below /boot/efi").unwrap();
    let efi = world.root().join("efi");
    fs::create_dir_all(efi.join("EFI/fedora")).unwrap();
    fs::write(efi.join("EFI/fedora/shimx64.efi"), vec![b'e'; 70_000]).unwrap();
    for path in ["EFI/fedora/shimx64.efi", "EFI/fedora", "EFI", ""] {
        set_time(&efi.join(path), 1_600_000_000, 0);
    }
    world
}

/// Makes a swap space.
fn make_swap(world: &World) {
    let path = world.path("swap.img");
    File::create(&path).unwrap().set_len(1 << 20).unwrap();
    run("mkswap", &[&path]).unwrap();
}

/// Puts filesystems into the partitions of a GPT, each with its type.
fn partitioned(world: &World, name: &str, partitions: &[(Option<&str>, &str)]) {
    const SECTOR: u64 = 512;
    let (mut start, mut script) = (2048, "label: gpt\n".to_owned());
    let mut places = Vec::new();
    for (image, kind) in partitions {
        let bytes = image.map(|image| fs::read(world.path(image)).unwrap());
        let sectors = bytes.as_ref().map_or(2048, |it| it.len() as u64 / SECTOR);
        script += &format!("start={start}, size={sectors}, type={kind}\n");
        places.push((start * SECTOR, bytes));
        start = (start + sectors).next_multiple_of(2048);
    }
    let disk = File::create(world.path(name)).unwrap();
    disk.set_len((start + 2048) * SECTOR).unwrap();
    for (at, bytes) in places {
        disk.write_all_at(&bytes.unwrap_or_default(), at).unwrap();
    }
    let mut sfdisk = Command::new("sfdisk");
    sfdisk.arg("-q").arg(world.path(name)).stdin(Stdio::piped());
    let mut sfdisk = sfdisk.spawn().unwrap();
    sfdisk
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    assert!(sfdisk.wait().unwrap().success());
}

/// What an archive becomes in an empty directory.
fn unpacked(world: &World, archive: &str) -> Listing {
    let to = tempfile::tempdir_in(world.root()).unwrap();
    let options = [
        "-p",
        "--numeric-owner",
        "--xattrs",
        "--xattrs-include=*",
        "--acls",
        "-xf",
    ];
    let path = world.path(archive);
    let into = [Path::new("-C"), to.path()];
    let words = arguments(&options, &[&path, into[0], into[1]]);
    run("tar", &words).unwrap();
    seen_by(&host::list(to.path()), KNOWS)
}

/// The trees of a system as its archive has them: each at its place, over what is there.
fn expected(trees: &[(&str, PathBuf)]) -> Listing {
    let mut expected = Listing::new();
    for (place, root) in trees {
        let below = format!("{place}/");
        if !place.is_empty() {
            expected
                .retain(|path, _| path != place.as_bytes() && !path.starts_with(below.as_bytes()));
        }
        for (path, mut entry) in seen_by(&host::list(root), KNOWS) {
            let at = |path: &[u8]| match (place.is_empty(), path.is_empty()) {
                (true, _) => path.to_vec(),
                (false, true) => place.as_bytes().to_vec(),
                (false, false) => [below.as_bytes(), path].concat(),
            };
            if let Some(names) = &mut entry.names {
                names.first = at(&names.first);
            }
            if let Some(xattrs) = &mut entry.xattrs {
                xattrs.remove(&b"security.selinux"[..]);
            }
            expected.insert(at(&path), entry);
        }
    }
    expected.retain(|path, _| !matches!(&path[..], b"dev/null" | b"dev/sda"));
    expected
}

/// Modes that FAT hasn't.
fn as_on_fat(mut listing: Listing) -> Listing {
    for (path, entry) in &mut listing {
        if path.starts_with(b"boot/efi/") {
            entry.permissions = Some(0o755);
        }
        // The root directory has no time there.
        if path == b"boot/efi" {
            (entry.permissions, entry.mtime) = (Some(0o755), None);
        }
    }
    listing
}

fn assert_extracted(world: &World, what: &str, archive: &str, trees: &[(&str, &str)]) {
    let trees = trees
        .iter()
        .map(|(place, name)| (*place, world.root().join(name)));
    let trees: Vec<_> = trees.collect();
    let mut found = unpacked(world, archive);
    // Every ext4 has one.
    found.retain(|path, _| !path.ends_with(b"lost+found"));
    if let Some(entry) = found.get_mut(&b"boot/efi"[..])
        && trees.iter().any(|(place, _)| *place == "boot/efi")
    {
        entry.mtime = None;
        assert_same(what, &as_on_fat(expected(&trees)), &found);
        return;
    }
    assert_same(what, &expected(&trees), &found);
}

#[test]
fn a_filesystem_alone_and_partitions_in_their_places() {
    if !is_root() {
        return;
    }
    let world = world();
    make_swap(&world);
    for line in [
        "-t ext4 ../root ext4.img",
        "-t xfs ../root xfs.img",
        "-t btrfs ../root btrfs.qcow2",
        "-t ext4 -L boot ../boot boot.img",
        "-t vfat ../efi efi.img",
    ] {
        world.run(&format!("--no-sync make-fs {line}")).expect(0);
    }
    for (image, archive) in [
        ("ext4.img", "ext4.tar.gz"),
        ("xfs.img", "xfs.tar"),
        ("btrfs.qcow2", "btrfs.tar.zst"),
    ] {
        let run = world
            .run(&format!("extract-image {image} {archive}"))
            .expect(0);
        run.prints(&format!("{archive}\n"));
        assert_extracted(&world, image, archive, &[("", "root")]);
    }
    partitioned(
        &world,
        "fedora.img",
        &[
            (None, BIOS),
            (Some("efi.img"), EFI),
            (Some("boot.img"), BOOT),
            (Some("swap.img"), LINUX),
            (Some("xfs.img"), LINUX),
        ],
    );
    partitioned(
        &world,
        "label.img",
        &[(Some("ext4.img"), LINUX), (Some("boot.img"), LINUX)],
    );
    partitioned(
        &world,
        "centos.img",
        &[(Some("efi.img"), EFI), (Some("xfs.img"), BOOT)],
    );
    // The second one comes behind the tenth by its name.
    let mut many = [(None, BIOS); 10];
    (many[1], many[9]) = ((Some("ext4.img"), LINUX), (Some("efi.img"), LINUX));
    partitioned(&world, "many.img", &many);
    partitioned(&world, "one.img", &[(Some("ext4.img"), EFI)]);
    let all = [("", "root"), ("boot", "boot"), ("boot/efi", "efi")];
    for (image, trees) in [
        ("fedora", &all[..]),
        ("label", &all[..2]),
        ("centos", &[all[0], all[2]]),
        ("one", &all[..1]),
        ("many", &all[..1]),
    ] {
        let (raw, packed) = (format!("{image}.img"), format!("{image}.qcow2"));
        let paths = [&*world.path(&raw), &*world.path(&packed)];
        run(
            "qemu-img",
            &arguments(&["convert", "-c", "-O", "qcow2"], &paths),
        )
        .unwrap();
        run("xz", &arguments(&["-0"], &[paths[1]])).unwrap();
        for (name, jobs) in [("one.tar.gz", 1), ("two.tar.gz", 2)] {
            let line = format!("-j {jobs} extract-image {packed}.xz {name}");
            world.run(&line).expect(0);
        }
        assert_extracted(&world, image, "one.tar.gz", trees);
        let [one, two] = ["one.tar.gz", "two.tar.gz"].map(|it| fs::read(world.path(it)).unwrap());
        assert!(one == two, "{image}");
    }
}

#[test]
fn the_subvolume_of_fedora_is_the_root() {
    if !is_root() {
        return;
    }
    let world = world();
    let image = world.path("disk.img");
    File::create(&image).unwrap().set_len(400 << 20).unwrap();
    run("mkfs.btrfs", &arguments(&["-q"], &[&image])).unwrap();
    let mounted = Mounted::new(&image, "rw,compress-force=zstd");
    let at = |name: &str| mounted.path().join(name);
    for name in ["root", "home"] {
        run("btrfs", &arguments(&["subvolume", "create"], &[&at(name)])).unwrap();
    }
    fs::write(at("home/file"), "elsewhere").unwrap();
    let tree = world.root().join("root");
    let (source, subvolume) = (tree.join("."), at("root"));
    let options = ["-a", "--sparse=always"];
    run("cp", &arguments(&options, &[&source, &subvolume])).unwrap();
    drop(mounted);
    world.run("extract-image disk.img a.tar.xz").expect(0);
    assert_extracted(&world, "btrfs", "a.tar.xz", &[("", "root")]);
    // What is compressed is found to be damaged when it is read.
    let mut bytes = fs::read(&image).unwrap();
    for sector in bytes.chunks_mut(4096) {
        if sector.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
            sector[4..64].fill(0xFF);
        }
    }
    fs::write(&image, bytes).unwrap();
    let run = world.run("extract-image disk.img b.tar.gz").expect(3);
    run.says(["'disk.img'", "can't be unpacked"]);
    assert_eq!(world.names(), ["a.tar.xz", "disk.img"]);
}

#[test]
fn what_is_no_system_and_what_is_no_archive() {
    let world = World::new("", "", "");
    make_swap(&world);
    let tree = world.root().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("file"), "text ".repeat(100_000)).unwrap();
    for line in ["-t ext4 ../tree a.img", "-t f2fs ../tree f2fs.img"] {
        world.run(&format!("--no-sync make-fs {line}")).expect(0);
    }
    fs::write(world.path("text.tar"), "a letter").unwrap();
    fs::write(world.path("nothing.img"), vec![0; 1 << 20]).unwrap();
    let mut damaged = fs::read(world.path("a.img")).unwrap();
    let inodes = damaged.windows(5).position(|it| it == b"text ").unwrap();
    damaged.truncate(inodes + 8192);
    fs::write(world.path("cut.img"), damaged).unwrap();
    for (line, status, said) in [
        ("a.img a.img", 64, "the name of the ARCHIVE has to end in"),
        ("a.img", 64, "<ARCHIVE>"),
        ("a.img text.tar", 3, "--force replaces it"),
        ("a.img nowhere/a.tar", 3, "nowhere"),
        ("missing.img a.tar", 3, "'missing.img': can't open it"),
        ("nothing.img a.tar", 3, "no table and no filesystem"),
        ("swap.img a.tar", 3, "it has no system"),
        ("f2fs.img a.tar", 3, "can't be read here"),
        ("cut.img a.tar", 3, "lie behind the end"),
    ] {
        world
            .run(&format!("extract-image {line}"))
            .expect(status)
            .says([said]);
        assert!(!world.path("a.tar").exists(), "{line}");
    }
    let names = world.names();
    assert!(
        !names.iter().any(|name| name.ends_with(".tmp")),
        "{names:?}"
    );
    assert_eq!(fs::read(world.path("text.tar")).unwrap(), b"a letter");
    world.run("extract-image --force a.img text.tar").expect(0);
    // An archive is replaced by the next one.
    let run = world.run("--json extract-image a.img text.tar").expect(0);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["archive"], "text.tar");
    assert_eq!(
        (&document["files"], &document["bytes"]),
        (&1.into(), &500_000.into())
    );
}
