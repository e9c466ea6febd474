//! Root filesystems that are kept: as archives that vmdb2 reads and writes too, and unpacked.

use std::fs;

use testkit::program::{arguments, run};

use super::assembled::{debugfs, digest, partition};
use super::place::{Place, specification};
use super::user::User;

#[test]
fn archives_are_exchanged_with_vmdb2() {
    let place = Place::new(User::Ordinary);
    place.put_root();
    let steps = "  - shell: tar -C $ROOT --numeric-owner -xf root.tar
    root-fs: root
    unless: rootfs_unpacked
  - chroot: root
    shell: |
      echo much > /etc/much; chown 3000:4000 /etc/much; ln /etc/much /etc/linked; ln -s much /etc/led
    unless: rootfs_unpacked
  - cache-rootfs: root
    unless: rootfs_unpacked
";
    place.put("a.vmdb", specification(steps));
    for archive in ["cache.tar", "cache.tar.gz", "cache.tar.xz"] {
        let line = format!("vmdb2 --output a.img --rootfs-tarball {archive} a.vmdb");
        let made = || {
            place.run(&line).expect(0);
            digest(&place.path("a.img"))
        };
        made();
        let archive = place.path(archive);
        let of_ours = made();
        // As vmdb2 reads and writes them.
        let tree = place.path("tree");
        fs::create_dir(&tree).unwrap();
        let unpack = arguments(&["--numeric-owner", "-C"], &[&tree]);
        run("tar", &[unpack, arguments(&["-xf"], &[&archive])].concat()).unwrap();
        let kept = run(
            "stat",
            &arguments(&["-c", "%u %g %h %s"], &[&tree.join("etc/linked")]),
        );
        assert_eq!(kept.unwrap().trim(), "3000 4000 2 5");
        fs::remove_file(&archive).unwrap();
        let from = arguments(&["--one-file-system", "-C"], &[&tree]);
        let into = arguments(&["-caf"], &[&archive, ".".as_ref()]);
        run("tar", &[from, into].concat()).unwrap();
        assert_eq!(made(), of_ours, "{}", archive.display());
        fs::remove_dir_all(&tree).unwrap();
    }
}

#[test]
fn an_unpacked_root_is_kept_and_makes_no_difference() {
    let place = Place::new(User::Ordinary);
    place.put_root();
    let steps = "  - chroot: root\n    shell: echo changed > /etc/passwd\n";
    place.put("a.vmdb", specification(steps));
    let line = "vmdb2 --output a.img --rootfs-tarball root.tar a.vmdb";
    place.run(line).expect(0);
    let expected = digest(&place.path("a.img"));
    for _ in 0..2 {
        place
            .run(&line.replace("--output", "--root-cache cache --output"))
            .expect(0);
        assert_eq!(digest(&place.path("a.img")), expected);
        assert_eq!(fs::read_dir(place.path("cache")).unwrap().count(), 1);
    }
    // It belongs to users that only a sandbox has.
    let steps = "  - shell: rm -rf cache\n    root-fs: root\n";
    place.put("remove.vmdb", specification(steps));
    place.run("vmdb2 --output x.img remove.vmdb").expect(0);
    assert!(!place.path("cache").exists());
}

#[test]
fn what_was_installed_is_kept_until_something_else_is_asked_for() {
    let place = Place::new(User::Ordinary);
    place.put_root();
    let steps = "  - chroot: root\n    shell: echo changed > /etc/passwd\n  - apt: install\n    packages: [a]\n    tag: root\n\
                 \x20 - chroot: root\n    shell: echo behind > /etc/behind\n";
    place.put("a.vmdb", specification(steps));
    let line = "--json vmdb2 --output a.img --rootfs-tarball root.tar a.vmdb";
    place.run(line).expect(0);
    let expected = digest(&place.path("a.img"));
    let kept = line.replace("--output", "--root-cache cache --output");
    for times in 0..3 {
        let run = place.run(&kept).expect(0);
        let skipped = run.stdout.matches("as what it does is kept").count();
        assert_eq!(skipped, if times == 0 { 0 } else { 2 }, "{}", run.stdout);
        assert_eq!(digest(&place.path("a.img")), expected);
        assert_eq!(fs::read_dir(place.path("cache")).unwrap().count(), 2);
    }
    place.put("a.vmdb", specification(&steps.replace("[a]", "[b]")));
    place.run(line).expect(0);
    let expected = digest(&place.path("a.img"));
    place.run(&kept).expect(0);
    assert_eq!(digest(&place.path("a.img")), expected);
    assert_eq!(fs::read_dir(place.path("cache")).unwrap().count(), 3);
}

#[test]
fn a_compressed_archive_gives_the_same_and_a_broken_one_nothing() {
    let place = Place::new(User::Ordinary);
    place.put_root();
    place.put("a.vmdb", specification(""));
    let line = "vmdb2 --output a.img --rootfs-tarball root.tar a.vmdb";
    place.run(line).expect(0);
    let expected = digest(&place.path("a.img"));
    for (program, extension) in [
        ("gzip", "gz"),
        ("xz", "xz"),
        ("zstd", "zst"),
        ("bzip2", "bz2"),
    ] {
        let options = match program {
            "zstd" => ["-q", "-k"],
            _ => ["-k", "-1"],
        };
        run(program, &arguments(&options, &[&place.path("root.tar")])).unwrap();
        let archive = format!("root.tar.{extension}");
        let line = line.replace("root.tar", &archive);
        place.run(&line).expect(0);
        assert_eq!(digest(&place.path("a.img")), expected, "{program}");
        let bytes = fs::read(place.path(&archive)).unwrap();
        fs::write(place.path(&archive), &bytes[..bytes.len() * 9 / 10]).unwrap();
        place.run(&line).expect(3).says(["can't unpack", &archive]);
    }
}

/// What apt has seen is what matters, and of that nothing stays.
#[test]
fn apt_sees_the_part_of_its_lists_that_matters() {
    let place = Place::new(User::Ordinary);
    place.put_root();
    let list = "/var/lib/apt/lists/host_Packages";
    let steps = format!(
        "  - chroot: root
    shell: |
      mkdir -p /var/lib/apt/lists/partial /var/lib/dpkg /etc/apt
      printf 'Package: a\\nVersion: 1\\nDepends: b\\n\\nPackage: c\\nVersion: 1\\n\\nPackage: b\\nVersion: 1\\n' > {list}
      echo > /var/lib/dpkg/status
      printf '#!/bin/sh\\ncat {list} >> /etc/seen; ls /var/lib/apt/lists >> /etc/seen; echo \"$*\" >> /etc/seen' > /usr/bin/apt-get
  - apt: install
    packages: [a]
    tag: root
    clean: false
  - apt: install
    packages: [a*]
    tag: root
    clean: false
"
    );
    place.put("a.vmdb", specification(&steps));
    place
        .run("vmdb2 --output a.img --rootfs-tarball root.tar a.vmdb")
        .expect(0);
    let root = partition(&place.path("a.img"), 1);
    let seen = debugfs(&root, "cat /etc/seen");
    let [part, whole] = [
        "Package: a\nVersion: 1\nDepends: b\n\nPackage: b\nVersion: 1\n\n",
        "Package: a\nVersion: 1\nDepends: b\n\nPackage: c\nVersion: 1\n\nPackage: b\nVersion: 1\n",
    ];
    assert!(seen.starts_with(part), "{seen}");
    let lines: Vec<_> = seen.lines().collect();
    let runs: Vec<_> = lines.iter().filter(|it| it.contains("install")).collect();
    assert!(runs[0].contains("Dir::Cache::pkgcache= "), "{seen}");
    assert!(!runs[1].contains("pkgcache"), "{seen}");
    assert!(
        seen.contains(&format!("{}\n{whole}host_Packages\n", runs[0])),
        "{seen}"
    );
    assert_eq!(debugfs(&root, &format!("cat {list}")), whole);
    let names = debugfs(&root, "ls -p /var/lib/apt/lists");
    assert!(!names.contains("aside"), "{names}");
}
