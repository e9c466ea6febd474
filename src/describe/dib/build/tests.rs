//! What is decided of a build before there is a tree.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::super::phase::Phase;
use disklayout::Bytes;

use super::*;

/// Elements, each with what it needs.
const ELEMENTS: [(&str, &str); 9] = [
    ("base", ""),
    ("os", ""),
    ("vm", "base\n"),
    ("block-device-mbr", ""),
    ("block-device-efi", ""),
    ("block-device-own", ""),
    ("ramdisk", ""),
    ("dracut-ramdisk", ""),
    ("no-final-image", ""),
];

/// A directory of elements, and requests for builds of them.
struct Ground(TempDir);

impl Ground {
    fn new() -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        for (name, needed) in ELEMENTS {
            ground.put(&format!("{name}/element-deps"), needed);
        }
        ground.put("os/element-provides", "operating-system\n");
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("elements").join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn build(&self, request: &Request, variables: &[(&str, &str)]) -> Result<Build> {
        let user = variables.iter();
        let user = user.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let environment = Environment::of(request, user);
        let host = Host {
            arch: "amd64".to_owned(),
            elements: Some(self.path("")),
            lib: Some("/dib/lib".into()),
            python: "/usr/bin/python9".into(),
            arguments: "-o image os".to_owned(),
            time: Timestamp::from_seconds(1_000_000_000),
        };
        Build::new(request, environment, &host, Misfits::Refuse)
    }

    /// What is wrong with a build.
    fn error(&self, request: &Request, variables: &[(&str, &str)]) -> String {
        match self.build(request, variables) {
            Ok(build) => panic!("it is taken: {:?}", build.name),
            Err(error) => format!("{error:#}"),
        }
    }
}

/// A request for the words of `elements` without `base`.
fn wanted(elements: &str) -> Request {
    Request {
        elements: elements.split_whitespace().map(str::to_owned).collect(),
        skips_base: true,
        ..Request::default()
    }
}

fn names(build: &Build) -> String {
    let names: Vec<_> = build.elements.iter().map(|it| it.name.as_str()).collect();
    names.join(" ")
}

fn suffixes(build: &Build) -> String {
    let suffixes: Vec<_> = build.outputs.iter().map(|it| it.suffix.as_str()).collect();
    suffixes.join(" ")
}

fn text<'a>(build: &'a Build, name: &str) -> Option<&'a str> {
    build.environment.raw(name).map(|it| it.to_str().unwrap())
}

#[test]
fn elements_that_go_without_saying_are_there() {
    let ground = Ground::new();
    for (elements, change, variables, expected) in [
        ("os", (|_| {}) as fn(&mut Request), &[][..], "os"),
        ("os", |it| it.skips_base = false, &[], "base os"),
        (
            "os",
            |it| it.skips_base = false,
            &[("SKIP_BASE", "1")],
            "os",
        ),
        (
            "os",
            |it| it.skips_base = false,
            &[("SKIP_BASE", "0")],
            "base os",
        ),
        ("os vm", |_| {}, &[], "base block-device-mbr os vm"),
        (
            "os vm",
            |it| it.arch = Some("arm64".into()),
            &[],
            "base block-device-efi os vm",
        ),
        (
            "os vm",
            |_| {},
            &[("ARCH", "aarch64")],
            "base block-device-efi os vm",
        ),
        (
            "os vm",
            |it| it.arch = Some("armhf".into()),
            &[("ARCH", "arm64")],
            "base block-device-mbr os vm",
        ),
        (
            "os vm block-device-own",
            |_| {},
            &[],
            "base block-device-own os vm",
        ),
        (
            "os vm",
            |it| it.excluded_elements = vec!["base".into()],
            &[],
            "block-device-mbr os vm",
        ),
        ("os", |it| it.is_ramdisk = true, &[], "os ramdisk"),
        (
            "os",
            |it| it.is_ramdisk = true,
            &[("RAMDISK_ELEMENT", "dracut-ramdisk")],
            "dracut-ramdisk os",
        ),
        (
            "os",
            |it| {
                it.is_ramdisk = true;
                it.ramdisk_element = Some("dracut-ramdisk".into());
            },
            &[("RAMDISK_ELEMENT", "nosuch")],
            "dracut-ramdisk os",
        ),
        // What makes no ramdisk needs none.
        (
            "os",
            |it| it.ramdisk_element = Some("nosuch".into()),
            &[],
            "os",
        ),
    ] {
        let mut request = wanted(elements);
        change(&mut request);
        let build = ground.build(&request, variables).unwrap();
        assert_eq!(names(&build), expected, "{request:?} {variables:?}");
    }
    assert!(
        ground
            .error(&wanted("vm"), &[])
            .contains("provides an operating system")
    );
    assert!(
        ground
            .error(&wanted("os osx"), &[])
            .contains("no element 'osx'")
    );
}

#[test]
fn scripts_are_left_out_by_their_names() {
    let ground = Ground::new();
    ground.put("os/files/10-a", "");
    ground.put("os/install.d/10-a", "");
    ground.put("base/install.d/20-b", "");
    let mut request = wanted("os base");
    request.excluded_scripts = vec!["10-a".to_owned()];
    let build = ground.build(&request, &[]).unwrap();
    let places: Vec<_> = build.hooks.entries().map(|(place, _)| place).collect();
    assert!(
        !places.contains(&"install.d/10-a") && places.contains(&"install.d/20-b"),
        "{places:?}"
    );
    assert!(places.contains(&"files/10-a") && build.hooks.has(&Phase::INSTALL.directory()));
    ground.put("base/install.d/10-a", "");
    assert!(
        ground
            .error(&wanted("os base"), &[])
            .contains("rename one of them")
    );
}

#[test]
fn a_name_that_ends_in_the_only_type_is_meant_without_it() {
    let ground = Ground::new();
    for (name, types, variables, expected) in [
        (None, "", &[][..], "image: .qcow2"),
        (
            None,
            "",
            &[("IMAGE_NAME", "own"), ("IMAGE_TYPE", "raw")],
            "own: .raw",
        ),
        (
            Some("a"),
            "raw",
            &[("IMAGE_NAME", "own"), ("IMAGE_TYPE", "tar")],
            "a: .raw",
        ),
        (Some("a.qcow2"), "", &[], "a: .qcow2"),
        (Some("a.raw"), "raw", &[], "a: .raw"),
        (Some("a.raw"), "qcow2", &[], "a.raw: .qcow2"),
        (Some("a.raw"), "raw tar", &[], "a.raw: .raw .tar"),
        (Some("a.raw.raw"), "raw", &[], "a.raw: .raw"),
        (Some("in/a.tgz"), "tgz", &[], "in/a: .tgz"),
        (
            Some("a"),
            "tar tgz docker squashfs aci",
            &[],
            "a: .tar .tgz .oci.tar .squash .aci",
        ),
    ] {
        let request = Request {
            image_name: name.map(str::to_owned),
            types: types.split_whitespace().map(str::to_owned).collect(),
            ..wanted("os")
        };
        let build = ground.build(&request, variables).unwrap();
        assert_eq!(
            format!("{}: {}", build.name, suffixes(&build)),
            expected,
            "{name:?} {types}"
        );
        assert_eq!(text(&build, "IMAGE_NAME"), Some(build.name.as_str()));
    }
    for name in ["in/", ".raw", "..", "in/.", "in/.raw"] {
        let request = Request {
            image_name: Some(name.to_owned()),
            types: vec!["raw".to_owned()],
            ..wanted("os")
        };
        let error = ground.error(&request, &[]);
        assert!(
            error.contains(&format!("'{name}' is no name of an image")),
            "{error}"
        );
    }
    assert!(
        ground
            .error(&wanted("os"), &[("IMAGE_TYPE", "qcow")])
            .contains("did you mean 'qcow2'?")
    );
}

#[test]
fn some_builds_have_no_image() {
    let ground = Ground::new();
    let build = ground.build(&wanted("os no-final-image"), &[]).unwrap();
    assert!(build.outputs.is_empty());
    let request = Request {
        is_ramdisk: true,
        ..wanted("os")
    };
    let build = ground.build(&request, &[]).unwrap();
    assert!(build.outputs.is_empty());
    assert_eq!(text(&build, "DIB_NO_TMPFS"), Some("1"));
    assert_eq!(text(&build, "DIB_MIN_TMPFS"), Some("1"));
    // Whatever the disk is otherwise.
    let variables = [("DIB_BLOCK_DEVICE_CONFIG", "- nosuch: {}\n")];
    assert!(ground.build(&request, &variables).is_ok());
    ground.error(&wanted("os"), &variables);
}

#[test]
fn sums_are_those_that_the_environment_names() {
    let ground = Ground::new();
    for (has_checksums, variable, expected) in [
        (false, "", &[][..]),
        (false, "0", &[]),
        (false, "1", &["sha256", "md5"]),
        (false, "md5", &["md5"]),
        (false, "sha256", &["sha256"]),
        (false, "sha256,md5", &["sha256", "md5"]),
        (true, "0", &["sha256", "md5"]),
    ] {
        let request = Request {
            has_checksums,
            ..wanted("os")
        };
        let build = ground
            .build(&request, &[("DIB_CHECKSUM", variable)])
            .unwrap();
        let sums = build.outputs[0].format.checksums.iter();
        let found: Vec<_> = sums
            .map(|it| it.name())
            .filter(|it| ["md5", "sha256"].contains(it))
            .collect();
        assert_eq!(found, expected, "{has_checksums} {variable}");
    }
    let said = ground.error(&wanted("os"), &[("DIB_CHECKSUM", "sha9")]);
    assert!(said.contains("DIB_CHECKSUM is 'sha9'"), "{said}");
}

#[test]
fn sizes_are_those_of_options_or_of_the_environment() {
    let ground = Ground::new();
    let of = |change: fn(&mut Request), variables: &[(&str, &str)]| {
        let mut request = wanted("os");
        change(&mut request);
        ground.build(&request, variables).unwrap().size
    };
    let mib = |count: u64| Bytes::new(count << 20);
    let usual = of(|_| {}, &[]);
    assert_eq!(
        usual,
        Size {
            journal: mib(64),
            ..Size::default()
        }
    );
    for (variables, expected) in [
        (
            &[("DIB_IMAGE_SIZE", "2")][..],
            Size {
                asked: Some(mib(2048)),
                ..usual.clone()
            },
        ),
        (
            &[("DIB_IMAGE_SIZE", "1.5")],
            Size {
                asked: Some(mib(1536)),
                ..usual.clone()
            },
        ),
        // 102.4 KiB.
        (
            &[("DIB_IMAGE_SIZE", "0.00009765625")],
            Size {
                asked: Some(Bytes::new(102 << 10)),
                ..usual.clone()
            },
        ),
        (
            &[("DIB_IMAGE_EXTRA_SIZE", "100")],
            Size {
                extra: Some(mib(100)),
                ..usual.clone()
            },
        ),
        (
            &[("DIB_JOURNAL_SIZE", "8")],
            Size {
                journal: mib(8),
                ..usual.clone()
            },
        ),
        (
            &[("DIB_JOURNAL_SIZE", ""), ("DIB_IMAGE_SIZE", "")],
            usual.clone(),
        ),
        (
            &[("FS_TYPE", "ext3")],
            Size {
                journal: mib(0),
                ..usual.clone()
            },
        ),
        (
            &[("FS_TYPE", "xfs")],
            Size {
                journal: mib(0),
                ..usual.clone()
            },
        ),
    ] {
        assert_eq!(of(|_| {}, variables), expected, "{variables:?}");
    }
    let variables = [
        ("DIB_IMAGE_SIZE", "2"),
        ("DIB_IMAGE_EXTRA_SIZE", "3"),
        ("DIB_JOURNAL_SIZE", "8"),
        ("FS_TYPE", "xfs"),
    ];
    let chosen = of(
        |it| {
            it.image_size = Some(Bytes::new(5 << 20));
            it.image_extra_size = Some(Bytes::new(6 << 20));
            it.journal_size = Some(7);
            it.fs_type = Some("ext4".into());
        },
        &variables,
    );
    let expected = Size {
        asked: Some(mib(5)),
        extra: Some(mib(6)),
        journal: mib(7),
        has_esp: false,
    };
    assert_eq!(chosen, expected);
    // By the name alone, as diskimage-builder does it.
    let build = ground.build(&wanted("os block-device-efi"), &[]).unwrap();
    assert!(build.size.has_esp);
    for (name, value, part) in [
        (
            "DIB_IMAGE_SIZE",
            "x",
            "DIB_IMAGE_SIZE is 'x', which is no size",
        ),
        ("DIB_IMAGE_SIZE", "-1", "no size"),
        ("DIB_IMAGE_SIZE", "nan", "no size"),
        ("DIB_IMAGE_SIZE", "inf", "no size"),
        ("DIB_IMAGE_SIZE", "1e300", "no size"),
        ("DIB_IMAGE_SIZE", "4G", "no size"),
        (
            "DIB_IMAGE_EXTRA_SIZE",
            "1,5",
            "DIB_IMAGE_EXTRA_SIZE is '1,5'",
        ),
        (
            "DIB_JOURNAL_SIZE",
            "1.5",
            "DIB_JOURNAL_SIZE is '1.5', which is no whole number",
        ),
        ("DIB_BLOCK_SIZE", "x", "DIB_BLOCK_SIZE is 'x'"),
    ] {
        let error = ground.error(&wanted("os"), &[(name, value)]);
        assert!(error.contains(part), "{name}={value}: {error}");
    }
}

/// A configuration whose root filesystem is labelled.
fn labelled(label: &str) -> String {
    format!(
        "- local_loop: {{name: image0}}\n- mkfs: {{base: image0, type: ext2, label: {label}, mount: {{mount_point: /}}}}\n"
    )
}

#[test]
fn the_disk_is_that_of_the_user_or_of_one_element() {
    let ground = Ground::new();
    let label = |request: &Request, variables: &[(&str, &str)]| {
        ground
            .build(request, variables)
            .unwrap()
            .configuration
            .values
            .root_label
    };
    assert_eq!(label(&wanted("os"), &[]), "cloudimg-rootfs");
    assert_eq!(label(&wanted("os"), &[("ROOT_LABEL", "top")]), "top");
    assert_eq!(label(&wanted("os"), &[("FS_TYPE", "xfs")]), "img-rootfs");
    // Of an element: that of the architecture first.
    ground.put("os/block-device-default.yaml", &labelled("usual"));
    assert_eq!(label(&wanted("os"), &[]), "usual");
    ground.put("os/block-device-arm64.yaml", &labelled("arm"));
    ground.put("os/block-device-ppc64el.yaml", &labelled("power"));
    assert_eq!(label(&wanted("os"), &[("ARCH", "arm64")]), "arm");
    assert_eq!(label(&wanted("os"), &[("ARCH", "ppc64le")]), "power");
    assert_eq!(label(&wanted("os"), &[("ARCH", "s390x")]), "usual");
    // Of two nobody knows which; one that is left out has none.
    ground.put(
        "block-device-own/block-device-default.yaml",
        &labelled("own"),
    );
    let mut both = wanted("os block-device-own");
    let error = ground.error(&both, &[]);
    for part in [
        "os/block-device-default.yaml",
        "block-device-own/block-device-default.yaml",
        "leave one",
    ] {
        assert!(error.contains(part), "{error}");
    }
    both.excluded_elements = vec!["block-device-own".to_owned()];
    assert_eq!(label(&both, &[]), "usual");
    both.excluded_elements.clear();
    // The user's own comes before both.
    let inline = labelled("inline");
    assert_eq!(
        label(&both, &[("DIB_BLOCK_DEVICE_CONFIG", &inline)]),
        "inline"
    );
    let file = ground.path("own.yaml");
    fs::write(&file, labelled("file")).unwrap();
    let url = format!("file://{}", file.display());
    assert_eq!(label(&both, &[("DIB_BLOCK_DEVICE_CONFIG", &url)]), "file");
    for (config, part) in [
        (
            "file:///nowhere",
            "can't read the configuration of the disk '/nowhere'",
        ),
        ("- nosuch: {}\n", "DIB_BLOCK_DEVICE_CONFIG:1:"),
        ("[", "DIB_BLOCK_DEVICE_CONFIG"),
        ("/a/path.yaml", "DIB_BLOCK_DEVICE_CONFIG"),
    ] {
        let error = ground.error(&wanted("os"), &[("DIB_BLOCK_DEVICE_CONFIG", config)]);
        assert!(error.contains(part), "{config}: {error}");
    }
}

#[test]
fn scripts_are_told_what_is_asked_for_and_what_is_usual() {
    let ground = Ground::new();
    let build = ground
        .build(
            &wanted("os"),
            &[("HOME", "/home/me"), ("PATH", "/bin:/sbin"), ("OWN", "x")],
        )
        .unwrap();
    let elements = ground.path("").display().to_string();
    let os = format!(
        "os: {}\n",
        fs::canonicalize(ground.path("os")).unwrap().display()
    );
    for (name, expected) in [
        ("ARCH", Some("amd64")),
        ("DIB_ARGS", Some("-o image os")),
        ("DIB_BOOT_LABEL", Some("")),
        ("DIB_CHECKSUM", Some("0")),
        ("DIB_DEBUG_TRACE", Some("0")),
        ("DIB_IMAGE_CACHE", Some("/home/me/.cache/image-create")),
        ("DIB_LOCKFILES", Some("/home/me/.cache/dib/lockfiles")),
        ("DIB_MIN_TMPFS", Some("2")),
        ("DIB_MOUNTPOINTS", Some("/")),
        ("DIB_NO_TMPFS", Some("0")),
        ("DIB_OFFLINE", Some("")),
        ("DIB_PYTHON_EXEC", Some("/usr/bin/python9")),
        ("DIB_ROOT_FSTYPE", Some("ext4")),
        ("DIB_ROOT_LABEL", Some("cloudimg-rootfs")),
        ("ELEMENTS_PATH", Some(elements.as_str())),
        ("FS_TYPE", Some("ext4")),
        ("IMAGE_ELEMENT", Some("os")),
        ("IMAGE_ELEMENT_YAML", Some(os.as_str())),
        ("IMAGE_TYPE", Some("qcow2")),
        ("LC_ALL", Some("C")),
        ("OWN", Some("x")),
        ("PATH", Some("/bin:/sbin:/usr/sbin:/usr/local/sbin")),
        ("SKIP_BASE", Some("1")),
        ("TMP_DIR", Some("/tmp")),
        ("_LIB", Some("/dib/lib")),
        // What is known later.
        ("DIB_DEFAULT_INSTALLTYPE", None),
        ("DIB_IMAGE_SIZE", None),
        ("IMAGE_BLOCK_DEVICE", None),
        ("TARGET_ROOT", None),
    ] {
        assert_eq!(text(&build, name), expected, "{name}");
    }
    assert_eq!(build.install_type, "source");
    assert!(!build.overwrites && build.manifest.is_none() && build.packages.is_empty());
    let declared = text(&build, "DIB_ENV").unwrap();
    assert!(
        declared.contains("declare -x DIB_IMAGE_CACHE=\"/home/me/.cache/image-create\""),
        "{declared}"
    );
    // What the command line says comes before the environment, and before what is usual.
    let request = Request {
        element_path: vec![ground.path("more")],
        fs_type: Some("ext3".into()),
        image_cache: Some("/cache".into()),
        install_type: Some("package".into()),
        has_no_network: true,
        has_no_tmpfs: true,
        min_tmpfs: Some(9),
        has_checksums: true,
        docker_target: Some("a:b".into()),
        packages: vec!["vim".into()],
        trace: 2,
        skips_base: false,
        ..wanted("os")
    };
    fs::create_dir(ground.path("more")).unwrap();
    let variables = [
        ("DIB_IMAGE_CACHE", "/other"),
        ("DIB_LOCKFILES", "/locks"),
        ("DIB_DEBUG_TRACE", "1"),
        ("DIB_DEFAULT_INSTALLTYPE", "source"),
        ("DIB_MIN_TMPFS", "3"),
        ("FS_TYPE", "ext2"),
        ("ELEMENTS_PATH", ":"),
        ("OVERWRITE_OLD_IMAGE", "1"),
        ("ACI_MANIFEST", "/manifest"),
    ];
    let build = ground.build(&request, &variables).unwrap();
    let elements = format!("{}:{elements}", ground.path("more").display());
    for (name, expected) in [
        ("DIB_CHECKSUM", Some("1")),
        ("DIB_DEBUG_TRACE", Some("3")),
        ("DIB_DEFAULT_INSTALLTYPE", Some("package")),
        ("DIB_IMAGE_CACHE", Some("/cache")),
        ("DIB_LOCKFILES", Some("/locks")),
        ("DIB_MIN_TMPFS", Some("9")),
        ("DIB_NO_TMPFS", Some("1")),
        ("DIB_OFFLINE", Some("1")),
        ("DIB_ROOT_FSTYPE", Some("ext3")),
        ("DOCKER_TARGET", Some("a:b")),
        ("ELEMENTS_PATH", Some(elements.as_str())),
        ("FS_TYPE", Some("ext3")),
        ("IMAGE_ELEMENT", Some("base os")),
        ("SKIP_BASE", None),
    ] {
        assert_eq!(text(&build, name), expected, "{name}");
    }
    assert_eq!(
        (build.install_type.as_str(), build.packages.len()),
        ("package", 1)
    );
    assert!(build.overwrites && build.manifest.as_deref() == Some(Path::new("/manifest")));
}
