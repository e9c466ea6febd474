//! `doctor`: what a host lacks, and that nothing is touched.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use createhdds::cli::COMMANDS;
use createhdds::command::doctor::{self, Findings, Options};
use createhdds::command::{self, Context};
use createhdds::describe::hdds::Config;
use createhdds::describe::hdds::arch;
use createhdds::describe::hdds::locate::DataDir;
use createhdds::engine::Directory;
use createhdds::virtinstall;
use foreign::run::Runner;
use indicatif::MultiProgress;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Server, ok};
use crate::world::{Run, World, broken, install, single, with_upload};

/// Every program, what needs it, and its packages.
const PROGRAMS: [(&str, &str, &str, &str); 12] = [
    ("mkntfs", "disk_each_ntfs.img", "ntfs-3g", "ntfsprogs"),
    ("ntfscp", "disk_each_ntfs.img", "ntfs-3g", "ntfsprogs"),
    (
        "mksquashfs",
        "disk_each_squashfs.img",
        "squashfs-tools",
        "squashfs-tools",
    ),
    ("mkfs.xfs", "disk_each_xfs.img", "xfsprogs", "xfsprogs"),
    ("xfs_repair", "disk_each_xfs.img", "xfsprogs", "xfsprogs"),
    (
        "mkfs.btrfs",
        "disk_each_btrfs.img",
        "btrfs-progs",
        "btrfs-progs",
    ),
    (
        "mkfs.f2fs",
        "disk_each_f2fs.img",
        "f2fs-tools",
        "f2fs-tools",
    ),
    (
        "sload.f2fs",
        "disk_each_f2fs.img",
        "f2fs-tools",
        "f2fs-tools",
    ),
    ("virt-install", INSTALLED, "virtinst", "virt-install"),
    ("qemu-img", INSTALLED, "qemu-utils", "qemu-img"),
    ("cpio", INSTALLED, "cpio", "cpio"),
    ("osinfo-query", INSTALLED, "libosinfo-bin", "libosinfo"),
];

/// Stands for the name of the installed image, which has the architecture of this host in it.
const INSTALLED: &str = "installed";

/// What osinfo-query prints here.
const SYSTEMS: &str = " Short ID | Version\n----------+--------\n rocky-unknown |\n rocky9 | 9\n";

/// Programs that are there, do nothing, and are found nowhere else.
struct Host(TempDir);

impl Host {
    /// All of them but `missing`.
    fn without(missing: &str) -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        for (program, ..) in PROGRAMS {
            if program != missing {
                host.put(program, &format!("#!/bin/sh\ncat <<END\n{SYSTEMS}END\n"));
            }
        }
        host
    }

    fn put(&self, program: &str, script: &str) {
        let path = self.0.path().join(program);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    /// What is found for the images of `world`.
    fn look(&self, world: &World) -> Findings {
        let text = fs::read_to_string(world.config()).unwrap();
        let config = Config::parse(&text, "hdds.json", &COMMANDS).unwrap();
        let settings = command::Settings {
            directory: world.directory(),
            jobs: None,
            sync: true,
            zeroes: disklayout::Zeroes::default(),
            json: false,
            install: virtinstall::Settings {
                connect: Some("test:///default".into()),
                ..virtinstall::Settings::default()
            },
        };
        let data = DataDir::Directory(world.root().to_owned());
        let context = Context::new(config, data, settings, MultiProgress::new());
        let options = Options { next_release: None };
        let runner = Runner::with_search(vec![self.0.path().to_owned()]);
        doctor::look(&context, &options, &runner).unwrap()
    }
}

/// A group with an image of every filesystem that needs a program, and one that doesn't.
fn every_filesystem() -> String {
    r#"{"name": "each", "size": "512M", "labels": ["mbr"],
        "filesystems": ["ext4", "ntfs", "squashfs", "xfs", "btrfs", "f2fs"],
        "parts": [{"type": "p", "start": 64, "end": -64}]}"#
        .to_owned()
}

/// A group with an installed system for this host.
fn installed(name: &str, release: &str) -> String {
    install(name, &format!(r#""{release}": ["{}"]"#, arch::host()))
}

fn with_kickstart(world: World, name: &str) -> World {
    fs::write(world.root().join(format!("{name}.ks")), "text\n").unwrap();
    world
}

/// The checks called `name`.
fn named(document: &Value, name: &str) -> Vec<Value> {
    let checks = document["checks"].as_array().unwrap().iter();
    checks
        .filter(|check| check["name"] == name)
        .cloned()
        .collect()
}

/// The only check called `name`.
#[track_caller]
fn check(document: &Value, name: &str) -> Value {
    let found = named(document, name);
    assert_eq!(found.len(), 1, "{name}: {document:#}");
    found[0].clone()
}

/// The line of the check `name`.
#[track_caller]
fn line<'a>(text: &'a str, name: &str) -> &'a str {
    let mut lines = text.lines();
    let found = lines.find(|line| line.split_whitespace().nth(1) == Some(name));
    found.unwrap_or_else(|| panic!("{name}: {text}"))
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_complete_host_builds_everything() {
    let world = World::new(&every_filesystem(), "", "");
    let findings = Host::without("").look(&world);
    let (text, document) = (findings.text(), findings.document());
    assert!(findings.is_complete(), "{text}");
    for (program, image, debian, fedora) in PROGRAMS {
        let state = if image == INSTALLED { "unneeded" } else { "ok" };
        let check = check(&document, program);
        assert_eq!(check["state"], state, "{program}");
        assert!(check["text"].as_str().unwrap().ends_with(program));
        let packages = json!({"debian": debian, "fedora": fedora});
        assert_eq!(check["packages"], packages, "{program}");
    }
    let last = text.lines().last().unwrap();
    assert_eq!(
        last,
        "Nothing is missing: 6 images can be built here.".to_owned()
    );
    let unneeded = line(&text, "cpio");
    assert!(
        unneeded.ends_with("/cpio, not needed by this configuration"),
        "{unneeded}"
    );
    assert_eq!(
        check(&document, "layouts")["text"],
        "6 can be planned, with all their uploads"
    );
}

#[test]
fn each_missing_program_is_told_with_its_images_and_packages() {
    let installed_name = format!("disk_rocky9_m_{}.qcow2", arch::host());
    let world = World::new(&every_filesystem(), &installed("m", "9"), "");
    let world = with_kickstart(world, "m");
    for (program, image, debian, fedora) in PROGRAMS {
        let image = if image == INSTALLED {
            &installed_name
        } else {
            image
        };
        let findings = Host::without(program).look(&world);
        let (text, document) = (findings.text(), findings.document());
        let check = check(&document, program);
        let is_missing = program != "osinfo-query";
        let state = if is_missing { "missing" } else { "remark" };
        assert_eq!(check["state"], state, "{text}");
        assert_eq!(check["images"], json!([image]), "{text}");
        let packages = json!({"debian": debian, "fedora": fedora});
        assert_eq!(check["packages"], packages, "{text}");
        let line = line(&text, program);
        for part in [
            format!("{state:<8}  {program:<12}  not installed"),
            format!(", needed by 1 image ({image}): install '"),
            format!("'{debian}' ("),
            format!("'{fedora}'"),
        ] {
            let is_there = line.contains(&part) || (program == "cpio" && part == "'cpio' (");
            assert!(is_there, "{part}: {line}");
        }
        if is_missing {
            assert!(!findings.is_complete());
            // Nothing else is told of an image that lacks its program.
            assert!(text.contains("of 7 images can't be built here."), "{text}");
        }
    }
}

#[test]
fn without_what_is_missing_no_image_is_planned_twice() {
    let world = World::new(&every_filesystem(), "", "");
    let text = Host::without("mkntfs").look(&world).text();
    let last = "Something is missing: 1 of 6 images can't be built here.\n";
    assert!(text.ends_with(last), "{text}");
    assert!(
        line(&text, "layouts").contains("5 can be planned"),
        "{text}"
    );
}

#[test]
fn programs_that_no_image_needs_may_be_missing() {
    let world = World::new(&single("a"), "", "");
    for (program, ..) in PROGRAMS {
        let findings = Host::without(program).look(&world);
        let text = findings.text();
        assert!(findings.is_complete(), "{text}");
        assert_eq!(
            line(&text, program),
            format!("unneeded  {program:<12}  not installed, not needed by this configuration")
        );
    }
}

#[test]
fn the_document_has_what_the_text_has() {
    let world = World::new(&[single("a"), broken("b")].join(","), "", "");
    let document = json_of(&world.run("--json doctor").expect(3));
    assert_eq!(document["version"], 1);
    assert_eq!(document["arch"], arch::host());
    assert_eq!(document["complete"], false);
    assert_eq!(document["images"], 2);
    let states = named(&document, "layouts");
    let states: Vec<_> = states
        .iter()
        .map(|check| (check["state"].as_str().unwrap(), check["images"].clone()))
        .collect();
    assert_eq!(
        states,
        [("ok", json!([])), ("missing", json!(["disk_b.img"]))]
    );
    let text = world.run("doctor").expect(3).stdout;
    let checks = document["checks"].as_array().unwrap();
    assert_eq!(text.lines().count(), checks.len() + 1);
    for (line, check) in text.lines().zip(checks) {
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), check["state"].as_str());
        assert_eq!(words.next(), check["name"].as_str());
    }
}

#[test]
fn the_status_tells_whether_every_image_can_be_built() {
    let upload = |source: &str| with_upload("u", "2M", &format!(r#""source": "{source}""#));
    for (layouts, status, part) in [
        (single("a"), 0, "Nothing is missing: 1 image can be built"),
        (String::new(), 0, "No image is asked for on this host."),
        (upload("there"), 0, "1 can be planned, with all its uploads"),
        (upload("gone"), 3, "can't find the upload 'gone'"),
        (broken("b"), 3, " guestfs[0].parts[0].end: "),
    ] {
        let world = World::new(&layouts, "", "");
        fs::create_dir(world.root().join("uploads")).unwrap();
        fs::write(world.root().join("uploads/there"), "data").unwrap();
        let run = world.run("doctor").expect(status);
        assert!(run.stdout.contains(part), "{part}: {run:?}");
        assert_eq!(run.stderr, "");
    }
    let world = World::new(&single("a"), "", "");
    for line in ["doctor extra", "doctor --delete", "doctor -n many"] {
        world.run(line).expect(64).prints("").says(["--help"]);
    }
    fs::write(world.config(), "nonsense").unwrap();
    world.run("doctor").expect(3).prints("").says(["hdds.json"]);
}

#[test]
fn a_directory_that_cannot_be_used_is_told() {
    let world = World::new(&single("a"), "", "");
    let lock = Directory::lock(&world.directory()).unwrap();
    let run = world.run("doctor").expect(3);
    let line = line(&run.stdout, "directory");
    for part in [
        "missing ",
        "another run is working in the directory '.'",
        "-C",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    drop(lock);
    world.run("doctor").expect(0);
    let document = json_of(&world.run("--json -C missing doctor").expect(3));
    let found = check(&document, "directory");
    assert_eq!(found["images"], json!(["disk_a.img"]));
    let text = found["text"].as_str().unwrap();
    assert!(
        text.contains("can't open the image directory 'missing'"),
        "{text}"
    );
    fs::create_dir(world.path("disk_a.img")).unwrap();
    let document = json_of(&world.run("--json doctor").expect(3));
    let found = check(&document, "names");
    let text = found["text"].as_str().unwrap();
    assert!(text.contains("is a directory"), "{text}");
}

#[test]
fn a_release_that_the_database_does_not_know_is_a_remark() {
    let groups = [installed("m", "9"), installed("n", "42")];
    let world = World::new("", &groups.join(","), "");
    let world = with_kickstart(with_kickstart(world, "m"), "n");
    let document = Host::without("").look(&world).document();
    let found = check(&document, "osinfo");
    assert_eq!(found["state"], "remark");
    let name = format!("disk_rocky42_n_{}.qcow2", arch::host());
    assert_eq!(found["images"], json!([name]));
    let text = found["text"].as_str().unwrap();
    assert!(text.contains("doesn't know 42;"), "{text}");
    world.configure("", &groups[0], "");
    let document = Host::without("").look(&world).document();
    assert_eq!(check(&document, "osinfo")["state"], "ok");
    let host = Host::without("");
    host.put("osinfo-query", "#!/bin/sh\necho no database >&2; exit 1\n");
    let found = check(&host.look(&world).document(), "osinfo");
    assert_eq!(found["state"], "remark");
    assert!(found["text"].as_str().unwrap().contains("no database"));
}

#[test]
fn a_missing_kickstart_is_told_with_its_names() {
    let groups = [installed("m", "9"), installed("n", "9")];
    let world = with_kickstart(World::new("", &groups.join(","), ""), "m");
    let findings = Host::without("").look(&world);
    let document = findings.document();
    let found = named(&document, "kickstarts");
    assert_eq!(found.len(), 2, "{document:#}");
    assert_eq!(found[0]["text"], "found for 1 of 2 installations");
    assert_eq!(found[1]["state"], "missing");
    let name = format!("disk_rocky9_n_{}.qcow2", arch::host());
    assert_eq!(found[1]["images"], json!([name]));
    let text = found[1]["text"].as_str().unwrap();
    assert!(text.contains("n.ks"), "{text}");
    assert!(!findings.is_complete());
}

#[test]
fn images_of_other_architectures_are_not_this_hosts_business() {
    let foreign = arch::KNOWN
        .into_iter()
        .find(|known| !arch::installable_on(arch::host()).contains(known));
    let foreign = foreign.unwrap();
    let group = install("m", &format!(r#""9": ["{foreign}"]"#));
    let world = World::new(&single("a"), &group, "");
    let run = world.run("doctor").expect(0);
    assert!(
        line(&run.stdout, "others").ends_with(&format!("  1 image is left to hosts of {foreign}")),
        "{run:?}"
    );
    assert!(run.stdout.contains("1 image can be built here"), "{run:?}");
    assert_eq!(json_of(&world.run("--json doctor"))["images"], 1);
}

#[test]
fn a_release_that_nobody_can_tell_leaves_the_rest_to_be_looked_at() {
    let foreign = arch::KNOWN
        .into_iter()
        .find(|known| !arch::installable_on(arch::host()).contains(known));
    let group = install("m", &format!(r#""-1": ["{}"]"#, foreign.unwrap()));
    let world = World::new(&single("a"), &group, "");
    let run = world.run("doctor").expect(3);
    let found = line(&run.stdout, "releases");
    for part in ["the images of m aren't looked at", "-n/--nextrel"] {
        assert!(found.contains(part), "{part}: {found}");
    }
    assert!(line(&run.stdout, "layouts").starts_with("ok "), "{run:?}");
    let run = world.run("doctor -n 10").expect(0);
    assert!(!run.stdout.contains("releases"), "{run:?}");
}

#[test]
fn downloads_are_left_to_the_run_that_needs_them() {
    let server = Server::start(|_, stream| ok(stream, b"data"));
    let source = format!(r#""source": "{}""#, server.url());
    let world = World::new(&with_upload("u", "2M", &source), "", "");
    let run = world.run("doctor").expect(0);
    let found = line(&run.stdout, "downloads");
    assert!(found.starts_with("remark "), "{found}");
    assert!(found.contains("disk_u.img"), "{found}");
    assert_eq!(server.requests().len(), 0);
    world.run("u").expect(0);
    let run = world.run("doctor").expect(0);
    assert!(!run.stdout.contains("downloads"), "{run:?}");
}

#[test]
fn the_shipped_set_lacks_no_file() {
    let world = World::new("", "", "");
    let mut command = world.command("--json doctor");
    let document = json_of(&Run::of(command.env_remove("CREATEHDDS_CONFIG")));
    let layouts = check(&document, "layouts");
    assert_eq!(layouts["text"], "9 can be planned, with all their uploads");
    let installs = document["images"].as_u64().unwrap() - 9;
    if installs > 0 {
        let text = format!("found for {installs} of {installs} installations");
        assert_eq!(check(&document, "kickstarts")["text"], text);
    }
}

/// Every file below `directory`, with when it was changed in content or attributes.
fn state(directory: &Path) -> BTreeMap<PathBuf, (i64, i64, u64)> {
    let mut found = BTreeMap::new();
    let about = fs::symlink_metadata(directory).unwrap();
    let times = (about.ctime(), about.ctime_nsec(), about.len());
    found.insert(directory.to_owned(), times);
    if about.is_dir() {
        for entry in fs::read_dir(directory).unwrap() {
            found.extend(state(&entry.unwrap().path()));
        }
    }
    found
}

#[test]
fn nothing_is_touched() {
    let layouts = [every_filesystem(), single("a"), broken("b")].join(",");
    let world = with_kickstart(World::new(&layouts, &installed("m", "9"), ""), "m");
    world.put("disk_a.img", 100);
    world.put("disk_a.img.tmp", 100);
    world.put("disk_unknown.img", 1);
    let before = state(world.root());
    for line in ["doctor", "--json doctor", "doctor -n 10"] {
        world.run(line).expect(3);
        assert_eq!(state(world.root()), before, "{line}");
    }
    Directory::lock(&world.directory()).unwrap();
}

#[test]
fn no_group_may_have_its_name() {
    let world = World::new(&single("doctor"), "", "");
    let run = world.run("check").expect(3);
    run.says(["'doctor' is a command of this program; give the group another name"]);
    let help = world.run("doctor --help").expect(0).stdout;
    assert!(help.contains("what this host lacks"), "{help}");
}

/// The test driver of libvirt needs no daemon, and has no KVM.
#[cfg(feature = "libvirt")]
#[test]
fn libvirt_is_asked_what_it_can_do() {
    let world = with_kickstart(World::new("", &installed("m", "9"), ""), "m");
    let findings = Host::without("").look(&world);
    let (text, document) = (findings.text(), findings.document());
    assert!(findings.is_complete(), "{text}");
    let found = check(&document, "libvirt");
    assert_eq!(found["state"], "ok");
    let said = found["text"].as_str().unwrap();
    assert!(said.starts_with("test:///default, TEST "), "{said}");
    assert_eq!(check(&document, "kvm")["state"], "remark");
    for (options, name, part) in [
        (
            "--connect test:///default --virt-type kvm",
            "kvm",
            "asks for it",
        ),
        (
            "--connect nonsense:///",
            "libvirt",
            "can't connect to libvirt at nonsense:///",
        ),
    ] {
        let document = json_of(&world.run(&format!("--json {options} doctor")).expect(3));
        let found = check(&document, name);
        assert_eq!(found["state"], "missing");
        assert!(found["text"].as_str().unwrap().contains(part), "{found}");
    }
}

#[cfg(not(feature = "libvirt"))]
#[test]
fn without_libvirt_only_installations_are_hindered() {
    let groups = installed("m", "9");
    let world = with_kickstart(World::new(&single("a"), &groups, ""), "m");
    let findings = Host::without("").look(&world);
    let found = check(&findings.document(), "libvirt");
    assert_eq!(found["state"], "missing");
    let name = format!("disk_rocky9_m_{}.qcow2", arch::host());
    assert_eq!(found["images"], json!([name]));
    assert_eq!(found["packages"], Value::Null);
    for part in ["'libvirt-dev'", "--features libvirt"] {
        assert!(found["text"].as_str().unwrap().contains(part), "{found}");
    }
    let last = "Something is missing: 1 of 2 images can't be built here.\n";
    assert!(findings.text().ends_with(last));
    assert!(!findings.is_complete());
}
