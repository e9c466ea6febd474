//! What builds of diskimage-builder are made of: elements that are found and expanded, and scripts
//! that run in their order.

/// Machines that start from what comes out.
mod bootable;
/// Files of images, of which each is built by a command.
mod builds;
/// Elements that begin with images of containers.
mod container_files;
/// Builds that are shown and not done.
mod dry_runs;
/// Builds that fail.
mod failures;
/// Elements that tests make, and builds of them.
mod ground;
/// Disks as configurations describe them.
mod layouts;
/// Elements of diskimage-builder itself.
mod nightly;
/// What is typed.
mod options;
/// Phases and their scripts.
mod phases;
/// Programs that scripts call.
mod programs;
/// Builds that are ended by signals.
mod signals;
/// Builds at a terminal.
mod terminal;
/// What is in images.
mod tree;
/// The files that come out of builds.
mod types;
/// Volumes of LVM as configurations describe them.
mod volumes;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::world::{BINARY, Run};

/// A directory with files and links to the program.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for name in [
            "createhdds",
            "dib-run-parts",
            "disk-image-create",
            "disk-image-get-kernel",
            "diskimage-builder",
            "element-info",
            "ramdisk-image-create",
            "virt-dib",
        ] {
            symlink(BINARY, place.path(name)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, which is executable where its text begins with what runs it.
    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn run(&self, line: &str, variables: &[(&str, &str)]) -> Run {
        let mut words = line.split_whitespace();
        let mut command = Command::new(self.path(words.next().unwrap()));
        command
            .args(words)
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            // No diskimage-builder of this machine's.
            .env("DIB_PYTHON_EXEC", "/nowhere")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Run::of(&mut command)
    }

    fn put_elements(&self) {
        for (path, text) in [
            ("one/os/element-provides", "operating-system\n"),
            ("one/vm/element-deps", "block-device\n\nbase\n"),
            ("two/mbr/element-provides", "block-device\n"),
            ("two/base/README.rst", "text\n"),
            ("two/vm/element-deps", "nothing\n"),
        ] {
            self.put(path, text);
        }
    }
}

const ELEMENTS: [(&str, &str); 1] = [("ELEMENTS_PATH", "one:two")];

#[test]
fn elements_are_told_with_those_that_they_need() {
    let place = Place::new();
    place.put_elements();
    for program in ["element-info", "createhdds element-info"] {
        let run = place.run(&format!("{program} vm os mbr"), &ELEMENTS);
        assert_eq!(run.stdout, "base mbr os vm\n");
        run.expect(0).says(["the one in", "two/vm' is hidden"]);
    }
    let run = place.run("createhdds --json element-info os", &ELEMENTS);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["elements"][0]["name"], "os");
    assert_eq!(document["elements"][0]["provides"][0], "operating-system");
    // An installed diskimage-builder comes behind them.
    place.put("dib/elements/vm/element-deps", "elsewhere\n");
    place.put("dib/elements/extra/element-deps", "base\n");
    let run = place.run("element-info --dib dib/lib os extra", &ELEMENTS);
    assert_eq!(run.stdout, "base extra os\n");
}

#[test]
fn a_shell_evaluates_what_elements_there_are() {
    let place = Place::new();
    place.put_elements();
    let script = "eval \"$(./element-info --env os base)\"; \
                  bash -c 'eval declare -A all=($(get_image_element_array)); \
                  echo ${all[os]} $IMAGE_ELEMENT; echo \"$IMAGE_ELEMENT_YAML\"'";
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(place.0.path());
    command.env("DIB_PYTHON_EXEC", "/nowhere").envs(ELEMENTS);
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let root = fs::canonicalize(place.0.path()).unwrap();
    let root = root.display();
    let expected = format!("{root}/one/os base os\nbase: {root}/two/base\nos: {root}/one/os\n\n");
    assert_eq!(said, expected);
}

#[test]
fn what_is_wrong_with_elements_is_told() {
    let place = Place::new();
    place.put_elements();
    for (line, path, part) in [
        (
            "vm os mbrr",
            "one:two",
            "there is no element 'mbrr': did you mean 'mbr'?",
        ),
        (
            "vm os",
            "one:two",
            "no element 'block-device', which 'vm' needs",
        ),
        ("base", "one:two", "provides an operating system"),
        (
            "os",
            "one:nowhere",
            "'nowhere' of the elements' path is no directory",
        ),
        ("--dib one os", "one", "'one' has no diskimage-builder"),
        ("--nothing os", "one", "unexpected argument '--nothing'"),
        ("", "one", "<ELEMENT>"),
    ] {
        let run = place.run(&format!("element-info {line}"), &[("ELEMENTS_PATH", path)]);
        run.expect(1).says([part]);
    }
    place
        .run("createhdds element-info base", &ELEMENTS)
        .expect(3);
    place.run("createhdds element-info", &ELEMENTS).expect(64);
}

#[test]
fn scripts_run_in_their_order_and_environment() {
    let place = Place::new();
    for (path, text) in [
        (
            "hooks/environment.d/9-first.sh",
            "export SEEN=first; unexported=1\n",
        ),
        (
            "hooks/environment.d/10-second",
            "export SEEN=$SEEN:$OUTER; f() { :; }\n",
        ),
        ("hooks/environment.d/not,sourced", "exit 1\n"),
        (
            "hooks/install.d/100-last",
            "#!/bin/sh\necho last ${unexported:-none} $PWD\n",
        ),
        (
            "hooks/install.d/20-middle",
            "#!/bin/sh\necho middle $SEEN $0\n",
        ),
        ("hooks/install.d/9-plain", "#!\necho plain $SEEN\n"),
        ("hooks/install.d/50-with.dot", "#!/bin/sh\necho never\n"),
        ("hooks/install.d/60-no-script", "echo never\n"),
        (
            "hooks/install.d/70-directory/1-a",
            "#!/bin/sh\necho never\n",
        ),
    ] {
        place.put(path, text);
    }
    let root = fs::canonicalize(place.0.path()).unwrap();
    let directory = "hooks/install.d";
    let run = place.run(&format!("dib-run-parts {directory}"), &[("OUTER", "x")]);
    let expected = format!(
        "plain first:x\nmiddle first:x {directory}/20-middle\nlast none {}\n",
        root.display()
    );
    assert_eq!(run.stdout, expected);
    let lines: Vec<_> = run.stderr.lines().collect();
    let told = |part: &str| lines.iter().position(|line| line.contains(part)).unwrap();
    assert!(told("Sourcing environment file") < told("Running hooks/install.d/9-plain"));
    assert!(told("dib-run-parts 9-plain completed") < told("Running hooks/install.d/20-middle"));
    assert!(told("Target: install.d") < told("dib-run-parts 9-plain       "));
    run.expect(0);
    let run = place.run(&format!("createhdds dib-run-parts --list {directory}"), &[]);
    let listed = ["9-plain", "20-middle", "100-last"].map(|name| format!("{directory}/{name}\n"));
    assert_eq!(run.stdout, listed.concat());
    let run = place.run(
        &format!("dib-run-parts {directory}"),
        &[("OUTER", "x"), ("RUN_PARTS_REGEX", r"^50-.*\.dot$")],
    );
    assert_eq!(run.stdout, "never\n");
}

#[test]
fn the_first_script_that_fails_ends_it() {
    let place = Place::new();
    place.put("parts/1-fails", "#!/bin/sh\necho here; exit 7\n");
    place.put("parts/2-after", "#!/bin/sh\necho after\n");
    let run = place.run("dib-run-parts parts", &[]);
    assert_eq!(run.stdout, "here\n");
    run.expect(7);
    place.put("parts/1-fails", "#!/bin/sh\nkill -TERM $$\n");
    place
        .run("createhdds dib-run-parts parts", &[])
        .expect(128 + 15);
    place.put("environment.d/1-wrong", "echo $nowhere\n");
    let run = place.run("dib-run-parts parts", &[]);
    run.expect(1).says([
        "nowhere: unbound variable",
        "parts/../environment.d/1-wrong fails",
    ]);
    for line in [
        "dib-run-parts",
        "dib-run-parts none",
        "dib-run-parts parts more",
    ] {
        place.run(line, &[]).expect(1);
    }
    let run = place.run("createhdds dib-run-parts none", &[]);
    run.expect(3).says(["'none' is no directory of scripts"]);
}

#[test]
fn the_kernel_of_an_image_is_written_with_its_ramdisk() {
    let place = Place::new();
    for (path, text) in [
        ("system/boot/vmlinuz-6.1.0-9-amd64", "old kernel"),
        ("system/boot/initrd.img-6.1.0-9-amd64", "old ramdisk"),
        ("system/boot/vmlinuz-6.1.0-10-amd64", "kernel"),
        ("system/boot/initrd.img-6.1.0-10-amd64", "ramdisk"),
        ("system/boot/vmlinuz-7-rescue", "rescue"),
        ("system/boot/initrd.img-7-rescue", "rescue"),
        ("system/etc/debian_version", "12.5\n"),
        // A filesystem that is mounted at /boot.
        ("boot/vmlinuz-5.14.0-1.el9.x86_64", &"x".repeat(3_000_000)),
        ("boot/initramfs-5.14.0-1.el9.x86_64.img", "ramdisk of el9"),
        ("bare/boot/vmlinuz-6", "kernel"),
        ("none/boot/config-6", "text"),
    ] {
        place.put(path, text);
    }
    symlink("vmlinuz-6.1.0-10-amd64", place.path("system/boot/vmlinuz")).unwrap();
    for (tree, image, options) in [
        ("system", "system.qcow2", ""),
        ("system", "system.img.zst", "--partition=gpt"),
        ("boot", "boot.img", "-t ext2"),
        ("boot", "boot.vfat", "-t vfat"),
        ("bare", "bare.img", ""),
        ("none", "none.img", ""),
        ("boot", "xfs.img", "-t xfs"),
        ("boot", "btrfs.img", "-t btrfs"),
        ("boot", "f2fs.img", "-t f2fs"),
    ] {
        let line = format!("createhdds --no-sync make-fs {options} {tree} {image}");
        place.run(&line, &[]).expect(0);
    }
    let read = |name: &str| fs::read_to_string(place.path(name)).unwrap();
    for image in ["system.qcow2", "system.img.zst"] {
        let line = format!("disk-image-get-kernel -d . -o my -i {image}");
        let run = place.run(&line, &[]);
        assert_eq!(run.stdout, "my-vmlinuz,my-initrd\n");
        run.expect(0);
        assert_eq!(
            (read("my-vmlinuz"), read("my-initrd")),
            ("kernel".into(), "ramdisk".into())
        );
    }
    fs::create_dir(place.path("into")).unwrap();
    for image in ["boot.img", "boot.vfat", "xfs.img", "btrfs.img"] {
        let line = format!("createhdds --json disk-image-get-kernel -i {image} -d into -o b");
        let run = place.run(&line, &[]);
        let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(document["ramdisk"], "b-initrd");
        run.expect(0);
        assert_eq!(read("into/b-vmlinuz").len(), 3_000_000);
        assert_eq!(read("into/b-initrd"), "ramdisk of el9");
    }
    for (line, part) in [
        (
            "-i bare.img -d into",
            "the kernel 'vmlinuz-6' has no ramdisk",
        ),
        ("-i none.img -d into", "it has no kernel"),
        ("-i f2fs.img -d into", "files of f2fs can't be read here"),
        ("-i nothing.img -d into", "nothing.img"),
        ("-i system -d into", "system"),
        ("-i boot.img -d nowhere", "nowhere"),
        ("-d into", "-i <IMAGE>"),
    ] {
        let run = place.run(&format!("disk-image-get-kernel {line}"), &[]);
        run.expect(1).says([part]);
    }
    let mut names: Vec<_> = fs::read_dir(place.path("into")).unwrap().collect();
    assert_eq!(names.len(), 2, "{:?}", names.pop());
}
