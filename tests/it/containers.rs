//! Images of containers as inputs: what skopeo and umoci make, and what the command makes of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::checkers::{self, ask_debugfs, command};
use crate::world::{Run, World};

/// A world with an image of two layers in the layout `layout:app`, made by umoci.
fn world() -> World {
    let world = World::new("", "", "");
    let root = world.root();
    let layout = root.join("layout");
    umoci(root, &["init", "--layout", "layout"]);
    umoci(root, &["new", "--image", "layout:app"]);
    umoci(
        root,
        &["unpack", "--rootless", "--image", "layout:app", "bundle"],
    );
    let rootfs = root.join("bundle/rootfs");
    fs::create_dir_all(rootfs.join("etc")).unwrap();
    fs::create_dir_all(rootfs.join("old/deep")).unwrap();
    for (path, text) in [
        ("etc/os-release", "ID=test"),
        ("etc/kept", "kept"),
        ("etc/removed", "x"),
        ("old/deep/x", "x"),
    ] {
        fs::write(rootfs.join(path), text).unwrap();
    }
    repack(root);
    fs::remove_file(rootfs.join("etc/removed")).unwrap();
    fs::remove_dir_all(rootfs.join("old/deep")).unwrap();
    fs::write(rootfs.join("old/new"), "new").unwrap();
    repack(root);
    assert!(layout.join("index.json").exists());
    world
}

fn umoci(root: &Path, arguments: &[&str]) {
    run(root, "umoci", arguments);
}

/// Makes what has changed in the bundle the next layer.
fn repack(root: &Path) {
    umoci(
        root,
        &[
            "repack",
            "--refresh-bundle",
            "--image",
            "layout:app",
            "bundle",
        ],
    );
}

fn run(root: &Path, program: &str, arguments: &[&str]) {
    let output = command(program)
        .env("HOME", root)
        .current_dir(root)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {text}");
}

/// A copy of the image in another form.
fn copy(world: &World, options: &[&str], to: &str) -> PathBuf {
    let arguments = [
        &["--insecure-policy", "copy"],
        options,
        &["oci:layout:app", to],
    ];
    run(world.root(), "skopeo", &arguments.concat());
    let path = to.split(':').nth(1).unwrap();
    world.root().join(path)
}

fn pack(world: &World, program: &str, file: &Path) -> PathBuf {
    run(world.root(), program, &["-k", file.to_str().unwrap()]);
    let end = if program == "gzip" { "gz" } else { "zst" };
    PathBuf::from(format!("{}.{end}", file.display()))
}

#[track_caller]
fn assert_holds_the_image(image: &Path) {
    checkers::e2fsck(image).unwrap();
    for (path, text) in [
        ("/etc/os-release", "ID=test"),
        ("/etc/kept", "kept"),
        ("/old/new", "new"),
    ] {
        assert_eq!(ask_debugfs(image, &format!("cat {path}")), text, "{path}");
    }
    let names = |path: &str| ask_debugfs(image, &format!("ls -p {path}"));
    assert!(!names("/etc").contains("removed"));
    assert!(!names("/old").contains("deep"));
    assert!(!names("/").contains("blobs"));
}

#[test]
fn every_form_of_an_image_becomes_the_same_filesystem() {
    let world = world();
    let archive = copy(&world, &[], "oci-archive:image.oci.tar:app");
    let saved = copy(&world, &[], "docker-archive:saved.tar:example.org/app:1");
    let zstd = ["--dest-compress-format", "zstd"];
    let forms = [
        world.root().join("layout"),
        pack(&world, "gzip", &archive),
        pack(&world, "zstd", &saved),
        archive,
        saved,
        copy(&world, &zstd, "oci:layers-in-zstd:app"),
    ];
    let mut images = Vec::new();
    for form in &forms {
        let mut make = world.command("make-fs --no-sync");
        Run::of(make.arg(form).arg("a.img")).expect(0);
        let image = world.path("a.img");
        assert_holds_the_image(&image);
        images.push(fs::read(&image).unwrap());
    }
    let mut piped = world.command("make-fs --no-sync - a.img");
    let pipe = Stdio::from(File::open(&forms[1]).unwrap());
    Run::of(piped.stdin(pipe)).expect(0);
    images.push(fs::read(world.path("a.img")).unwrap());
    let is_first = |image: &Vec<u8>| *image == images[0];
    let same: Vec<_> = images.iter().map(is_first).collect();
    assert!(same.iter().all(|it| *it), "{same:?}");
}

#[test]
fn an_image_is_chosen_and_the_rest_is_told() {
    let world = world();
    umoci(world.root(), &["tag", "--image", "layout:app", "same"]);
    umoci(world.root(), &["new", "--image", "layout:other"]);
    world
        .run("make-fs --force ../layout a.img")
        .expect(3)
        .says([
            "several images; choose one with --image: app = same (sha256:",
            "other",
        ]);
    world.run("make-fs --image same ../layout a.img").expect(0);
    assert_holds_the_image(&world.path("a.img"));
    world
        .run("make-fs --image other ../layout a.img")
        .expect(3)
        .says(["no layers"]);
    world
        .run("make-fs --image app --platform linux/made-up ../layout a.img")
        .expect(3)
        .says(["no image for linux/made-up (--platform), but for linux/"]);
    fs::create_dir(world.root().join("tree")).unwrap();
    for option in ["--image app", "--platform amd64"] {
        world
            .run(&format!("make-fs {option} ../tree b.img"))
            .expect(3)
            .says(["chooses an image of a container, but no input holds one"]);
    }
    assert_eq!(world.names(), ["a.img"]);
}

#[test]
fn what_inputs_are_taken_for_may_be_said() {
    let world = world();
    world
        .run("make-fs --input-format files ../layout a.img")
        .expect(0)
        .never_says(["seems to hold"]);
    let listed = ask_debugfs(&world.path("a.img"), "ls -p /");
    assert!(
        listed.contains("/oci-layout/") && listed.contains("/blobs/"),
        "{listed}"
    );
    fs::write(world.root().join("layout/notes"), "").unwrap();
    world
        .run("make-fs --force ../layout a.img")
        .expect(0)
        .says([
            "seems to hold an image of a container",
            "--input-format image",
        ]);
    world
        .run("make-fs --input-format image ../layout a.img")
        .expect(0);
    assert_holds_the_image(&world.path("a.img"));
    world
        .run("make-fs --input-format image ../bundle b.img")
        .expect(3)
        .says(["neither an 'index.json' nor a 'manifest.json'"]);
}

#[test]
fn a_damaged_layer_leaves_the_old_image() {
    let world = world();
    world.put("a.img", 0);
    let blobs = world.root().join("layout/blobs/sha256");
    let files = fs::read_dir(&blobs).unwrap().map(|it| it.unwrap().path());
    let layer = files.max_by_key(|path| {
        let bytes = fs::read(path).unwrap();
        (bytes.starts_with(&[0x1F, 0x8B]), bytes.len())
    });
    let layer = layer.unwrap();
    let mut bytes = fs::read(&layer).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&layer, bytes).unwrap();
    let name = layer.file_name().unwrap().to_str().unwrap();
    world
        .run("make-fs --force ../layout a.img")
        .expect(3)
        .says(["is damaged: its digest is", name]);
    assert!(world.is_untouched("a.img"));
}

#[test]
fn whiteouts_of_overlayfs_are_taken_when_asked() {
    let world = World::new("", "", "");
    let [lower, upper] = ["lower", "upper"].map(|name| world.root().join(name));
    fs::create_dir_all(lower.join("d")).unwrap();
    fs::create_dir_all(upper.join("d")).unwrap();
    for name in ["a", "b"] {
        fs::write(lower.join("d").join(name), name).unwrap();
    }
    let whiteout = upper.join("d/b");
    fs::write(&whiteout, "").unwrap();
    let whiteout = whiteout.to_str().unwrap();
    let mark = ["-n", "user.overlay.whiteout", "-v", "y", whiteout];
    run(world.root(), "setfattr", &mark);
    world
        .run("make-fs --whiteouts ../lower ../upper a.img")
        .expect(0);
    let listed = ask_debugfs(&world.path("a.img"), "ls -p /d");
    assert!(
        listed.contains("/a/") && !listed.contains("/b/"),
        "{listed}"
    );
    world
        .run("make-fs ../lower ../upper a.img")
        .expect(0)
        .says([
            "file with attributes of overlayfs is kept, at first '/d/b'",
            "whiteouts",
        ]);
    let listed = ask_debugfs(&world.path("a.img"), "ls -p /d");
    assert!(listed.contains("/b/"), "{listed}");
}

/// A group whose only partition holds the object.
fn group(object: &str) -> String {
    format!(
        r#"{{"name": "c", "size": "32M", "labels": ["gpt"],
            "parts": [{{"type": "p", "start": 2048, "end": "auto", "filesystem": "ext4",
                "contents": [{object}]}}]}}"#
    )
}

fn assert_group_holds(world: &World) {
    let mut volumes = checkers::verify(&world.path("disk_c.img")).unwrap();
    let volume = volumes.remove(0).1;
    let text = checkers::debugfs("cat /rootfs/etc/os-release", &volume).unwrap();
    assert_eq!(text, b"ID=test");
}

#[test]
fn partitions_may_hold_images() {
    let world = world();
    let uploads = world.root().join("uploads");
    let archive = copy(&world, &[], "oci-archive:image.tar:app");
    let packed = pack(&world, "gzip", &archive);
    fs::create_dir(&uploads).unwrap();
    fs::rename(&archive, uploads.join("image.tar")).unwrap();
    fs::rename(&packed, uploads.join("image.tar.gz")).unwrap();
    fs::rename(world.root().join("layout"), uploads.join("layout")).unwrap();
    for (path, more) in [
        ("image.tar", ""),
        ("image.tar.gz", r#", "image": "app""#),
        ("layout/", r#", "image": "app""#),
    ] {
        let object = format!(r#"{{"oci": "{path}", "target": "/rootfs"{more}}}"#);
        world.configure(&group(&object), "", "");
        world.run("plan").expect(0);
        world.run("c").expect(0);
        assert_group_holds(&world);
    }
    for (object, why) in [
        (
            r#"{"oci": "none.tar"}"#,
            "contents[0].oci: can't find the upload 'none.tar'",
        ),
        (
            r#"{"oci": "image.tar", "image": "x:1"}"#,
            "holds no image 'x:1'",
        ),
        (
            r#"{"oci": "image.tar", "platform": "linux/made-up"}"#,
            "('platform')",
        ),
    ] {
        world.configure(&group(object), "", "");
        world.run("c").expect(3).says([why]);
    }
    world.configure(&group(r#"{"archive": "image.tar"}"#), "", "");
    world
        .run("c")
        .expect(0)
        .says(["seems to be an image of a container", "'oci'"]);
}
