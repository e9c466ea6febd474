//! Programs that scripts call, and that need more than a sandbox has.

use super::ground::{Ground, member, members};
use crate::systems::user::{self, User};

/// What scripts in root.d of elements do to work in the tree that they have made.
const ROOT: &str = r#"
cd "$TARGET_ROOT"
sudo mount -t proc none proc
sudo mount -t sysfs none sys
sudo mount --bind /dev dev
sudo chroot . bash -ec '
    test -e /proc/self/status; test -d /sys/kernel; test -c /dev/urandom; echo word > /dev/null'
sudo umount sys
sudo umount proc dev
[ -z "$(ls -A dev; ls -A proc; ls -A sys)" ]
# Without anything that is mounted there are devices too.
sudo chroot . bash -ec 'echo word > /dev/null; test -c /dev/zero'
TMPDIR=/nowhere sudo chroot . bash -ec 'test -z "${TMPDIR-}"'
sudo umount dev || true
[ "$(sudo -E -H -n -u root WORD=x bash -c 'echo $WORD $(id -u)')" = 'x 0' ]
[ "$(sudo -u '#1' id -u)" = 1 ]
sudo mkdir -p srv cache
echo kept > cache/file
sudo mount --bind cache srv
"#;

/// What is still mounted where the tree is measured and packed.
const POST_ROOT: &str = r#"
[ "$(cat $TMP_MOUNT_PATH/srv/file)" = kept ]
sudo mount -t tmpfs mine $TMP_MOUNT_PATH/root
dd if=/dev/zero of=$TMP_MOUNT_PATH/root/secret bs=1M count=64 2> /dev/null
"#;

#[test]
fn scripts_mount_things_and_call_what_is_in_the_tree() {
    for user in user::all() {
        let ground = Ground::new(user);
        ground.script("root", ROOT);
        ground.script("post-root", POST_ROOT);
        ground.script(
            "block-device",
            "[ $DIB_IMAGE_SIZE -lt 65536 ]; ! mountpoint -q $TMP_MOUNT_PATH/root",
        );
        ground.build("-t tar", &[]).expect(0);
        let archive = ground.path("image.tar");
        assert_eq!(member(&archive, "cache/file"), "kept\n");
        let names = members(&archive);
        for part in ["srv/file", "root/secret", "dev/null", "dev/zero"] {
            assert!(
                !names.iter().any(|it| it.ends_with(part)),
                "{part}: {names:?}"
            );
        }
    }
}

#[test]
fn scripts_have_no_network_where_that_is_asked_for() {
    let ground = Ground::new(User::Ordinary);
    let text = "cut -s -d: -f1 /proc/net/dev > SEEN; echo ${DIB_OFFLINE:-0} >> SEEN";
    ground.script("install", &text.replace("SEEN", "/etc/seen"));
    ground.script("root", &text.replace("SEEN", "seen"));
    ground.build("-t tar --no-network", &[]).expect(0);
    for found in [
        member(&ground.path("image.tar"), "etc/seen"),
        ground.text("seen"),
    ] {
        let words: Vec<_> = found.split_whitespace().collect();
        assert_eq!(words, ["lo", "1"]);
    }
}

#[test]
fn what_takes_room_is_told_where_that_is_asked_for() {
    let ground = Ground::new(User::Ordinary);
    ground.script(
        "install",
        "mkdir /srv; dd if=/dev/zero of=/srv/large bs=1M count=11 2> /dev/null; echo > /srv/small",
    );
    let show = [("DIB_SHOW_IMAGE_USAGE", "1")];
    let run = ground.build("-t tar", &show).expect(0);
    let run = run.says([
        "Room that files take, from 10 MiB on:",
        "11.00 MiB /srv/large",
    ]);
    run.never_says(["/srv/small"]);
    let all = [show[0], ("DIB_SHOW_IMAGE_USAGE_FULL", "1")];
    ground.build("-t tar", &all).expect(0).says(["/srv/small"]);
    ground
        .build("-t tar", &[])
        .expect(0)
        .never_says(["Room that files take"]);
}

/// What scripts say is shown, or is in the log, or both.
#[test]
fn what_scripts_say_is_where_it_is_wanted() {
    let ground = Ground::new(User::Ordinary);
    ground.script("install", "echo said by a script; echo and an error >&2");
    for (options, variables, is_shown) in [
        ("", &[][..], true),
        ("--quiet", &[], false),
        ("", &[("DIB_QUIET", "1")], false),
        ("--verbose", &[("DIB_QUIET", "1")], true),
        ("--logfile log", &[], false),
        ("--logfile log --verbose", &[], true),
        ("--logfile log", &[("DIB_QUIET", "0")], true),
    ] {
        let run = ground
            .build(&format!("-t tar {options}"), variables)
            .expect(0);
        for part in ["said by a script", "and an error"] {
            assert_eq!(
                run.stderr.contains(part),
                is_shown,
                "{options} {variables:?}: {run:?}"
            );
            if options.contains("log") {
                assert!(ground.text("log").contains(part));
            }
        }
        assert_eq!(run.stdout, "");
    }
}
