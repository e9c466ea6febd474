//! What mkfs.exfat made.

use std::fs;

use disklayout::inspect::fs::State;

use crate::support::{MIB, Scratch, assert_as_blkid, filesystem, number, open, run};
use crate::tree;

#[test]
fn numbers_are_those_of_dump_exfat() {
    let scratch = Scratch::new();
    for (options, size) in [
        ("", 8 * MIB),
        ("-c 4096", 100 * MIB),
        ("-c 131072", 600 * MIB),
        ("-L label", 16 * MIB),
    ] {
        let image = scratch.sample("a.img", size);
        run(&format!("mkfs.exfat {options}"), &[&image]);
        let disk = open(&image);
        let found = filesystem(&disk);
        let facts = found.facts();
        assert_as_blkid(facts, &image);
        assert_eq!(facts.state, Some(State::Clean));
        let told = run("dump.exfat", &[&image]);
        for (name, value) in [
            ("Cluster Count", facts.blocks),
            ("Free Clusters", facts.free_blocks),
        ] {
            let line = told.lines().find(|line| line.contains(name));
            let line = line.unwrap_or_else(|| panic!("no '{name}' in {told}"));
            let (_, value_told) = line.rsplit_once(|c: char| c.is_whitespace()).unwrap();
            assert_eq!(Some(number(value_told, "")), value, "{name}");
        }
        let found = tree::all(&found);
        assert_eq!(found.len(), 1, "{found:?}");
        fs::remove_file(image).unwrap();
    }
}
