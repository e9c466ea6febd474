//! Systems in containers of LUKS and in logical volumes: what their programs say of them, what a
//! kernel finds in them, and that keys are nowhere else.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use testkit::program::{arguments, command, run};

use super::assembled::partition;
use super::place::Place;
use super::user::{self, User};
use crate::checkers;
use crate::volumes::machine::{self, Writes, activate_lvm, open_luks};

/// What a key of the tests is called wherever it mustn't be found.
const SECRET: &str = "correct-horse";

/// A specification of an image of this size with these steps, on a partition `boot` and one that is
/// called `rest`.
fn specification(size: &str, steps: &str) -> String {
    format!(
        "steps:
  - mkimg: '{{{{ output }}}}'
    size: {size}
  - mklabel: msdos
    device: '{{{{ output }}}}'
  - {{mkpart: primary, device: '{{{{ output }}}}', start: 1MiB, end: 16MiB, tag: boot}}
  - {{mkpart: primary, device: '{{{{ output }}}}', start: 16MiB, end: 100%, tag: rest}}
  - kpartx: '{{{{ output }}}}'
  - {{mkfs: ext2, partition: boot}}
{steps}"
    )
}

/// Steps that fill a tree whose root is `root`, with /boot on a partition of its own, and those that
/// mount `more`.
fn filled(root: &str, more: &str) -> String {
    format!(
        "  - {{mkfs: ext4, partition: {root}, label: smoke}}
  - mount: {root}
  - {{mount: boot, dirname: /boot, mount-on: {root}}}
{more}  - unpack-rootfs: {root}
  - fstab: {root}
  - {{create-file: /boot/kernel, contents: a kernel}}
"
    )
}

/// The root filesystem in LUKS, opened by a file.
fn encrypted_root() -> String {
    let steps = "  - {cryptsetup: rest, name: cryptroot, key-file: key}\n";
    specification("96M", &(steps.to_owned() + &filled("cryptroot", "")))
}

/// Root, home and swap in a group on two partitions.
const GROUP: &str = r#"steps:
  - mkimg: "{{ output }}"
    size: 200M
  - mklabel: gpt
    device: "{{ output }}"
  - {mkpart: one, device: "{{ output }}", start: 1MiB, end: 40MiB, tag: one}
  - {mkpart: two, device: "{{ output }}", start: 40MiB, end: 100%, tag: two}
  - {set_part_flag: "{{ output }}", tag: one, flag: lvm}
  - {set_part_flag: "{{ output }}", tag: two, flag: lvm}
  - {vgcreate: my-vg, physical: [one, two]}
  - {lvcreate: my-vg, name: swap, size: "15"}
  - {lvcreate: my-vg, name: root, size: 64m}
  - {lvcreate: my-vg, name: home, size: FILL}
  - {lvscan: my-vg, tags: [root, home]}
  - {mkfs: swap, partition: swap}
  - {mkfs: ext4, partition: root}
  - {mkfs: ext4, partition: home, options: -L home}
  - mount: root
  - {mount: home, dirname: /home, mount-on: root}
  - unpack-rootfs: root
  - fstab: root
  - {create-file: /home/mine, contents: at home}
"#;

/// A group in LUKS, opened by what a command says.
fn group_in_luks() -> String {
    let steps = format!(
        "  - {{cryptsetup: rest, name: pv0, key-cmd: 'cat key; echo more'}}
  - {{vgcreate: vg0, physical: [pv0]}}
  - {{lvcreate: vg0, name: rootfs, size: 60M}}
  - {{lvcreate: vg0, name: inner, size: fill}}
  - {{cryptsetup: inner, name: secrets, password: {SECRET}}}
  - {{mkfs: ext4, partition: secrets}}
{}  - {{create-file: /srv/mine, contents: twice}}
",
        filled(
            "rootfs",
            "  - {mount: secrets, dirname: /srv, mount-on: rootfs}\n"
        )
    );
    specification("160M", &steps)
}

/// The image `NAME.img` that `specification` describes, made by an ordinary user in `place`.
fn build(place: &Place, name: &str, specification: &str) {
    place.put(&format!("{name}.vmdb"), specification);
    let line =
        format!("vmdb2 --output {name}.img --rootfs-tarball root.tar --log {name}.log {name}.vmdb");
    place.run(&line).expect(0);
}

/// A place with a root filesystem and a key, which has two lines.
fn place() -> Place {
    let place = Place::new(User::Ordinary);
    place.put_root();
    place.put("key", format!("{SECRET}\nand more\n"));
    place
}

/// Whether `key` opens the container that is a file.
fn is_opened(container: &Path, key: &str) -> bool {
    let mut open = command("cryptsetup");
    open.args(["open", "--test-passphrase", "--key-file=-"]);
    let mut open = open.arg(container).stdin(Stdio::piped()).spawn().unwrap();
    open.stdin
        .take()
        .unwrap()
        .write_all(key.as_bytes())
        .unwrap();
    open.wait().unwrap().success()
}

/// The UUID that blkid finds in a file.
fn uuid(container: &Path) -> String {
    let said = run(
        "blkid",
        &arguments(&["-p", "-o", "value", "-s", "UUID"], &[container]),
    );
    said.unwrap().trim_end().to_owned()
}

#[test]
fn programs_of_luks_and_lvm_know_what_is_in_an_image() {
    let place = place();
    build(&place, "luks", &encrypted_root());
    let container = partition(&place.path("luks.img"), 2);
    let dump = run("cryptsetup", &arguments(&["luksDump"], &[&container])).unwrap();
    for part in [
        "Version:       \t2",
        "cipher: aes-xts-plain64",
        "sector: 512 [bytes]",
        "offset: 16777216 [bytes]",
        "PBKDF:      argon2id",
        "Cipher key: 512 bits",
        "Label:         \t(no label)",
        "Flags:       \t(no flags)",
    ] {
        assert!(dump.contains(part), "{part}: {dump}");
    }
    assert!(dump.contains(&uuid(&container)), "{dump}");
    checkers::accepted("cryptsetup", &container);
    // All of the file, and nothing else, is the key.
    assert!(is_opened(&container, &format!("{SECRET}\nand more\n")));
    assert!(!is_opened(&container, SECRET));
    build(&place, "lvm", GROUP);
    for number in [1, 2] {
        let member = partition(&place.path("lvm.img"), number);
        for what in ["headers", "metadata"] {
            let said = run("pvck", &arguments(&["--dump", what], &[&member])).unwrap();
            assert!(!said.contains("failed"), "{said}");
        }
        let said = run("pvck", &arguments(&["--dump", "metadata"], &[&member])).unwrap();
        for part in ["my-vg {", "extent_count = 4", "extent_count = 16"] {
            assert!(said.contains(part), "{said}");
        }
    }
    build(&place, "both", &group_in_luks());
    let container = partition(&place.path("both.img"), 2);
    // The first line of what the command says is the passphrase.
    assert!(is_opened(&container, SECRET));
    assert!(!is_opened(&container, &format!("{SECRET}\n")));
    // The same key is that of what is in a volume of it.
    place.put("line", SECRET);
    let seen = place
        .run("inspect --tree --key-file line both.img")
        .expect(0);
    for part in [
        "/etc/crypttab",
        "/kernel",
        "/mine",
        "vg0/rootfs",
        "vg0/inner",
    ] {
        assert!(seen.stdout.contains(part), "{part}: {}", seen.stdout);
    }
}

#[test]
fn a_kernel_finds_the_tree_in_containers_and_volumes() {
    let place = place();
    build(&place, "luks", &encrypted_root());
    build(&place, "lvm", GROUP);
    build(&place, "both", &group_in_luks());
    let images = ["luks", "lvm", "both"].map(|name| place.path(&format!("{name}.img")));
    let script = [in_luks(), in_group(), in_both()].concat();
    let images = images.each_ref().map(|image| image.as_path());
    let said = machine::run(&images, Writes::Dropped, &script);
    let [first, second] = [1, 2].map(|index| {
        let image = ["luks", "both"][index - 1];
        uuid(&partition(&place.path(&format!("{image}.img")), 2))
    });
    let lines: Vec<_> = said.lines().collect();
    let told = |part: &str| assert!(lines.contains(&part), "{part}: {said}");
    told(&format!(
        "cryptroot UUID={first} none luks,discard,initramfs"
    ));
    told(&format!("pv0 UUID={second} none luks,discard,initramfs"));
    for part in [
        "a kernel",
        "at home",
        "twice",
        "my--vg-root 64.00m",
        "my--vg-swap 16.00m",
        "vg0-rootfs 60.00m",
    ] {
        told(part);
    }
    let secrets = lines.iter().find(|line| line.starts_with("secrets UUID="));
    let secrets = secrets.unwrap_or_else(|| panic!("{said}"));
    assert!(secrets.ends_with(" none luks,discard"), "{said}");
    let in_fstab = |end: &str| lines.iter().filter(|line| line.ends_with(end)).count();
    assert_eq!(in_fstab(" / ext4 defaults 0 1"), 3, "{said}");
    assert_eq!(in_fstab(" /boot ext2 defaults 0 1"), 2, "{said}");
    assert_eq!(in_fstab(" /home ext4 defaults 0 1"), 1, "{said}");
    assert_eq!(in_fstab(" /srv ext4 defaults 0 1"), 1, "{said}");
    let named = lines.iter().filter(|line| line.ends_with(" defaults 0 1"));
    for uuid in named.filter_map(|line| line.split(' ').next()?.strip_prefix("UUID=")) {
        assert!(
            said.contains(&format!(" UUID=\"{uuid}\"")),
            "{uuid}: {said}"
        );
    }
}

/// Looks at the tree of the filesystem on `root`, as its fstab has it.
fn looked_at(root: &str) -> String {
    format!(
        "e2fsck -fn {root}\nmount -o ro {root} /mnt\ncat /mnt/etc/fstab\n\
         [ ! -e /mnt/etc/crypttab ] || cat /mnt/etc/crypttab\nls /mnt/bin/busybox\numount /mnt\n\
         blkid {root}\n"
    )
}

/// Prints a file of the filesystem on `device`, which fstab names by its UUID.
fn printed(device: &str, file: &str) -> String {
    format!("mount -o ro {device} /mnt\ncat /mnt/{file}\necho\numount /mnt\nblkid {device}\n")
}

fn in_luks() -> String {
    let key = format!("{SECRET}\nand more\n");
    let root = looked_at("/dev/mapper/cryptroot");
    let opened = open_luks("/dev/vda2", "cryptroot", key.as_bytes(), &root);
    opened + &printed("/dev/vda1", "kernel")
}

fn in_group() -> String {
    let commands = [
        "lvs --noheadings --options dm_path,lv_size my-vg | sed 's,^ */dev/mapper/,,; s/  */ /g; s/ $//'\n",
        "swapon /dev/my-vg/swap\nswapoff /dev/my-vg/swap\n",
        &looked_at("/dev/my-vg/root"),
        &printed("/dev/my-vg/home", "mine"),
    ];
    activate_lvm("my-vg", &commands.concat())
}

fn in_both() -> String {
    let secrets = printed("/dev/mapper/secrets", "mine");
    let commands = [
        "lvs --noheadings --options dm_path,lv_size vg0 | sed 's,^ */dev/mapper/,,; s/  */ /g; s/ $//'\n",
        &looked_at("/dev/vg0/rootfs"),
        &open_luks("/dev/vg0/inner", "secrets", SECRET.as_bytes(), &secrets),
    ];
    let group = activate_lvm("vg0", &commands.concat());
    let opened = open_luks("/dev/vdc2", "pv0", SECRET.as_bytes(), &group);
    opened + &printed("/dev/vdc1", "kernel")
}

#[test]
fn keys_are_nowhere_but_in_key_slots() {
    for user in user::all() {
        let place = Place::new(user);
        place.put_root();
        let steps = format!(
            "  - {{cryptsetup: rest, name: cryptroot, password: {SECRET}}}\n{}",
            filled("cryptroot", "")
        );
        place.put("a.vmdb", specification("96M", &steps));
        let line = "vmdb2 --output a.img --rootfs-tarball root.tar a.vmdb";
        let told = place.run(&format!("-l debug --json {line} -v --log log"));
        let told = told.expect(0);
        let log = fs::read_to_string(place.path("log")).unwrap();
        let dry = place.run(&format!("{line} --dry-run")).expect(0);
        let document = place.run(&format!("--json {line} --dry-run")).expect(0);
        for said in [
            &told.stdout,
            &told.stderr,
            &log,
            &dry.stdout,
            &dry.stderr,
            &document.stdout,
            &document.stderr,
        ] {
            assert!(!said.contains(SECRET), "{said}");
        }
        let image = fs::read(place.path("a.img")).unwrap();
        let mut windows = image.windows(SECRET.len());
        assert!(!windows.any(|window| window == SECRET.as_bytes()));
        assert!(is_opened(&partition(&place.path("a.img"), 2), SECRET));
    }
}

#[test]
fn a_dry_run_shows_all_layers_and_looks_for_no_key() {
    let place = Place::new(User::Ordinary);
    let specification = group_in_luks().replace("cat key", "touch ran");
    place.put("a.vmdb", specification);
    let line = "vmdb2 --output a.img --dry-run a.vmdb";
    let run = place.run(line).expect(0);
    for part in [
        "LUKS2: ",
        "LVM2: part 1 of the group 'vg0'",
        "group vg0: extents of 4 MiB",
        "vg0/rootfs: 60 MiB",
        "opened as 'pv0'",
        "opened as 'secrets'",
        "cryptsetup: rest as pv0",
        "vgcreate: vg0 on pv0",
        "lvcreate: inner in vg0, fill",
    ] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let run = place.run(&format!("--json {line}")).expect(0);
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let disk = &document["disk"];
    assert_eq!(disk["partitions"][1]["luks"]["lvm"]["group"], "vg0");
    assert_eq!(disk["groups"][0]["name"], "vg0");
    let inner = &disk["groups"][0]["volumes"][1];
    assert_eq!(inner["name"], "inner");
    assert_eq!(inner["luks"]["filesystem"]["kind"], "ext4");
    assert_eq!(document["volumes"][1]["opened"]["name"], "pv0");
    assert_eq!(document["volumes"][2]["mounted_at"], "/");
    assert_eq!(document["volumes"][3]["volume"], "secrets");
    assert_eq!(place.names(), ["a.vmdb"]);
}

#[test]
fn a_key_that_is_not_found_ends_the_step() {
    let place = place();
    let line = "vmdb2 --output a.img --rootfs-tarball root.tar --log log a.vmdb";
    for (command, part) in [
        ("echo correct-horse; exit 7", "failed"),
        ("true", "is empty"),
    ] {
        let steps = format!(
            "  - {{cryptsetup: rest, name: cryptroot, key-cmd: '{command}'}}\n{}",
            filled("cryptroot", "")
        );
        place.put("a.vmdb", specification("96M", &steps));
        let run = place.run(line).expect(3);
        let run = run.says(["a.vmdb:10:5 steps[6]", part]);
        let log = fs::read_to_string(place.path("log")).unwrap();
        assert!(!format!("{}{}{log}", run.stdout, run.stderr).contains(SECRET));
        assert!(!place.path("a.img").exists());
    }
    // What isn't there is told before anything is done.
    place.put(
        "a.vmdb",
        encrypted_root().replace("key-file: key", "key-file: nowhere"),
    );
    place
        .run(line)
        .expect(3)
        .says(["there is no file", "nowhere"]);
}
