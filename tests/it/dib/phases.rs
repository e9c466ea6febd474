//! Phases in their order, scripts in theirs, and what they find.

use std::collections::BTreeMap;
use std::fs;

use super::ground::{Ground, member, members};
use crate::systems::user::{self, User};

/// Writes down what a script finds.
const PROBE: &str = include_str!("../../data/dib/probe");

/// Phases in their order, and whether their scripts run in the tree.
pub(super) const PHASES: [(&str, bool); 10] = [
    ("root", false),
    ("extra-data", false),
    ("pre-install", true),
    ("install", true),
    ("post-install", true),
    ("post-root", false),
    ("block-device", false),
    ("pre-finalise", false),
    ("finalise", true),
    ("cleanup", false),
];

/// Two filesystems on one disk.
const LAYOUT: &str = "\
- local_loop: {name: image0}
- partitioning:
    base: image0
    label: gpt
    partitions:
      - name: boot
        size: 16MiB
        mkfs: {type: ext2, label: start, mount: {mount_point: /boot, fstab: {options: ro}}}
      - name: root
        size: 100%
        mkfs: {mount: {mount_point: /, fstab: {fsck-passno: 1}}}
";

/// What the scripts of one phase have found.
struct Seen {
    variables: BTreeMap<String, String>,
    facts: Vec<String>,
}

impl Seen {
    fn read(ground: &Ground, phase: &str) -> Self {
        let variables = ground.text(&format!("seen/{phase}.d.env"));
        let variables = variables.split_terminator('\0').map(|line| {
            let (name, value) = line.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        });
        let facts = ground.text(&format!("seen/{phase}.d.facts"));
        Self {
            variables: variables.collect(),
            facts: facts.lines().map(str::to_owned).collect(),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    fn has(&self, fact: &str) -> bool {
        self.facts.iter().any(|it| it == fact)
    }
}

/// What every phase has been told, and how.
fn check(ground: &Ground, phase: &str, is_inside: bool, number: usize) {
    let seen = Seen::read(ground, phase);
    let shown = || format!("{phase}: {:?} {:#?}", seen.facts, seen.variables);
    let work = ground.path("").display().to_string();
    let work = work.trim_end_matches('/');
    let top = seen.get("TMP_BUILD_DIR").unwrap();
    let elements = ground.beside("elements").display().to_string();
    let array = format!("[probe]={elements}/probe [tiny]={elements}/tiny ");
    let (hooks, directory, home, functions) = match is_inside {
        true => ("/tmp/in_target.d".to_owned(), "/", "/root".to_owned(), ""),
        false => {
            let home = ground.beside("home").display().to_string();
            (format!("{top}/hooks"), work, home, "function")
        }
    };
    for fact in [
        format!("called {hooks}/{phase}.d/50-probe 0"),
        format!("directory {directory}"),
        "umask 0022".to_owned(),
        "ids 0 0".to_owned(),
        "input /dev/null".to_owned(),
        format!("functions {functions}"),
    ] {
        assert!(seen.has(&fact), "{fact}: {}", shown());
    }
    let image = format!("{}/image0", seen.get("TMP_IMAGE_DIR").unwrap());
    let devices = format!(" [image0]={image}  [boot]={image}p1  [root]={image}p2 ");
    let tree = format!("{top}/mnt");
    // From which phase on they are known.
    let from = |first: &str, value: &str| {
        let first = PHASES.iter().position(|(name, _)| *name == first).unwrap();
        (number >= first).then(|| value.to_owned())
    };
    let is_told = |told: bool, value: &str| told.then(|| value.to_owned());
    let has_root = ["root", "cleanup"].contains(&phase);
    for (name, expected) in [
        ("TARGET_ROOT", is_told(has_root, &tree)),
        ("TMP_MOUNT_PATH", Some(tree.clone())),
        ("TMP_HOOKS_PATH", Some(format!("{top}/hooks"))),
        ("DIB_DEFAULT_INSTALLTYPE", from("extra-data", "source")),
        ("IMAGE_BLOCK_DEVICE", from("pre-finalise", &image)),
        ("IMAGE_BLOCK_DEVICES", from("pre-finalise", &devices)),
        ("HOME", Some(home)),
        ("DIB_OFFLINE", Some(String::new())),
        ("IMAGE_NAME", Some("one".to_owned())),
        ("IMAGE_ELEMENT", Some("probe tiny".to_owned())),
        ("ELEMENTS_PATH", Some(elements.clone())),
        ("LC_ALL", Some("C".to_owned())),
        ("FS_TYPE", Some("ext4".to_owned())),
        ("IMAGE_TYPE", Some("qcow2".to_owned())),
        ("SKIP_BASE", Some("1".to_owned())),
        ("DIB_ROOT_LABEL", Some("cloudimg-rootfs".to_owned())),
        ("DIB_ROOT_FSTYPE", Some("ext4".to_owned())),
        ("DIB_BOOT_LABEL", Some("start".to_owned())),
        ("DIB_MOUNTPOINTS", Some("/boot|/".to_owned())),
        ("ARCH", Some("m68k".to_owned())),
        ("OWN", Some("the user's".to_owned())),
        // Once for each phase, and for none twice.
        ("SOURCED", Some("1".to_owned())),
        (
            "TMPDIR",
            is_told(
                !is_inside,
                &ground.beside("temporary").display().to_string(),
            ),
        ),
    ] {
        assert_eq!(seen.get(name), expected.as_deref(), "{name}: {}", shown());
    }
    let size = seen
        .get("DIB_IMAGE_SIZE")
        .map(|it| it.parse::<u64>().unwrap());
    let is_known = from("block-device", "").is_some();
    assert_eq!(size.is_some_and(|it| it > 4096), is_known, "{}", shown());
    let own = "BASH_FUNC_get_image_element_array%%";
    assert_eq!(
        seen.get(own).is_some_and(|it| it.contains(&array)),
        !is_inside,
        "{}",
        shown()
    );
    let path = seen.get("PATH").unwrap();
    assert!(
        path.contains("/usr/sbin") && path.contains("/usr/bin"),
        "{path}"
    );
    if is_inside {
        let own = "/tmp/in_target.d/.stand-ins:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        assert_eq!(path, own);
        for path in ["/proc", "/sys", "/dev", "/dev/pts", "/tmp/in_target.d"] {
            assert!(seen.has(&format!("mounted {path}")), "{path}: {}", shown());
        }
        let is_finalise = phase == "finalise";
        assert_eq!(seen.has("mounted /boot"), is_finalise, "{}", shown());
        let wrong = ["written ", "missing "];
        let mut facts = seen.facts.iter();
        assert!(
            !facts.any(|it| wrong.iter().any(|wrong| it.starts_with(wrong))),
            "{}",
            shown()
        );
    }
}

#[test]
fn every_phase_finds_what_it_is_told_of() {
    for user in user::all() {
        let ground = Ground::new(user);
        for (phase, _) in PHASES {
            ground.put(&format!("probe/{phase}.d/50-probe"), PROBE);
        }
        let counts = "export SOURCED=$((${SOURCED:-0} + 1))\n";
        ground.put("probe/environment.d/10-counts.sh", counts);
        // What is asked for is installed behind install.d by what the tree has for that.
        let program = "#!/bin/sh\\n[ -e /var/lib/seen/install.d.env ] && [ ! -e /var/lib/seen/post-install.d.env ] && \
                       echo \"$PWD $#: $*\" >> /var/lib/packages\\n";
        let script = format!(
            "printf '{program}' > /usr/bin/install-packages; chmod 755 /usr/bin/install-packages"
        );
        ground.script("pre-install", &script);
        let seen = ground.path("seen").display().to_string();
        let options = "-a m68k -o one -t raw,tar -p vim,tmux -p wget --logfile log";
        let variables = [
            ("SEEN", seen.as_str()),
            ("OWN", "the user's"),
            ("DIB_BLOCK_DEVICE_CONFIG", LAYOUT),
            ("DIB_IMAGE_EXTRA_SIZE", "64"),
        ];
        let run = ground.build(options, &variables).expect(0);
        // What goes to the log isn't shown.
        let run = run.never_says(["said by", "Running"]);
        let log = ground.text("log");
        let mut told = 0;
        let steps: Vec<_> = run
            .stderr
            .lines()
            .filter(|it| it.contains("/11] ") && it.contains(".d"))
            .collect();
        for (number, (phase, is_inside)) in PHASES.into_iter().enumerate() {
            check(&ground, phase, is_inside, number);
            let at = log[told..].find(&format!("said by {phase}.d"));
            told += at.unwrap_or_else(|| panic!("{phase} isn't in its place: {log}"));
            let title = match is_inside {
                true => format!("{phase}.d in the tree: "),
                false => format!("{phase}.d: "),
            };
            assert!(steps[number].contains(&title), "{steps:?}");
        }
        assert!(
            run.stderr.contains("packages: vim tmux wget"),
            "{}",
            run.stderr
        );
        let archive = ground.path("one.tar");
        assert_eq!(member(&archive, "var/lib/packages"), "/ 3: vim tmux wget\n");
        // What was known before there was a tree.
        let variables = Seen::read(&ground, "root").variables;
        let arguments = &variables["DIB_ARGS"];
        assert!(
            arguments.ends_with(&format!("{options} tiny probe")),
            "{arguments}"
        );
        let declared = &variables["DIB_ENV"];
        assert!(
            declared.contains("declare -x DIB_JOURNAL_SIZE=\"4\""),
            "{declared}"
        );
        assert!(!declared.contains("OWN="), "{declared}");
        // Nothing is left of what was there for scripts alone.
        let names = members(&archive);
        for part in [
            "in_target",
            "stand-ins",
            ".records",
            "resolv.conf.ORIG",
            "run/mount",
        ] {
            assert!(
                !names.iter().any(|it| it.contains(part)),
                "{part}: {names:?}"
            );
        }
        for directory in ["dev", "tmp", "run", "proc", "sys"] {
            let inside = format!("{directory}/");
            let mut within = names.iter().map(|it| it.trim_start_matches("./"));
            let found = within.find(|it| it.starts_with(&inside) && *it != inside);
            assert_eq!(found, None, "{user:?}");
        }
        assert_eq!(
            member(&archive, "etc/resolv.conf"),
            "nameserver 192.0.2.53\n"
        );
        assert_eq!(member(&archive, "var/log/old.log"), "");
        assert!(
            !names.iter().any(|it| it.ends_with("root/install.log")),
            "{names:?}"
        );
        fs::remove_dir_all(ground.path("seen")).unwrap();
        assert_eq!(ground.names(), ["log", "one.raw", "one.tar"]);
    }
}

/// Scripts in the order in which diskimage-builder 3.43 has run them, and others that it didn't run.
#[test]
fn scripts_run_in_their_order_in_every_phase() {
    const ORDER: [&str; 12] = [
        "B-letter",
        "a-letter",
        "01-one",
        "2-two",
        "09-nine",
        "9-nine",
        "10-TEN",
        "10-ten",
        "10_under",
        "070-octal",
        "80-link",
        "100-hundred",
    ];
    let ground = Ground::new(User::Ordinary);
    for (phase, file) in [
        ("install", "/var/lib/order"),
        ("post-root", "$TMP_MOUNT_PATH/order"),
    ] {
        let text = format!("#!/bin/sh\necho ${{0##*/}} >> {file}\n");
        for (number, name) in ORDER
            .into_iter()
            .chain(["50-with.dot", "tests/99"])
            .enumerate()
        {
            // Of two elements, and from none of them first.
            let element = ["probe", "other"][number % 2];
            let directory = match name.starts_with("tests") {
                true => format!("{element}/tests/{phase}.d/99-never"),
                false => format!("{element}/{phase}.d/{name}"),
            };
            if name == "80-link" {
                ground.put(&format!("probe/files/{phase}"), &text);
                let link = ground.beside("elements").join(directory);
                fs::create_dir_all(link.parent().unwrap()).unwrap();
                std::os::unix::fs::symlink(format!("../files/{phase}"), link).unwrap();
                continue;
            }
            ground.put(&directory, &text);
        }
        ground.put(&format!("probe/{phase}.d/60-not-executable"), &text[2..]);
        ground.put(&format!("probe/{phase}.d/helper/70-nested"), &text);
    }
    ground.run("dib -n -t tar tiny probe other", &[]).expect(0);
    let archive = ground.path("image.tar");
    let expected = ORDER.map(|name| format!("{name}\n")).concat();
    assert_eq!(member(&archive, "var/lib/order"), expected);
    assert_eq!(member(&archive, "order"), expected);
    // Others by an expression of the user's, and without those that are left out.
    let own = [("RUN_PARTS_REGEX", "^(10-tiny|50-.*|2-two|9-nine)$")];
    ground
        .run(
            "dib -n -t tar --exclude-script 9-nine tiny probe other",
            &own,
        )
        .expect(0);
    assert_eq!(member(&archive, "var/lib/order"), "2-two\n50-with.dot\n");
    assert_eq!(member(&archive, "order"), "2-two\n50-with.dot\n");
}

/// What belongs to the build is nobody else's, and what scripts export is theirs alone.
#[test]
fn the_environment_counts_as_far_as_it_is_wanted() {
    let ground = Ground::new(User::Ordinary);
    ground.script(
        "install",
        "echo \"${A-none} ${B-none} ${DIB_X-none} ${DIB_OFFLINE-none}\" > /var/lib/seen",
    );
    ground.script("pre-install", "export A=changed");
    let variables = [("A", "a"), ("B", "b"), ("DIB_X", "x")];
    for (options, expected) in [
        ("", "a b x \n"),
        ("-c --offline --element-path ELEMENTS", "none none none 1\n"),
        (
            "--envvar B --envvar DIB_X=y --element-path ELEMENTS",
            "none b y \n",
        ),
    ] {
        let elements = ground.beside("elements").display().to_string();
        let options = options.replace("ELEMENTS", &elements);
        ground
            .build(&format!("-t tar {options}"), &variables)
            .expect(0);
        let found = member(&ground.path("image.tar"), "var/lib/seen");
        assert_eq!(found, expected, "{options}");
    }
}
