//! Builds that are ended by signals: nothing is left of them.

use std::process::Child;

use super::ground::Ground;
use crate::systems::ends::{assert_nothing_is_left, ends_by, wait_until};
use crate::systems::user;
use crate::world::send;

/// A build that takes as long as it is let, with programs in the tree or outside.
fn start(ground: &Ground, phase: &str, tree: &str) -> Child {
    ground.script("pre-install", "sleep 1000 &\nmkdir /srv");
    let text = "sleep 1000 &\necho here > $STARTED\nsleep 1000";
    for other in ["finalise", "cleanup"] {
        ground.script(other, if other == phase { text } else { "true" });
    }
    ground.script(
        "pre-finalise",
        "sudo mount -t tmpfs mine $TMP_MOUNT_PATH/srv",
    );
    // What a script in the tree has written is seen outside by its log.
    let started = if phase == "cleanup" {
        "started"
    } else {
        "/etc/started"
    };
    let line = format!("dib -n -t raw,qcow2,tar --tree {tree} --logfile log tiny probe");
    let mut command = ground.command(&line, &[("STARTED", started)]);
    command.spawn().unwrap()
}

/// Whether the last script has begun.
fn has_begun(ground: &Ground, phase: &str) -> bool {
    let log = std::fs::read_to_string(ground.path("log")).unwrap_or_default();
    log.contains(&format!("{phase}.d/50-{phase}"))
}

#[test]
fn signals_leave_nothing_of_a_build() {
    // Milliseconds: while it checks, starts, makes the tree, or is in the middle of scripts.
    let mut moments = [5, 30, 100, 250, 500, 900].into_iter().cycle();
    for user in user::all() {
        let ground = Ground::new(user);
        for (signal, status, phase, tree) in [
            ("TERM", Some(143), "finalise", "memory"),
            ("INT", Some(130), "cleanup", "."),
            ("KILL", None, "finalise", "."),
            ("KILL", None, "cleanup", "memory"),
        ] {
            let check = || {
                for name in ["started", "log"] {
                    let _ = std::fs::remove_file(ground.path(name));
                }
                assert_nothing_is_left(ground.place(), &[]);
                let temporary = crate::world::names(&ground.beside("temporary"));
                assert!(temporary.is_empty(), "{temporary:?}");
            };
            ends_by(
                (signal, status),
                moments.next().unwrap_or(0),
                || start(&ground, phase, tree),
                || has_begun(&ground, phase),
                check,
            );
        }
    }
}

/// Where programs are, among them one that packs as long as it is let, once scripts have ended.
fn programs(ground: &Ground) -> String {
    let usual = std::env::var("PATH").unwrap();
    let packing = ground.path("packing");
    let text = format!(
        "#!/bin/sh\n[ ! -e {} ] || exec sleep 1000\nPATH={usual} exec mksquashfs \"$@\"\n",
        packing.display()
    );
    ground.put("../programs/mksquashfs", &text);
    format!("{}:{usual}", ground.beside("programs").display())
}

/// What was there before has no second name any more when the files are being written.
#[test]
fn an_image_that_was_there_stays_when_packing_is_ended() {
    for user in user::all() {
        let ground = Ground::new(user);
        ground.script("cleanup", "touch packing");
        let path = programs(&ground);
        for name in ["image.squash", "image.squash.md5"] {
            std::fs::write(ground.path(name), name).unwrap();
        }
        for (signal, status) in [("TERM", 143), ("INT", 130)] {
            let mut command = ground.command("dib -n -t squashfs tiny probe", &[("PATH", &path)]);
            let mut child = command.spawn().unwrap();
            let has_second = || ground.names().iter().any(|name| name.starts_with("image-"));
            wait_until(&mut child, has_second);
            send(&child, signal);
            let ended = child.wait_with_output().unwrap();
            assert_eq!(ended.status.code(), Some(status), "{ended:?}");
            std::fs::remove_file(ground.path("packing")).unwrap();
            assert_nothing_is_left(ground.place(), &["image.squash", "image.squash.md5"]);
            assert_eq!(ground.text("image.squash"), "image.squash");
        }
    }
}
