//! What mkfs.fat and mtools made.

use std::fs;
use std::path::Path;

use disklayout::inspect::fs::State;

use crate::support::{MIB, Scratch, assert_as_blkid, filesystem, number, open, run};
use crate::tree;

/// A tree that FAT can hold.
fn make(root: &Path) {
    fs::create_dir_all(root.join("dir/A Long Directory Name/deep")).unwrap();
    fs::create_dir(root.join("many")).unwrap();
    for number in 0..200_usize {
        let name = format!("some long name of a file {number:03}.text");
        fs::write(
            root.join("many").join(name),
            tree::data(number as u32, number * 7),
        )
        .unwrap();
    }
    for name in [
        "SHORT.TXT",
        "lower.txt",
        "Mixed.txt",
        "other.TXT",
        "UPPER.txt",
        "no",
        "a.b.c",
    ] {
        fs::write(root.join("dir").join(name), name).unwrap();
    }
    for len in [0, 1, 511, 512, 513, 2048, 100_001] {
        fs::write(root.join(format!("dir/{len}")), tree::data(len as u32, len)).unwrap();
    }
    for len in [13, 26, 39, 200] {
        fs::write(root.join("l".repeat(len)), "letters").unwrap();
    }
}

#[test]
fn every_width_with_long_names_and_files_of_many_clusters() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    make(&root);
    let expected = tree::host(&root);
    for (options, size, variant) in [
        ("-F 12", 4 * MIB, "FAT12"),
        ("-F 12 -S 4096", 16 * MIB, "FAT12"),
        ("-F 16 -s 1", 16 * MIB, "FAT16"),
        ("-F 16 -f 1", 32 * MIB, "FAT16"),
        ("-F 32", 64 * MIB, "FAT32"),
        ("-F 32 -s 8 -R 64", 600 * MIB, "FAT32"),
    ] {
        let image = scratch.sample("a.img", size);
        run(
            &format!("mkfs.fat -n LABEL -i 1234ABCD {options}"),
            &[&image],
        );
        let entries = fs::read_dir(&root)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let entries: Vec<_> = entries.collect();
        let entries: Vec<_> = entries.iter().map(|path| path.as_path()).collect();
        let line = format!("mcopy -s -m -i {}", image.display());
        run(&line, &[&entries[..], &[Path::new("::")]].concat());
        let disk = open(&image);
        let found = tree::read(&disk);
        assert_eq!(tree::plain(&found), tree::plain(&expected), "{options}");
        let found = filesystem(&disk);
        let facts = found.facts();
        assert_as_blkid(facts, &image);
        assert_eq!(facts.uuid.as_deref(), Some("1234-ABCD"));
        assert_eq!(facts.variant.as_deref(), Some(variant));
        assert_eq!(facts.state, Some(State::Clean));
        // "207 files, 1203/8167 clusters"
        let told = run("fsck.fat -n", &[&image]);
        let (_, counts) = told.trim_end().rsplit_once(", ").unwrap();
        let (used, total) = counts.split_once('/').unwrap();
        let (used, total) = (number(used, ""), number(total, ""));
        assert_eq!(
            (facts.blocks, facts.free_blocks),
            (Some(total), Some(total - used))
        );
        fs::remove_file(&image).unwrap();
    }
}

#[test]
fn names_of_dos_and_times() {
    let scratch = Scratch::new();
    let image = scratch.sample("a.img", 4 * MIB);
    run("mkfs.fat", &[&image]);
    let file = scratch.path("f");
    fs::write(&file, "x").unwrap();
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::open(&file).unwrap().set_modified(time).unwrap();
    let line = format!("mcopy -m -i {}", image.display());
    run(&line, &[&file, Path::new("::F")]);
    let disk = open(&image);
    let found = tree::read(&disk);
    let keys: Vec<_> = found
        .keys()
        .map(|key| key.escape_ascii().to_string())
        .collect();
    assert_eq!(keys, ["/", "/F"]);
    let seconds = found[&b"/F"[..]].seconds.unwrap();
    // mcopy writes local time; at most a day from UTC.
    assert!((seconds - 1_000_000_000).abs() <= 86_400, "{seconds}");
    assert_eq!(filesystem(&disk).facts().label, None);
}
