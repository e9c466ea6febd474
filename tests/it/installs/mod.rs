//! Systems that are installed by a real virt-install, in a real virtual machine of a real libvirt;
//! only the installer in it is a small script.
//!
//! Every test has a libvirtd of its own, which needs root.

mod host;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;
use std::time::Duration;

use testkit::root::is_root;

use crate::server::{Server, ok, respond};
use crate::world::{Run, single};

use host::Host;

/// A group of one small image. `keys` come behind the usual ones.
fn group(name: &str, keys: &str) -> String {
    format!(r#"{{"name": "{name}", "size": 1, "releases": {{"9": ["x86_64"]}} {keys}}}"#)
}

/// What the installer prints in the end when it is told to hang.
const HANGS: &str = "installer: hangs";

/// What it prints first.
const BEGINS: &str = "installer: begins";

const M: &str = "disk_rocky9_m_x86_64.qcow2";

/// A host with one image, `M`, of which there is an older one, and a kickstart file of this text.
fn host_with_old(kickstart: &str) -> Host {
    let host = Host::new("", &group("m", ""), &[("m", kickstart)]);
    host.world.put(M, 100);
    host
}

/// Runs `line`, which fails and says each of `parts`; the older image is left as it was, and
/// nothing else.
fn fails<const N: usize>(host: &Host, line: &str, parts: [&str; N]) -> Run {
    let run = host.run(line).expect(3).says(parts);
    host.assert_clean(&[M]);
    assert!(host.world.is_untouched(M));
    run
}

/// BIOS and UEFI, both formats, in a new directory and beside a layout, all at a time.
#[test]
fn a_whole_set_is_built_and_then_complete() {
    if !is_root() {
        return;
    }
    let groups = [
        group("m", ""),
        group(
            "u",
            r#", "bootopts": "uefi", "format": "raw", "checksum": true"#,
        ),
        group(
            "s",
            r#", "extension": "img", "sparsify": true, "compress": true, "memory": 512, "cpus": 2"#,
        ),
    ];
    let kickstarts = [
        ("m", "# for m\n"),
        ("u", "# for u\n# reboot\n"),
        ("s-9-x86_64", "# for s\n"),
    ];
    let host = Host::new(&single("l"), &groups.join(","), &kickstarts);
    // Older than it may be: it is built anew.
    host.world.put(M, 100);
    let names = [
        "disk_l.img",
        "disk_rocky9_m_x86_64.qcow2",
        "disk_rocky9_s_x86_64.img",
        "disk_rocky9_u_x86_64.img",
        "disk_rocky9_u_x86_64.img.sha256",
    ];
    let run = host.run("-t all --install-jobs 3").expect(0);
    run.says([
        "Built 4 of 4 images",
        "| installer: begins",
        "| installer: done",
    ]);
    host.assert_clean(&names);
    assert!(!host.world.is_untouched(M));
    host.run("check").expect(0).prints("");
    for (name, format, kickstart, text) in [
        (names[1], "qcow2", "m.ks", "# for m"),
        (names[2], "qcow2", "s-9-x86_64.ks", "# for s"),
        (names[3], "raw", "u.ks", "# for u"),
    ] {
        let installed = host.installed(name);
        let (arguments, told) = installed.split_once('\n').unwrap();
        for part in [
            format!("inst.ks=file:/{kickstart}"),
            "console=ttyS0".to_owned(),
        ] {
            assert!(arguments.contains(&part), "{arguments}");
        }
        assert!(told.starts_with(text), "{installed}");
        let info = host.run_beside(&format!("qemu-img info --output=json {name}"));
        assert!(
            info.contains(&format!("\"format\": \"{format}\"")),
            "{info}"
        );
        assert!(info.contains("\"virtual-size\": 1073741824"), "{info}");
        let mode = fs::metadata(host.world.path(name)).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o644);
    }
    let sum = Command::new("sha256sum")
        .args(["--check", "--strict", names[4]])
        .current_dir(host.world.directory())
        .output()
        .unwrap();
    assert!(sum.status.success(), "{sum:?}");
}

/// Of two mirrors the first has nothing; the second is on the network.
#[test]
fn the_next_mirror_is_asked_for_a_tree_that_is_not_there() {
    if !is_root() {
        return;
    }
    let host = host_with_old("");
    let tree = host.world.root().join("tree/9");
    let server = Server::start(move |request, stream| {
        let path = request[""].split(' ').nth(1).unwrap();
        let below = path.strip_prefix("/rocky/9/BaseOS/x86_64/os/");
        match below.map(|below| fs::read(tree.join(below))) {
            Some(Ok(bytes)) => ok(stream, &bytes),
            _ => respond(stream, "404 Not Found", b""),
        }
    });
    let mirrors = ["nothing", "rocky"].map(|name| format!("{}/{name}", server.address));
    let line = "m --install-attempts 1";
    Run::of(&mut host.command_from(&mirrors.join(","), line))
        .expect(0)
        .says(["Built 1 of 1"]);
    host.assert_clean(&[M]);
    assert!(!host.world.is_untouched(M));
}

#[test]
fn a_tree_that_is_not_there_is_told_with_its_address() {
    if !is_root() {
        return;
    }
    let host = host_with_old("");
    let line = "m --install-attempts 2";
    Run::of(&mut host.command_from("http://127.0.0.1:9/none", line))
        .expect(3)
        .says([
            "each of 2 attempts: http://127.0.0.1:9/none/9/BaseOS/x86_64/os: virt-install failed",
            "WARNING:createhdds:",
            "this is attempt 2 of 2",
        ]);
    host.assert_clean(&[M]);
    assert!(host.world.is_untouched(M));
}

#[test]
#[ignore = "slow: an emulated machine that is waited for"]
fn a_machine_that_hangs_is_ended_and_tried_again() {
    if !is_root() {
        return;
    }
    let host = host_with_old("# hang\n");
    // Until the installer has hung by then, however busy this machine is.
    let has_hung = [25, 75, 250, 800].into_iter().any(|seconds| {
        let line = format!("-t m --install-timeout {seconds}s --install-attempts 2");
        let in_vain = format!("it isn't done after {seconds} s");
        let run = fails(&host, &line, ["each of 2 attempts: ", &in_vain]);
        let lines = run.stderr.split("the last lines of its console:").nth(1);
        lines.is_some_and(|lines| lines.contains("\n  installer: hangs\n"))
    });
    assert!(has_hung);
}

#[test]
fn a_machine_that_panics_has_installed_nothing() {
    if !is_root() {
        return;
    }
    let host = host_with_old("# nothing\n# panic\n");
    fails(
        &host,
        "-t m --install-attempts 1",
        ["nothing was installed", "Kernel panic"],
    );
}

#[test]
fn a_machine_that_installs_nothing_is_no_success() {
    if !is_root() {
        return;
    }
    let host = host_with_old("# nothing\n");
    fails(
        &host,
        "-t m --install-attempts 1",
        ["there is no partition table", "installer: done"],
    );
}

/// virt-install reports success for both.
#[test]
#[ignore = "slow: several emulated machines"]
fn a_machine_that_is_ended_from_outside_is_no_success() {
    if !is_root() {
        return;
    }
    let host = host_with_old("# hang\n");
    for (line, reason) in [
        ("pkill --signal KILL qemu-system", "has crashed"),
        (
            "virsh --connect qemu:///system destroy NAME",
            "was destroyed from outside",
        ),
    ] {
        let child = host.start("-t m --install-attempts 1", HANGS, 1);
        host.run_beside(&line.replace("NAME", &host.machines()[0]));
        child.end().expect(3).says([reason]);
        host.assert_clean(&[M]);
        assert!(host.world.is_untouched(M));
    }
}

/// Without text mode there is a screen to look at, and nothing on a console.
#[test]
fn the_screen_of_a_machine_is_told() {
    if !is_root() {
        return;
    }
    let host = host_with_old("");
    let run = host.run("m").expect(0);
    run.says(["its screen is at vnc://127.0.0.1:59", "Built 1 of 1"])
        .never_says(["| "]);
    host.assert_clean(&[M]);
}

/// The first machine is ended, the second attempt succeeds.
#[test]
fn an_attempt_that_fails_is_made_again() {
    if !is_root() {
        return;
    }
    let host = host_with_old("");
    let child = host.start("-t m", BEGINS, 1);
    host.run_beside("pkill --signal KILL qemu-system");
    child
        .end()
        .expect(0)
        .says(["has crashed; this is attempt 2 of 3", "Built 1 of 1"]);
    host.assert_clean(&[M]);
    assert!(!host.world.is_untouched(M));
}

#[test]
fn what_is_missing_is_told_before_anything_is_done() {
    if !is_root() {
        return;
    }
    let host = host_with_old("");
    fs::remove_file(host.world.root().join("m.ks")).unwrap();
    fails(
        &host,
        "m",
        [
            "virtinstall[0]: there is no kickstart file",
            "m-9-x86_64.ks, m-9.ks, m-x86_64.ks, m.ks",
        ],
    );
    fs::write(host.world.root().join("m.ks"), "").unwrap();
    host.run_without_programs("m")
        .expect(3)
        .says(["virt-install isn't installed; install the package 'virtinst'"]);
    host.assert_clean(&[M]);
    fails(
        &host,
        "--connect qemu+unix:///system?socket=/nowhere m",
        ["can't connect to libvirt at qemu+unix:///system?socket=/nowhere"],
    );
}

#[test]
#[ignore = "slow: several emulated machines"]
fn a_libvirtd_that_stops_midway_fails_the_attempt_only() {
    if !is_root() {
        return;
    }
    let mut host = host_with_old("# hang\n");
    let child = host.start("-t m --install-attempts 1", HANGS, 1);
    host.stop_libvirtd();
    child.end().expect(3).says([
        "virt-install failed",
        "may still run until the next run in this directory",
    ]);
    assert!(host.world.is_untouched(M));
    host.start_libvirtd();
    // It has gone on without its libvirtd.
    assert_eq!(host.machines().len(), 1);
    fs::write(host.world.root().join("m.ks"), "").unwrap();
    let run = host.run("m").expect(0);
    run.says(["left behind by a killed run"]);
    host.assert_clean(&[M]);
    assert!(!host.world.is_untouched(M));
}

#[test]
#[ignore = "slow: several emulated machines"]
fn an_interrupted_run_leaves_nothing() {
    if !is_root() {
        return;
    }
    let groups = [group("m", ""), group("u", r#", "bootopts": "uefi""#)].join(",");
    let host = Host::new("", &groups, &[("m", "# hang\n"), ("u", "# hang\n")]);
    host.world.put(M, 100);
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let child = host.start("-t all --install-jobs 2", HANGS, 2);
        host.run_beside(&format!("pkill --signal {signal} --exact createhdds"));
        child.end().expect(status).says(["Interrupted, exiting..."]);
        host.assert_clean(&[M]);
        assert!(host.world.is_untouched(M));
    }
    // Before there is a machine.
    let child = host.start("-t all --install-jobs 2", "Creating", 2);
    std::thread::sleep(Duration::from_millis(700));
    host.run_beside("pkill --signal INT --exact createhdds");
    child.end().expect(130);
    host.assert_clean(&[M]);
}

#[test]
#[ignore = "slow: several emulated machines"]
fn what_a_killed_run_leaves_is_removed_by_the_next_one() {
    if !is_root() {
        return;
    }
    let host = host_with_old("# hang\n");
    let child = host.start("-t m", HANGS, 1);
    host.run_beside("pkill --signal KILL --exact createhdds");
    child.end();
    assert_eq!(host.machines().len(), 1);
    assert!(host.world.is_untouched(M));
    fs::write(host.world.root().join("m.ks"), "").unwrap();
    host.run("m")
        .expect(0)
        .says(["left behind by a killed run", "Built 1 of 1"]);
    // The other run's virt-install ends when it sees that its machine has gone.
    host.await_that(|| host.run_beside("pgrep virt-install").is_empty());
    host.run_beside("rm -rf tmp");
    assert!(!host.world.is_untouched(M));
    assert_eq!(host.machines(), [""; 0]);
    assert_eq!(host.world.names(), [M]);
}

/// Nobody else's machine is touched, whatever it is called, and two directories don't collide.
#[test]
#[ignore = "slow: several emulated machines"]
fn runs_in_two_directories_and_machines_of_others_live_side_by_side() {
    if !is_root() {
        return;
    }
    let host = host_with_old("");
    let other = host.world.root().join("b/images");
    fs::create_dir_all(&other).unwrap();
    let xml = host.world.root().join("domain.xml");
    let domain = "<domain type='qemu'><name>createhdds-other</name><memory>65536</memory>\
        <os><type arch='x86_64'>hvm</type></os></domain>";
    fs::write(&xml, domain).unwrap();
    let virsh = "virsh --quiet --connect qemu:///system";
    host.run_beside(&format!("{virsh} create {}", xml.display()));
    let second = host.start(&format!("-t -C {} m", other.display()), BEGINS, 1);
    host.run("m").expect(0).says(["Built 1 of 1"]);
    second.end().expect(0).says(["Built 1 of 1"]);
    assert_eq!(host.machines(), ["createhdds-other"]);
    host.run_beside(&format!("{virsh} destroy createhdds-other"));
    host.assert_clean(&[M]);
    assert_eq!(crate::world::names(&other), [M]);
}

#[test]
fn a_full_disk_is_told_at_once() {
    if !is_root() {
        return;
    }
    let host = Host::new(
        "",
        &group("m", r#", "format": "raw""#),
        &[("m", "# fill\n")],
    );
    let images = host.world.directory();
    host.run_beside(&format!(
        "mount -t tmpfs -o size=24M none {}",
        images.display()
    ));
    let run = host.run("m").expect(3);
    run.says([
        "no space is left on the filesystem",
        "there is no room for its disk",
    ])
    .never_says(["attempt 2"]);
    assert_eq!(host.run_beside(&format!("ls -A {}", images.display())), "");
    host.assert_clean(&[]);
}
