//! Image files in every format, held against the raw one by programs that others wrote.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use disklayout::About;
use disklayout::container::Registry;
use disklayout::disk::SparseFile;
use serde_json::Value;
use testkit::program::{arguments, run};

use crate::checkers;
use crate::world::{Run, World, send};

/// The filesystems that hold files, and sizes that they may have, in MiB.
const FILESYSTEMS: [(&str, usize); 12] = [
    ("ext2", 24),
    ("ext3", 24),
    ("ext4", 24),
    ("fat16", 24),
    ("fat32", 40),
    ("exfat", 24),
    ("ntfs", 24),
    ("erofs", 24),
    ("squashfs", 24),
    ("xfs", 301),
    ("btrfs", 112),
    ("f2fs", 128),
];

/// A tree with files, holes and zeroes that its image has to keep.
fn world() -> World {
    let world = World::new("", "", "");
    let tree = world.root().join("tree");
    fs::create_dir_all(tree.join("a/b")).unwrap();
    for (name, len) in [("one", 1), ("small", 5000), ("a/large", 3_000_001)] {
        let bytes: Vec<u8> = (0..len).map(|at: usize| (at / 7 % 251) as u8).collect();
        fs::write(tree.join(name), bytes).unwrap();
    }
    fs::write(tree.join("zeroes"), vec![0; 700_000]).unwrap();
    File::create(tree.join("a/b/hole"))
        .unwrap()
        .set_len(2 << 20)
        .unwrap();
    world
}

/// Adds 6 MiB that don't compress.
fn put_noise(world: &World) {
    let mut state = 1_u64;
    let noise = (0..6 << 20).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    });
    let path = world.root().join("tree/noise");
    fs::write(path, noise.collect::<Vec<_>>()).unwrap();
}

/// The names of the formats of disks, and the extensions of their files.
fn formats() -> Vec<(String, String)> {
    let registry = Registry::default();
    let formats = registry.formats().filter(|it| it.holds_disk());
    formats.map(|it| names_of(it.about())).collect()
}

/// Those of archives.
fn archives() -> Vec<(String, String)> {
    let registry = foreign::archives();
    registry.formats().map(|it| names_of(it.about())).collect()
}

fn names_of(format: About) -> (String, String) {
    (format.name().to_owned(), format.extension.to_owned())
}

fn names() -> String {
    let names: Vec<_> = formats().into_iter().map(|(name, _)| name).collect();
    names.join(",")
}

/// The disk in an image file, unpacked beside it by programs that others wrote.
fn unpacked(format: &str, image: &Path) -> Vec<u8> {
    let program = match format {
        "raw" => return fs::read(image).unwrap(),
        "android-sparse" => return unsparsed(image),
        "ova" => return unpacked("vmdk", &disk_of(image)),
        "raw.zst" => "zstd",
        "raw.gz" => "gzip",
        "raw.xz" => "xz",
        _ => return converted(format, image),
    };
    let output = Command::new(program).arg("-dc").arg(image).output();
    let output = output.unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    assert!(output.status.success(), "{output:?}");
    checkers::accepted(program, image);
    output.stdout
}

/// The disk of a machine, unpacked beside its archive.
fn disk_of(archive: &Path) -> PathBuf {
    let disk = archive.with_extension("ova.vmdk");
    let script = "tar --extract --to-stdout --file \"$0\" --wildcards '*.vmdk' > \"$1\"";
    run("sh", &arguments(&["-c", script], &[archive, &disk])).unwrap();
    disk
}

fn unsparsed(image: &Path) -> Vec<u8> {
    let raw = image.with_extension("unsparsed");
    run("simg2img", &arguments(&[], &[image, &raw])).unwrap();
    checkers::accepted("simg2img", image);
    let bytes = fs::read(&raw).unwrap();
    fs::remove_file(raw).unwrap();
    bytes
}

fn converted(format: &str, image: &Path) -> Vec<u8> {
    let format = if format == "vhd" { "vpc" } else { format };
    let raw = image.with_extension("converted");
    if format != "vpc" {
        run("qemu-img", &arguments(&["check", "-f", format], &[image])).unwrap();
    }
    let convert = ["convert", "-f", format, "-O", "raw"];
    run("qemu-img", &arguments(&convert, &[image, &raw])).unwrap();
    checkers::accepted("qemu-img", image);
    let bytes = fs::read(&raw).unwrap();
    fs::remove_file(raw).unwrap();
    bytes
}

/// All formats at once, from one plan: each is the same disk.
#[test]
fn every_filesystem_is_the_same_disk_in_every_format() {
    let world = world();
    for (filesystem, size) in FILESYSTEMS {
        let line = format!(
            "make-fs --format {} -t {filesystem} -s {size}M --lossy ../tree {filesystem}",
            names()
        );
        world.run(&line).expect(0);
        let path = |extension: &str| world.path(&format!("{filesystem}.{extension}"));
        let raw = fs::read(path("img")).unwrap();
        assert_eq!(raw.len(), size << 20);
        for (format, extension) in formats() {
            let found = unpacked(&format, &path(&extension));
            assert!(found == raw, "{filesystem} in {format}");
            fs::remove_file(path(&extension)).unwrap();
        }
    }
}

/// Zeroes that count are data in a raw image, and told in others.
#[test]
fn zeroes_that_count_change_no_disk() {
    let world = world();
    let line = "--zeroes all make-fs -t fat32 -s 64M ../tree";
    world.run(&format!("{line} alone.img")).expect(0);
    world
        .run(&format!("{line} --format {} all", names()))
        .expect(0);
    let raw = fs::read(world.path("alone.img")).unwrap();
    let blocks = |name: &str| fs::metadata(world.path(name)).unwrap().blocks();
    // Both FATs, and what is zero in files.
    assert_eq!(blocks("all.img"), blocks("alone.img"));
    assert!(blocks("all.img") * 512 > 5_000_000);
    for (format, extension) in formats() {
        let path = world.path(&format!("all.{extension}"));
        assert!(unpacked(&format, &path) == raw, "{format}");
    }
}

/// What is made alone is made as beside the others, whatever the number of threads.
#[test]
fn one_format_is_made_as_beside_others() {
    let world = world();
    let line = format!("make-fs --format {} ../tree all", names());
    world.run(&format!("-j 3 {line}")).expect(0);
    for (format, extension) in formats() {
        let size = fs::metadata(world.path("all.vhd")).unwrap().len();
        assert!(size > 0);
        let alone = format!("-j 1 make-fs -s 9M --format {format} ../tree alone.{extension}");
        let beside = format!("-j 3 make-fs -s 9M --format {format},raw ../tree beside");
        world.run(&alone).expect(0);
        if format == "raw" {
            continue;
        }
        world.run(&beside).expect(0);
        let read = |stem: &str| fs::read(world.path(&format!("{stem}.{extension}"))).unwrap();
        assert!(read("alone") == read("beside"), "{format}");
    }
}

const GROUP: &str = r#"{"name": "x", "size": "auto", "filesystems": ["ext4", "fat32"], "labels": ["gpt"],
    "formats": ["raw", "qcow2", "vhd", "raw.zst"], "format_options": {"compression_type": "zstd"},
    "parts": [{"type": "p", "contents": [{"directory": "uploads/tree"}]}]}"#;

/// A set is built, listed and checked by the names of its files.
#[test]
fn groups_have_a_file_of_each_format() {
    let world = world();
    let uploads = world.root().join("uploads");
    fs::create_dir(&uploads).unwrap();
    fs::rename(world.root().join("tree"), uploads.join("tree")).unwrap();
    world.configure(&GROUP.replace("uploads/tree", "tree"), "", "");
    world.run("check").expect(2);
    world.run("all").expect(0);
    let mut expected = Vec::new();
    for filesystem in ["ext4", "fat32"] {
        for extension in ["img", "img.zst", "qcow2", "vhd"] {
            expected.push(format!("disk_x_{filesystem}.{extension}"));
        }
    }
    assert_eq!(world.names(), expected);
    world.run("check").expect(0);
    for filesystem in ["ext4", "fat32"] {
        let path = |extension: &str| world.path(&format!("disk_x_{filesystem}.{extension}"));
        let raw = fs::read(path("img")).unwrap();
        assert_eq!(raw.len() % (1 << 20), 0, "a VHD holds whole MiB");
        for (format, extension) in [("qcow2", "qcow2"), ("vhd", "vhd"), ("raw.zst", "img.zst")] {
            assert!(unpacked(format, &path(extension)) == raw, "{format}");
        }
    }
    let plan = world.run("plan").expect(0).stdout;
    assert!(plan.contains(", in the format vhd"), "{plan}");
}

/// The format that an image file is read in; raw where it is decompressed first.
fn format_read(path: &Path) -> &'static str {
    let file = SparseFile::open(File::open(path).unwrap()).unwrap();
    let formats = Registry::default();
    match formats.read(&file) {
        Ok(Some((format, _))) => format.about().name(),
        Ok(None) | Err(_) => "raw",
    }
}

/// What is read of an image doesn't depend on its file's format.
#[test]
fn every_format_is_inspected() {
    let world = world();
    let line = format!("make-fs -p=gpt -L root --format {} ../tree all", names());
    world.run(&line).expect(0);
    let inspected = |extension: &str| {
        let line = format!("--json inspect --tree all.{extension}");
        let text = world.run(&line).expect(0).stdout;
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let image = value["images"][0].as_object_mut().unwrap();
        image.remove("file").unwrap();
        image.remove("containers").unwrap();
        (image.remove("format").unwrap(), value)
    };
    let (_, raw) = inspected("img");
    for (format, extension) in formats() {
        let (told, found) = inspected(&extension);
        assert_eq!(told, format_read(&world.path(&format!("all.{extension}"))));
        assert_eq!(found, raw, "{format}");
        let line = format!("inspect --cat /a/large all.{extension}");
        let output = world.command(&line).output().unwrap();
        let large = fs::read(world.root().join("tree/a/large")).unwrap();
        assert!(
            output.status.success() && output.stdout == large,
            "{output:?}"
        );
    }
}

/// An image goes into a pipe as it goes into a file.
#[test]
fn what_can_be_streamed_goes_to_standard_output() {
    let world = world();
    let stream = "--format-option subformat=streamOptimized";
    for (format, options) in [
        ("raw", ""),
        ("raw.zst", ""),
        ("raw.gz", ""),
        ("raw.xz", ""),
        ("vmdk", stream),
    ] {
        let line = format!("make-fs --format {format} {options} ../tree");
        world.run(&format!("{line} image")).expect(0);
        let output = world.command(&format!("{line} -")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(
            output.stdout == fs::read(world.path("image")).unwrap(),
            "{format}"
        );
        fs::remove_file(world.path("image")).unwrap();
    }
    assert_eq!(world.names(), [""; 0]);
}

/// Whoever reads an image goes away.
#[test]
fn a_broken_pipe_is_an_error() {
    let world = world();
    put_noise(&world);
    for format in ["raw", "raw.zst", "tar", "tar.zst", "oci"] {
        let mut command = world.command(&format!("make-fs --format {format} ../tree -"));
        let mut child = command.spawn().unwrap();
        let mut first = [0; 10];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let run = Run::ended(format!("make-fs {format}"), output);
        run.expect(3).says(["Broken pipe"]);
    }
    assert_eq!(world.names(), [""; 0]);
}

/// What is interrupted leaves nothing, and what was there before.
#[test]
fn an_interrupted_run_leaves_the_old_image() {
    let world = world();
    for (format, extension) in formats().into_iter().chain(archives()) {
        let name = format!("a.{extension}");
        world.put(&name, 0);
        let mut command = world.command(&format!("make-fs --force --format {format} - {name}"));
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // More than a pipe holds: when this returns, the run has begun.
        pipe.write_all(&vec![b'x'; 1 << 20]).unwrap();
        send(&child, "TERM");
        child.wait().unwrap();
        assert_eq!(world.names(), std::slice::from_ref(&name));
        assert!(world.is_untouched(&name), "{name}");
        fs::remove_file(world.path(&name)).unwrap();
    }
}

/// Root isn't needed where users may have namespaces.
#[test]
fn a_full_disk_leaves_nothing() {
    let world = world();
    put_noise(&world);
    let script = "mount -t tmpfs -o size=4m none . && cd . && cd \"$PWD\" && \"$@\"; \
                  status=$?; ls -A; exit $status";
    for (format, extension) in formats().into_iter().chain(archives()) {
        let line = format!("make-fs --format {format} ../tree full.{extension}");
        let command = world.command(&line);
        let mut shell = Command::new("unshare");
        world.prepare(&mut shell);
        shell.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
        shell.arg(command.get_program()).args(command.get_args());
        let run = Run::of(&mut shell).expect(3);
        assert!(run.stderr.contains("no space is left"), "{format}: {run:?}");
        assert_eq!(run.stdout, "", "{format}: {run:?}");
    }
}

/// An image of the program's own is replaced by the next one, whatever its format; others aren't.
#[test]
fn an_image_in_any_format_may_be_replaced() {
    let world = world();
    for (_, extension) in formats() {
        let line = format!("make-fs ../tree a.{extension}");
        world.run(&line).expect(0);
        world.run(&line).expect(0);
    }
    fs::copy(world.path("a.img.zst"), world.path("b.img")).unwrap();
    let run = world.run("make-fs ../tree b.img").expect(3);
    run.says(["is compressed with zstd", "--force replaces it"]);
}

#[test]
fn what_a_format_does_not_have_is_refused_by_its_name() {
    let world = world();
    for (options, status, part) in [
        ("--format zip", 64, "'zip' is no format of images"),
        ("--format qcow2,qcow2", 64, "'qcow2' is asked for twice"),
        (
            "--format raw --format-option cluster_size=1M",
            64,
            "there is no option 'cluster_size'",
        ),
        (
            "--format qcow2 --format-option cluster_size=3M",
            3,
            "--format-option cluster_size: '3M'",
        ),
        (
            "--format qcow2 --format-option preallocation=full",
            3,
            "--format-option preallocation: 'full' can't be done",
        ),
        ("--format vmdk -s 3T -t xfs", 3, "2044 GiB"),
    ] {
        let run = world
            .run(&format!("make-fs {options} ../tree a"))
            .expect(status);
        run.says([part]);
    }
    assert_eq!(world.names(), [""; 0]);
}
