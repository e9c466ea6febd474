//! Images of containers as skopeo, umoci and this library load them.

use std::fs::File;
use std::path::{Path, PathBuf};

use disklayout::Timestamp;
use disklayout::archive::Facts;
use disklayout::source::Rules;
use disklayout::source::oci::{self, Choice, Recognized};
use disklayout::tree::FileTree;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::compare::assert_same;
use testkit::host;
use testkit::log::accepted_as;
use testkit::planned::planned;
use testkit::program::command;
use testkit::root::is_root;

use crate::extracted::directory;
use crate::made::{Chosen, write};
use crate::sample::Sample;

/// Every compression of the layer.
const COMPRESSIONS: [(&str, &str); 3] = [
    ("gzip", "application/vnd.oci.image.layer.v1.tar+gzip"),
    ("zstd", "application/vnd.oci.image.layer.v1.tar+zstd"),
    ("none", "application/vnd.oci.image.layer.v1.tar"),
];

/// A directory with an image in it, in which programs run.
struct World {
    directory: TempDir,
    facts: Facts,
}

impl World {
    /// The image `image.oci.tar` of everything that layers hold.
    fn with_image(chosen: Chosen<'_>) -> Self {
        let directory = directory();
        let path = directory.path().join("image.oci.tar");
        let facts = write("oci", chosen, Sample::rich().tree(), &path);
        Self { directory, facts }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn fact(&self, name: &str) -> &str {
        let mut all = self.facts.iter();
        let found = all.find(|(other, _)| *other == name);
        &found.expect("a fact of this name").1
    }

    /// What a program says that ends with status 0.
    #[track_caller]
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = command(program)
            .env("HOME", self.directory.path())
            .current_dir(self.directory.path())
            .args(arguments)
            .output()
            .unwrap_or_else(|error| panic!("{program} can't be run, see scripts/setup: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn inspect(&self, options: &[&str], image: &str) -> Value {
        let arguments = [&["inspect"], options, &[image]].concat();
        let said = self.run("skopeo", &arguments);
        serde_json::from_str(&said).unwrap()
    }

    #[track_caller]
    fn copy(&self, options: &[&str], from: &str, to: &str) {
        let arguments = [&["--insecure-policy", "copy"], options, &[from, to]].concat();
        self.run("skopeo", &arguments);
    }

    /// Makes sure that an image in a layout holds the sample, as umoci unpacks it.
    #[track_caller]
    fn check_unpacked(&self, what: &str, layout: &str) {
        let bundle = format!("bundle-{what}");
        self.run("umoci", &["unpack", "--image", layout, &bundle]);
        let found = host::list(&self.path(&bundle).join("rootfs"));
        assert_same(what, &planned(&Sample::rich().tree()), &found);
        accepted_as("umoci", what);
    }
}

#[test]
fn umoci_unpacks_what_is_in_the_tree() {
    if !is_root() {
        return;
    }
    for (compression, _) in COMPRESSIONS {
        let options = [("name", "app:1"), ("compression_type", compression)];
        let world = World::with_image(&options);
        // skopeo compresses the layers anew: umoci 0.4 knows none in zstd.
        world.copy(&[], "docker-archive:image.oci.tar:app:1", "oci:saved:app");
        world.check_unpacked(&format!("{compression}-by-docker"), "saved:app");
        if compression != "zstd" {
            world.copy(&[], "oci-archive:image.oci.tar", "oci:layout:app");
            world.check_unpacked(compression, "layout:app");
        }
    }
}

/// Loaded by the list that `docker load` takes, and by the index.
#[test]
fn skopeo_copies_the_image_by_both_of_its_lists() {
    for (compression, media_type) in COMPRESSIONS {
        let options = [
            ("name", "example.org/app:1"),
            ("compression_type", compression),
        ];
        let world = World::with_image(&options);
        let config = world.fact("config_digest").to_owned();
        let as_it_is = ["--dest-oci-accept-uncompressed-layers"];
        world.copy(&as_it_is, "oci-archive:image.oci.tar:1", "oci:layout:app");
        let manifest = world.inspect(&["--raw"], "oci:layout:app");
        assert_eq!(manifest["layers"][0]["mediaType"], media_type);
        assert_eq!(manifest["config"]["digest"], config);
        let inspected = world.inspect(&[], "oci:layout:app");
        assert_eq!(inspected["Digest"], world.fact("manifest_digest"));
        world.copy(
            &[],
            "docker-archive:image.oci.tar:example.org/app:1",
            "oci:saved:app",
        );
        // The layer may be compressed anew; what it holds has the same digest.
        let ids = |image| world.inspect(&["--config"], image)["rootfs"]["diff_ids"].clone();
        assert_eq!(ids("oci:saved:app"), ids("oci:layout:app"));
        accepted_as("skopeo", compression);
    }
}

#[test]
fn an_image_without_a_name_is_loaded() {
    let world = World::with_image(&[]);
    let inspected = world.inspect(&[], "oci-archive:image.oci.tar");
    assert_eq!(inspected["Architecture"], "amd64");
    assert_eq!(inspected["Created"], "2001-09-09T01:46:40Z");
    world.copy(&[], "docker-archive:image.oci.tar", "oci:saved:app");
    let config = world.inspect(&["--config"], "oci-archive:image.oci.tar");
    assert_eq!(config["config"], json!({}));
    accepted_as("skopeo", "without a name");
}

#[test]
fn what_was_chosen_is_in_the_configuration() {
    let world = World::with_image(&[
        ("name", "registry.example.org:5000/group/app:1.2"),
        ("platform", "linux/arm/v6"),
        ("author", "Somebody <somebody@example.org>"),
        ("entrypoint", r#"["/bin/sh", "-c"]"#),
        ("cmd", "exec app"),
        ("env", "PATH=/usr/bin:/bin,EMPTY="),
        ("labels", r#"{"org.example.a": "1,2", "b": "\u00e9"}"#),
        ("user", "1000:100"),
        ("workdir", "/srv"),
        ("expose", "80,53/udp"),
        ("volumes", "/data,/var/log"),
        ("stop_signal", "SIGINT"),
    ]);
    let config = world.inspect(&["--config"], "oci-archive:image.oci.tar");
    assert_eq!(
        config["config"],
        json!({
            "User": "1000:100",
            "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
            "Env": ["EMPTY=", "PATH=/usr/bin:/bin"],
            "Entrypoint": ["/bin/sh", "-c"],
            "Cmd": ["exec app"],
            "Volumes": {"/data": {}, "/var/log": {}},
            "WorkingDir": "/srv",
            "Labels": {"org.example.a": "1,2", "b": "\u{e9}"},
            "StopSignal": "SIGINT",
        })
    );
    assert_eq!(config["author"], "Somebody <somebody@example.org>");
    assert_eq!(config["architecture"], "arm");
    assert_eq!(config["os"], "linux");
    let inspected = world.inspect(&[], "oci-archive:image.oci.tar:1.2");
    assert_eq!(inspected["Labels"]["org.example.a"], "1,2");
    assert_eq!(inspected["Architecture"], "arm");
    accepted_as("skopeo", "configuration");
}

/// The tree in an image that is told by its own signs.
fn loaded(path: &Path, choice: &Choice) -> FileTree {
    let file = File::open(path).unwrap();
    let recognized = oci::recognize("image", "a", &file).unwrap();
    let Recognized::Image(image) = recognized else {
        panic!("{recognized:?}");
    };
    let mut tree = FileTree::new(Timestamp::default());
    oci::add_image(&mut tree, &image, choice, &Rules::default()).unwrap();
    assert_eq!(tree.take_notices(), [""; 0]);
    tree
}

#[test]
fn our_own_reader_loads_what_is_in_the_tree() {
    let expected = planned(&Sample::rich().tree());
    for (compression, _) in COMPRESSIONS {
        let options = [("name", "app:1"), ("compression_type", compression)];
        let world = World::with_image(&options);
        let image = world.path("image.oci.tar");
        for reference in [None, Some("1"), Some("docker.io/library/app:1")] {
            let choice = Choice {
                reference: reference.map(str::to_owned),
                ..Choice::default()
            };
            let found = planned(&loaded(&image, &choice));
            assert_same(compression, &expected, &found);
        }
    }
}
