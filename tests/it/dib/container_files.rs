//! Elements that begin with an image of a container, which podman makes of a container file.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::program::{arguments, run};

use super::ground::{Ground, member};
use crate::systems::user::{self, User};
use crate::world::Run;

/// Has podman make an image, and takes its files for the tree.
const ROOT: &str = r#"
podman build --network host -t probe-image -f "$HERE/Containerfile" "$HERE"
$SUDO podman run --network host --name probe-container -d probe-image /bin/sh
podman export probe-container | sudo tar -C "$TARGET_ROOT" --numeric-owner -xf -
podman rm probe-container
podman rmi probe-image
"#;

/// A file of owners that only root can give, and what was there before.
const CONTAINER_FILE: &str = "\
COPY note /note
RUN echo made > /made && chown 5:6 /made && chmod 640 /made
RUN cat /etc/passwd > /seen && echo > /dev/null
";

/// What podman fails by now and then, where the system has its own program in use just then.
const BUSY: &str = "sealing memfd copy: Device or resource busy";

/// A place where `probe` begins with an image of the system that `tiny` lays, and where its container
/// file is.
pub(super) fn ground(user: User, container_file: &str) -> (Ground, PathBuf) {
    let ground = Ground::new(user);
    ground.run("dib -n -t docker -o base tiny", &[]).expect(0);
    let here = ground.beside("here");
    fs::create_dir(&here).unwrap();
    let archive = here.join("base.oci.tar");
    fs::rename(ground.path("base.oci.tar"), &archive).unwrap();
    fs::write(here.join("note"), "note\n").unwrap();
    let text = format!("FROM oci-archive:{}\n{container_file}", archive.display());
    fs::write(here.join("Containerfile"), text).unwrap();
    ground.put("probe/element-provides", "operating-system\n");
    ground.script("root", ROOT);
    (ground, here)
}

/// Builds an archive of it.
fn build(ground: &Ground, here: &Path, sudo: &str) -> Run {
    let here = here.to_str().unwrap();
    let variables = [("HERE", here), ("SUDO", sudo)];
    let build = || ground.run("dib -n -t tar probe", &variables);
    (0..5)
        .map(|_| build())
        .find(|run| !run.stderr.contains(BUSY))
        .expect("podman never gets through")
}

#[test]
fn an_image_of_a_container_becomes_the_tree() {
    for user in user::all() {
        for sudo in ["", "sudo"] {
            let (ground, here) = ground(user, CONTAINER_FILE);
            build(&ground, &here, sudo).expect(0);
            let archive = ground.path("image.tar");
            assert_eq!(member(&archive, "note"), "note\n");
            assert!(member(&archive, "seen").starts_with("root:x:0:0:"));
            let options = ["--numeric-owner", "-tvf"];
            let listed = run("tar", &arguments(&options, &[&archive])).unwrap();
            let made = listed.lines().find(|line| line.ends_with(" made")).unwrap();
            assert!(made.starts_with("-rw-r----- 5/6 "), "{made}");
            // What it has stored is gone, and is nowhere else.
            assert_eq!(ground.names(), ["image.tar"]);
            for name in ["home", "temporary"] {
                let left = ground.beside(name).join(".local");
                assert!(!left.exists(), "{}", left.display());
            }
            assert!(!listed.contains("podman"), "{listed}");
        }
    }
}

#[test]
fn what_a_container_file_fails_by_is_told() {
    let (ground, here) = ground(User::Ordinary, "RUN echo no such luck && exit 7\n");
    let run = build(&ground, &here, "").expect(7);
    run.says(["no such luck", "exit status 7", "root.d failed (status 7)"]);
    assert!(ground.names().is_empty());
}

#[test]
fn a_user_is_told_why_docker_is_not_asked() {
    let ground = Ground::new(User::Ordinary);
    ground.script("root", "docker build .");
    let run = ground.build("-t tar", &[]).expect(1);
    run.says(["Docker can't be asked", "DIB_CONTAINERFILE_RUNTIME=podman"]);
}
