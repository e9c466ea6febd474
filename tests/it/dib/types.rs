//! The files that come out of a build: types, sums, and what becomes of those that are there already.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use testkit::program::{arguments, output, run};
use testkit::root::is_root_user;

use super::ground::{Ground, member};
use crate::checkers;
use crate::systems::assembled::digest;
use crate::systems::user::User;

/// A place with a small system.
fn ground() -> Ground {
    let ground = Ground::new(User::Ordinary);
    ground.script("install", "echo ${WORD:-text} > /etc/seen");
    ground
}

#[test]
fn every_type_is_taken_by_its_own_programs() {
    let ground = ground();
    let types = "qcow2,raw,vhd,vpc,vhdx,vmdk,vdi,tar,tgz,squashfs,docker,aci";
    ground
        .build(&format!("-o one -t {types} --checksum --size 64M"), &[])
        .expect(0);
    let raw = ground.path("one.raw");
    checkers::e2fsck(&raw).unwrap();
    for (name, format, can_check) in [
        ("one.qcow2", "qcow2", true),
        ("one.vhd", "vpc", false),
        ("one.vpc", "vpc", false),
        ("one.vhdx", "vhdx", true),
        ("one.vmdk", "vmdk", true),
        ("one.vdi", "vdi", true),
    ] {
        let image = ground.path(name);
        let [info, check] = ["info", "check"].map(|verb| [verb, "-f", format]);
        let said = run("qemu-img", &arguments(&info, &[&image])).unwrap();
        assert!(said.contains(&format!("file format: {format}")), "{said}");
        if can_check {
            run("qemu-img", &arguments(&check, &[&image])).unwrap();
        }
        let compare = ["compare", "-f", "raw", "-F", format];
        let said = output("qemu-img", &arguments(&compare, &[&raw, &image]));
        assert!(said.status.success(), "{name}: {said:?}");
        checkers::accepted("qemu-img", &image);
    }
    let mut expected = Vec::new();
    for suffix in [
        "aci", "oci.tar", "qcow2", "raw", "squash", "tar", "tgz", "vdi", "vhd", "vhdx", "vmdk",
        "vpc",
    ] {
        let name = format!("one.{suffix}");
        expected.extend([
            name.clone(),
            format!("{name}.md5"),
            format!("{name}.sha256"),
        ]);
        for (program, kind) in [("md5sum", "md5"), ("sha256sum", "sha256")] {
            let script = "cd \"$0\" && \"$1\" --check --strict \"$2\"";
            let sums = format!("{name}.{kind}");
            let words = [program, &sums];
            let work = ground.path("");
            let arguments = [
                &arguments(&["-c", script], &[&work])[..],
                &arguments(&words, &[]),
            ]
            .concat();
            run("sh", &arguments).unwrap();
        }
        checkers::accepted("sha256sum", &ground.path(&name));
    }
    assert_eq!(ground.names(), expected);
    for archive in ["one.tar", "one.tgz"] {
        assert_eq!(member(&ground.path(archive), "etc/seen"), "text\n");
    }
    assert_eq!(member(&ground.path("one.aci"), "rootfs/etc/seen"), "text\n");
}

#[test]
fn what_is_there_stays_by_another_name_with_its_sums() {
    let ground = ground();
    let options = "-o one -t tar";
    let sums = [("DIB_CHECKSUM", "sha256")];
    ground.build(options, &sums).expect(0);
    assert_eq!(ground.names(), ["one.tar", "one.tar.sha256"]);
    let old = [
        ground.text("one.tar.sha256"),
        digest(&ground.path("one.tar")),
    ]
    .concat();
    // What comes out by another name has no sums of the first.
    let variables = [("DIB_CHECKSUM", "md5"), ("WORD", "second")];
    ground.build(options, &variables).expect(0);
    let names = ground.names();
    let dated = names
        .iter()
        .find(|it| it.starts_with("one-") && it.ends_with(".tar"))
        .unwrap();
    // one-2026.11.25-23.08.27.tar
    let is_date = |(at, it): (usize, char)| match at {
        4 | 7 | 13 | 16 => it == '.',
        10 => it == '-',
        _ => it.is_ascii_digit(),
    };
    let date = &dated["one-".len()..dated.len() - ".tar".len()];
    assert!(
        date.len() == 19 && date.chars().enumerate().all(is_date),
        "{dated}"
    );
    let kept = [
        ground.text(&format!("{dated}.sha256")),
        digest(&ground.path(dated)),
    ]
    .concat();
    assert_eq!(kept, old);
    assert_eq!(member(&ground.path("one.tar"), "etc/seen"), "second\n");
    let expected = [dated, &format!("{dated}.sha256"), "one.tar", "one.tar.md5"];
    assert_eq!(names, expected);
    // One that nobody wants to keep, and one that keeps its place as the build fails.
    let variables = [("OVERWRITE_OLD_IMAGE", "1"), ("WORD", "third")];
    ground.build(options, &variables).expect(0);
    assert_eq!(member(&ground.path("one.tar"), "etc/seen"), "third\n");
    assert_eq!(
        ground.names(),
        [dated.as_str(), &format!("{dated}.sha256"), "one.tar"]
    );
    ground.script("finalise", "exit 5");
    ground.build(options, &[]).expect(5);
    assert_eq!(member(&ground.path("one.tar"), "etc/seen"), "third\n");
    assert_eq!(
        ground.names(),
        [dated.as_str(), &format!("{dated}.sha256"), "one.tar"]
    );
}

/// However fast builds are, each has its file.
#[test]
fn no_image_takes_the_place_of_another_that_is_kept() {
    let ground = ground();
    let words = ["first", "second", "third", "fourth"];
    for word in words {
        ground.build("-t tar", &[("WORD", word)]).expect(0);
    }
    let mut found: Vec<_> = ground
        .names()
        .iter()
        .map(|name| member(&ground.path(name), "etc/seen"))
        .collect();
    found.sort();
    assert_eq!(found, ["first\n", "fourth\n", "second\n", "third\n"]);
}

/// What another user has made, of which the system lets nobody else make a second name.
#[test]
fn an_image_of_another_user_is_kept_too() {
    if !is_root_user() {
        return testkit::log::not_run("only root can make another user's file");
    }
    let ground = ground();
    let old = ["image.raw", "image.raw.md5"];
    for name in old {
        fs::write(ground.path(name), name).unwrap();
        fs::set_permissions(ground.path(name), PermissionsExt::from_mode(0o644)).unwrap();
    }
    // A disk that the files don't fit into.
    let small = [("DIB_IMAGE_SIZE", "0.006"), ("FS_TYPE", "ext2")];
    let run = ground.build("-t raw", &small).expect(3);
    run.says(["the content doesn't fit"]);
    assert_eq!(ground.names(), old);
    assert_eq!(ground.text("image.raw"), "image.raw");
    ground.build("-t raw", &[]).expect(0);
    let names = ground.names();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(ground.text(&names[0]), "image.raw");
    assert_eq!(ground.text(&names[1]), "image.raw.md5");
    checkers::e2fsck(&ground.path("image.raw")).unwrap();
}

#[test]
fn an_element_can_keep_a_build_from_having_an_image() {
    let ground = ground();
    ground.put("no-final-image/element-deps", "");
    ground.script("cleanup", "cp $TARGET_ROOT/etc/seen seen");
    ground
        .run("dib -n -t raw,tar tiny probe no-final-image", &[])
        .expect(0);
    assert_eq!(ground.names(), ["seen"]);
    assert_eq!(ground.text("seen"), "text\n");
}

#[test]
fn several_disks_give_several_images() {
    let ground = ground();
    fs::create_dir(ground.path("other")).unwrap();
    let layout = "\
- local_loop: {name: image0}
- local_loop: {name: data, size: 32MiB}
- local_loop: {name: more, size: 16MiB}
- mkfs: {base: image0, name: mkfs_root, mount: {mount_point: /, fstab: {fsck-passno: 1}}}
- mkfs: {base: data, type: ext2, label: data, mount: {mount_point: /srv, fstab: {}}}
- mkfs: {base: more, type: vfat, label: more, mount: {mount_point: /srv/more}}
";
    ground.script(
        "post-install",
        "mkdir -p /srv/more; echo data > /srv/file; echo more > /srv/more/file",
    );
    let devices = "echo \"$IMAGE_BLOCK_DEVICES\" > devices; echo x | dd of=$TMP_IMAGE_DIR/data bs=1 conv=notrunc";
    ground.script("cleanup", devices);
    let variables = [("DIB_BLOCK_DEVICE_CONFIG", layout)];
    ground
        .build("-o two -t raw,qcow2,tar", &variables)
        .expect(0);
    let expected = [
        "devices",
        "other",
        "two-data.qcow2",
        "two-data.raw",
        "two-more.qcow2",
        "two-more.raw",
        "two.qcow2",
        "two.raw",
        "two.tar",
    ];
    assert_eq!(ground.names(), expected);
    for (name, request, text) in [
        ("two-data.raw", "cat /file", "data\n"),
        ("two.raw", "cat /etc/seen", "text\n"),
        ("two.raw", "ls -p /srv", ""),
    ] {
        let image = ground.path(name);
        checkers::e2fsck(&image).unwrap();
        let said = checkers::debugfs(request, &image).unwrap();
        let said = String::from_utf8(said).unwrap();
        match text {
            // Of what goes elsewhere nothing is here.
            "" => assert!(
                !said.contains("/file/") && !said.contains("/more/"),
                "{said}"
            ),
            text => assert_eq!(said, text),
        }
    }
    let more = ground.path("two-more.raw");
    checkers::fsck("vfat", &more).unwrap();
    let said = run("mdir", &arguments(&["-/", "-b", "-i"], &[&more])).unwrap();
    assert!(said.contains("::/file"), "{said}");
    let archive = ground.path("two.tar");
    assert_eq!(member(&archive, "srv/file"), "data\n");
    assert_eq!(member(&archive, "srv/more/file"), "more\n");
}

#[test]
fn a_name_may_have_a_directory_and_the_type() {
    let ground = ground();
    fs::create_dir(ground.path("in")).unwrap();
    let line = "dib -n -o in/one.tar -t tar tiny probe";
    ground.run(line, &[]).expect(3);
    crate::systems::user::give(User::Ordinary, &ground.path("in"));
    ground.run(line, &[]).expect(0);
    assert_eq!(crate::world::names(&ground.path("in")), ["one.tar"]);
    assert_eq!(ground.names(), ["in"]);
}

#[test]
fn a_ramdisk_is_what_its_element_makes_of_the_tree() {
    let ground = ground();
    ground.put(
        "own/install.d/50-kernel",
        "#!/bin/sh\necho kernel > /kernel\n",
    );
    let copy = "#!/bin/sh\ncp $TARGET_ROOT/kernel $IMAGE_NAME.kernel; echo $DIB_NO_TMPFS $DIB_MIN_TMPFS > told\n";
    ground.put("own/cleanup.d/50-copy", copy);
    let line = "ramdisk-image-create -n -o deploy --ramdisk-element own tiny";
    ground.run(line, &[]).expect(0);
    assert_eq!(ground.names(), ["deploy.kernel", "told"]);
    assert_eq!(ground.text("deploy.kernel"), "kernel\n");
    assert_eq!(ground.text("told"), "1 1\n");
}

#[test]
fn the_images_of_a_file_are_built() {
    let ground = ground();
    let images = "- imagename: one\n  types: [tar]\n  skip-base: true\n  environment: {WORD: first}\n  \
                  elements: [tiny, probe]\n- imagename: two\n  types: [tar]\n  skip-base: true\n  \
                  checksum: true\n  elements: [tiny, probe]\n";
    fs::write(ground.path("images.yaml"), images).unwrap();
    ground.run("diskimage-builder images.yaml", &[]).expect(0);
    let expected = [
        "images.yaml",
        "one.tar",
        "two.tar",
        "two.tar.md5",
        "two.tar.sha256",
    ];
    assert_eq!(ground.names(), expected);
    assert_eq!(member(&ground.path("one.tar"), "etc/seen"), "first\n");
    assert_eq!(member(&ground.path("two.tar"), "etc/seen"), "text\n");
}

#[test]
fn an_image_of_a_container_goes_to_the_program_that_has_them() {
    let ground = ground();
    ground.put(
        "../bin/docker",
        "#!/bin/sh\necho \"$@\" > \"$PLACE/loaded\"\nexit ${LOADED:-0}\n",
    );
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", ground.beside("bin").display());
    let build = |options: &str, loaded: &str| {
        let variables = [("PATH", path.as_str()), ("LOADED", loaded)];
        ground.build(&format!("-t docker {options}"), &variables)
    };
    // Without a name for it there, it isn't meant for it.
    build("", "0").expect(0);
    assert!(!ground.path("loaded").exists());
    build("--docker-target a/b:1", "0").expect(0);
    assert!(ground.text("loaded").ends_with("image.oci.tar\n"));
    build("--docker-target a/b:1", "5")
        .expect(3)
        .says(["docker can't load", "image.oci.tar"]);
}
