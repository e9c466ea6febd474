//! Builds that fail: with the status of what has failed, and with nothing left.

use std::fs;

use testkit::root::is_root_user;

use super::ground::{Ground, member};
use super::phases::PHASES;
use crate::systems::ends::assert_nothing_is_left;
use crate::systems::user::{self, User};

#[test]
fn a_script_that_fails_ends_the_build_with_its_status() {
    for user in user::all() {
        let ground = Ground::new(user);
        // Every phase has something that would stay.
        let text = "echo \"$0 is here\"\n[ \"$FAILS\" != PHASE ] || { sleep 1000 & echo last words >&2; exit STATUS; }";
        for (number, (phase, _)) in PHASES.into_iter().enumerate() {
            let text = text
                .replace("PHASE", phase)
                .replace("STATUS", &(number + 11).to_string());
            ground.script(phase, &text);
        }
        fs::write(ground.path("image.raw"), [0; 512]).unwrap();
        fs::write(ground.path("image.tar"), "old").unwrap();
        for (number, (phase, _)) in PHASES.into_iter().enumerate() {
            let variables = [("FAILS", phase)];
            let status = i32::try_from(number + 11).unwrap();
            let run = ground
                .build("-t raw,qcow2,tar --checksum", &variables)
                .expect(status);
            let message = format!("createhdds: {phase}.d failed (status {status})");
            assert!(
                run.stderr.lines().any(|it| it.contains(&message)),
                "{message}: {run:?}"
            );
            run.says(["last words"]);
            assert_nothing_is_left(ground.place(), &["image.raw", "image.tar"]);
            assert_eq!(fs::read(ground.path("image.raw")).unwrap(), [0; 512]);
            assert_eq!(ground.text("image.tar"), "old");
            let temporary = crate::world::names(&ground.beside("temporary"));
            assert!(temporary.is_empty(), "{temporary:?}");
        }
        // What a signal ends.
        ground.script("install", "kill -KILL $$");
        ground
            .build("-t tar", &[("FAILS", "")])
            .expect(128 + 9)
            .says(["install.d"]);
    }
}

#[test]
fn what_cannot_be_built_is_refused_before_anything_is_made() {
    let ground = Ground::new(User::Ordinary);
    ground.script("root", "touch begun");
    ground.put("one/install.d/33-same", "#!/bin/sh\n");
    ground.put("two/install.d/33-same", "#!/bin/sh\n");
    ground.put("needs/element-deps", "nosuch\n");
    ground.put(
        "disk-a/block-device-default.yaml",
        "- local_loop: {name: image0}\n",
    );
    ground.put(
        "disk-b/block-device-default.yaml",
        "- local_loop: {name: image0}\n",
    );
    ground.put(
        "disk-c/block-device-default.yaml",
        "- nosuch: {name: image0}\n",
    );
    let large = "[{local_loop: {name: image0}}, {partitioning: {base: image0, label: mbr, partitions: [\
                 {name: a, flags: [primary], size: 2GiB, mkfs: {type: ext4, name: mkfs_root, \
                 mount: {mount_point: /}}}]}}]";
    let config = |text| [("DIB_BLOCK_DEVICE_CONFIG", text)];
    for (words, variables, parts) in [
        ("one two", &[][..], &["33-same", "rename one of them"][..]),
        ("nosuch", &[], &["no element 'nosuch'"]),
        ("needs", &[], &["no element 'nosuch', which 'needs' needs"]),
        (
            "disk-a disk-b",
            &[],
            &[
                "disk-a/block-device-default.yaml",
                "disk-b/",
                "leave one of the elements out",
            ],
        ),
        (
            "disk-c",
            &[],
            &["disk-c/block-device-default.yaml:1:", "nosuch"],
        ),
        (
            "--image-size 1",
            &config(large),
            &["DIB_BLOCK_DEVICE_CONFIG", "'a' has 2147483648 bytes"],
        ),
        (
            "",
            &config("- nosuch: {}\n"),
            &["DIB_BLOCK_DEVICE_CONFIG:1:", "nosuch"],
        ),
        ("", &config("file:///nowhere.yaml"), &["/nowhere.yaml"]),
        ("", &[("DIB_IMAGE_SIZE", "x")], &["DIB_IMAGE_SIZE is 'x'"]),
        ("", &[("IMAGE_TYPE", "qcow")], &["did you mean 'qcow2'?"]),
        (
            "",
            &[("ELEMENTS_PATH", "/nowhere")],
            &["'/nowhere' of the elements' path is no directory"],
        ),
    ] {
        let run = ground
            .run(&format!("dib -n tiny probe {words}"), variables)
            .expect(3);
        for part in parts {
            assert!(
                run.stderr.contains(part),
                "{words} {variables:?}: {part}: {run:?}"
            );
        }
    }
    ground
        .run("dib tiny probe", &[])
        .expect(3)
        .says(["no element 'base'"]);
    ground
        .run("dib -n probe", &[])
        .expect(3)
        .says(["provides an operating system"]);
    let nothing = crate::world::names(&ground.path(""));
    assert!(nothing.is_empty(), "{nothing:?}");
    // A directory in the place of an image.
    fs::create_dir(ground.path("image.raw")).unwrap();
    ground.build("-t raw", &[]).expect(3).says(["image.raw"]);
    assert_eq!(ground.names(), ["image.raw"]);
}

#[test]
fn what_goes_wrong_beside_scripts_is_told_and_leaves_nothing() {
    let ground = Ground::new(User::Ordinary);
    let small = [("DIB_IMAGE_SIZE", "0.0117")];
    for (phase, text, variables, parts) in [
        (
            "extra-data",
            "rm -r $TMP_MOUNT_PATH/tmp",
            &[][..],
            &["the tree has no /tmp"][..],
        ),
        (
            "block-device",
            "echo IMAGE_BLOCK_DEVICE=/dev/mine",
            &[],
            &[
                "a script in block-device.d says 'IMAGE_BLOCK_DEVICE=/dev/mine'",
                "block-device-default.yaml",
            ],
        ),
        (
            "install",
            "dd if=/dev/urandom of=/large bs=1M count=8",
            &small,
            &[
                "image.raw: the usual configuration:",
                "the content doesn't fit into 12 MiB",
            ],
        ),
        ("environment", "", &[], &[]),
    ] {
        let ground = Ground::new(User::Ordinary);
        let inside = "echo text > /etc/seen";
        ground.script("install", inside);
        match phase {
            "environment" => ground.put("probe/environment.d/10-wrong", "exit 6\n"),
            phase => ground.script(phase, text),
        }
        let status = if phase == "environment" { 6 } else { 3 };
        let run = ground.build("-t raw", variables).expect(status);
        for part in parts {
            assert!(run.stderr.contains(part), "{phase}: {part}: {run:?}");
        }
        assert_nothing_is_left(ground.place(), &[]);
    }
    // Nothing that root.d has made.
    ground.put("nothing/element-provides", "operating-system\n");
    ground.put(
        "nothing/root.d/10-nothing",
        "#!/bin/sh\nmkdir $TARGET_ROOT/tmp $TARGET_ROOT/lost+found\n",
    );
    let run = ground.run("dib -n nothing", &[]).expect(3);
    run.says(["the scripts in root.d have put nothing into the tree"]);
    // A tree without what its scripts are run by.
    ground.put("bare/element-provides", "operating-system\n");
    ground.put(
        "bare/root.d/10-bare",
        "#!/bin/sh\nmkdir $TARGET_ROOT/tmp $TARGET_ROOT/etc\n",
    );
    ground.put("bare/install.d/10-x", "#!/bin/sh\n");
    let run = ground.run("dib -n bare", &[]);
    assert_ne!(run.status, Some(0));
    run.says(["bash"]);
    assert_nothing_is_left(ground.place(), &[]);
}

/// Where somebody stops a build, a command runs in place of the shell that nobody has a terminal for.
#[test]
fn a_build_stops_where_it_is_asked_to() {
    let ground = Ground::new(User::Ordinary);
    ground.script("install", "[ -e /etc/may ] || exit 7");
    ground.script("root", "true");
    let command = "echo at the break: $PWD ${TARGET_ROOT-inside}";
    let variables = |stage| [("break", stage), ("break_cmd", command)];
    let root = "before-root,after-install";
    ground
        .build("-t tar", &variables(root))
        .expect(7)
        .says(["the build stops at before-root", "at the break: /"]);
    let run = ground.build("-t tar", &variables("after-error")).expect(7);
    run.says([
        "the build stops at after-error",
        "at the break: / inside",
        "the build goes on",
    ]);
    let outside = [
        &variables("after-error")[..],
        &[("break_outside_target", "1")],
    ]
    .concat();
    let run = ground.build("-t tar", &outside).expect(7);
    let told = format!(
        "at the break: {} /",
        ground.path("").display().to_string().trim_end_matches('/')
    );
    run.says([told.as_str()]);
    // In front of a phase in the tree it is a shell, whose input is empty here.
    let run = ground
        .build("-t tar", &variables("before-install"))
        .expect(7);
    run.says(["the build stops at before-install", "the build goes on"])
        .never_says(["at the break"]);
    // What is changed there counts.
    let variables = [
        ("break", "before-extra-data"),
        ("break_cmd", "touch $TARGET_ROOT/etc/may"),
    ];
    ground.build("-t tar", &variables).expect(0);
    assert_nothing_is_left(ground.place(), &["image.tar"]);
}

#[test]
fn a_tree_is_kept_where_that_is_asked_for() {
    for user in user::all() {
        let ground = Ground::new(user);
        ground.script(
            "install",
            "echo text > /etc/seen; chown 12:34 /etc/seen; mknod /odd c 10 200",
        );
        ground.script("finalise", "echo more >> /etc/seen; exit 9");
        let run = ground
            .build("-o one -t raw --keep-on-failure", &[])
            .expect(9);
        run.says([
            "the tree is kept as ",
            "one-failed.tar",
            "finalise.d failed (status 9)",
        ]);
        assert_eq!(
            member(&ground.path("one-failed.tar"), "etc/seen"),
            "text\nmore\n"
        );
        let names = super::ground::members(&ground.path("one-failed.tar"));
        assert!(
            !names.iter().any(|it| it.contains("in_target")),
            "{names:?}"
        );
        assert_nothing_is_left(ground.place(), &["one-failed.tar"]);
        ground.build("-o one -t raw", &[]).expect(9);
        assert_eq!(ground.names(), ["one-failed.tar"]);
    }
}

/// By the names that diskimage-builder has for them, commands end as those do.
#[test]
fn by_its_other_names_it_ends_as_they_do() {
    let ground = Ground::new(User::Ordinary);
    ground.script("install", "exit ${STATUS:-0}");
    ground.put("own/element-deps", "");
    for (name, line) in [
        ("disk-image-create", "-n -t tar tiny probe"),
        (
            "ramdisk-image-create",
            "-n --ramdisk-element own tiny probe",
        ),
        ("virt-dib", "--skip-base --formats tar tiny probe"),
    ] {
        let run = ground.by_link(name, line, &[("STATUS", "7")]).expect(7);
        run.says(["install.d failed (status 7)"]);
        let run = ground
            .by_link(name, &format!("{line} nosuch"), &[])
            .expect(1);
        run.says(["no element 'nosuch'"]);
        assert_nothing_is_left(ground.place(), &[]);
        ground.by_link(name, line, &[]).expect(0);
        match name {
            "ramdisk-image-create" => assert_nothing_is_left(ground.place(), &[]),
            _ => fs::remove_file(ground.path("image.tar")).unwrap(),
        }
    }
}

/// Elements mount things beside their tree, which takes namespaces.
#[test]
fn a_container_without_namespaces_is_told_of() {
    let container = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/vmdb2/as-in-a-container"
    );
    let mut users = vec![(User::Ordinary, "may have no namespaces")];
    match is_root_user() {
        true => users.push((User::Root, "needs namespaces")),
        false => testkit::log::not_run("only root can be root of a container"),
    }
    for (user, part) in users {
        let ground = Ground::new(user);
        let run = ground.through(container.as_ref(), "dib -n -t tar tiny", &[]);
        run.expect(3).says([part]);
        assert_nothing_is_left(ground.place(), &[]);
    }
}

/// What doesn't depend on files is refused before any script has run for minutes.
#[test]
fn what_cannot_become_an_image_is_told_before_scripts_run() {
    let ground = Ground::new(User::Ordinary);
    ground.script("root", "echo a script has run");
    for (options, variables, parts) in [
        (
            "-t raw --mkfs-options -Onosuch",
            &[][..],
            ["[0].local_loop.mkfs", "the feature 'nosuch'"],
        ),
        (
            "-t raw --mkfs-options -b3000",
            &[],
            ["[0].local_loop.mkfs", "blocks of 3000 bytes"],
        ),
        (
            "-t raw --max-online-resize 1",
            &[],
            ["[0].local_loop.mkfs", "can't grow to 1"],
        ),
        (
            "-t raw",
            &[("FS_TYPE", "nosuch")],
            ["[0].local_loop.mkfs", "a 'nosuch' filesystem"],
        ),
        (
            "-t raw,vmdk --qemu-img-options subformat=nosuch",
            &[],
            ["--qemu-img-options.subformat", "'nosuch' is neither"],
        ),
        (
            "-t qcow2 --qemu-img-options compression_type=lz9",
            &[],
            ["--qemu-img-options.compression_type", "'lz9' isn't one of"],
        ),
        (
            "-t tar,docker --docker-target Bad:x",
            &[],
            ["--docker-target", "'Bad:x' can't be"],
        ),
        (
            "-t docker -o Bad",
            &[],
            ["-o.name", "'Bad' can't be the name"],
        ),
    ] {
        let run = ground.build(options, variables).expect(3).says(parts);
        run.never_says(["a script has run"]);
        let dry = ground.build(&format!("{options} --dry-run"), variables);
        dry.expect(3).says(parts);
    }
    // What depends on the size of the disk is possible for few files, or for many.
    for kind in ["fat12", "xfs"] {
        let variables = [("FS_TYPE", kind), ("ROOT_LABEL", "ROOT")];
        ground.build("-t raw --dry-run", &variables).expect(0);
    }
    assert_nothing_is_left(ground.place(), &[]);
}
