//! What mkntfs and ntfscp made.

use std::fs;
use std::path::Path;

use disklayout::inspect::fs::State;

use crate::support::{MIB, Scratch, assert_as_blkid, filesystem, number, open, run};
use crate::tree;

fn mkntfs(image: &Path, options: &str) {
    run(
        &format!("mkntfs -q -F -Q -p 0 -H 255 -S 63 {options}"),
        &[image],
    );
}

#[test]
fn files_in_records_and_in_clusters_and_directories_of_many_blocks() {
    let scratch = Scratch::new();
    for options in [
        "-s 512 -L label",
        "-s 512 -c 512",
        "-s 512 -c 65536",
        "-s 4096",
    ] {
        let image = scratch.sample("a.img", 24 * MIB);
        mkntfs(&image, options);
        let mut expected = tree::Listing::new();
        let mut put = |path: &str, bytes: Vec<u8>| {
            let seen = tree::Seen {
                kind: "file",
                bytes: bytes.clone(),
                ..tree::Seen::default()
            };
            expected.insert(path.as_bytes().to_vec(), seen);
            let file = scratch.path("content");
            fs::write(&file, bytes).unwrap();
            run("ntfscp -q", &[&image, &file, Path::new(path)]);
        };
        for len in [0, 1, 600, 700, 4096, 1_000_001] {
            put(&format!("/{len}"), tree::data(len as u32, len));
        }
        for number in 0..40 {
            put(
                &format!("/a long name, so that the index needs blocks {number:03}"),
                vec![number],
            );
        }
        put("/\u{e4}\u{20ac}\u{1f600}", b"unicode".to_vec());
        let root = tree::Seen {
            kind: "directory",
            ..tree::Seen::default()
        };
        expected.insert(b"/".to_vec(), root);
        let disk = open(&image);
        let found = tree::read(&disk);
        assert_eq!(tree::plain(&found), tree::plain(&expected), "{options}");
        let found = filesystem(&disk);
        let facts = found.facts();
        assert_as_blkid(facts, &image);
        assert_eq!(facts.variant.as_deref(), Some("3.1"));
        assert_eq!(facts.state, Some(State::Clean));
        let told = run("ntfsinfo -m", &[&image]);
        for (name, value) in [
            ("Cluster Size", facts.block_size),
            ("Volume Size in Clusters", facts.blocks),
            ("Free Clusters", facts.free_blocks),
        ] {
            assert_eq!(Some(number(&told, name)), value, "{name}");
        }
        fs::remove_file(image).unwrap();
    }
}
