//! What mke2fs made of a directory of the host.

use std::fs;
use std::path::Path;

use disklayout::inspect::fs::State;

use crate::support::{MIB, Scratch, assert_as_blkid, filesystem, number, open, problem, run};
use crate::tree::{self, Listing, Seen};

/// mke2fs adds the directory, which the host's tree doesn't have.
fn without_lost_and_found(mut listing: Listing, expected: &Listing) -> Listing {
    let found = listing.remove(&b"/lost+found"[..]).unwrap();
    assert_eq!((found.kind, found.permissions), ("directory", Some(0o700)));
    // Its entry in the root directory makes that one younger.
    if let Some(root) = listing.get_mut(&b"/"[..]) {
        root.seconds = expected[&b"/"[..]].seconds;
    }
    listing
}

fn mke2fs(image: &Path, root: &Path, options: &str) {
    let line = format!("mke2fs -q -F -L label -d {} {options}", root.display());
    run(&line, &[image]);
    run("e2fsck -fn", &[image]);
}

/// What debugfs says to a script.
fn debugfs(scratch: &Scratch, script: &str, image: &Path) -> String {
    let commands = scratch.path("commands");
    fs::write(&commands, script).unwrap();
    run(&format!("debugfs -w -f {}", commands.display()), &[image])
}

/// What dumpe2fs says of all numbers.
fn assert_as_dumpe2fs(image: &Path) {
    let disk = open(image);
    let found = filesystem(&disk);
    let facts = found.facts();
    assert_as_blkid(facts, image);
    let told = run("dumpe2fs -h", &[image]);
    for (name, value) in [
        ("Block count", facts.blocks),
        ("Block size", facts.block_size),
        ("Free blocks", facts.free_blocks),
        ("Inode count", facts.inodes),
        ("Free inodes", facts.free_inodes),
    ] {
        assert_eq!(Some(number(&told, name)), value, "{name}");
    }
    let features = told
        .lines()
        .find_map(|line| line.strip_prefix("Filesystem features:"));
    let features = features.unwrap().split_whitespace();
    let features: Vec<_> = features.filter(|name| *name != "(none)").collect();
    assert_eq!(facts.features, features);
    assert_eq!(facts.state, Some(State::Clean));
    let has_journal = features.contains(&"has_journal");
    assert_eq!(facts.journal.is_some(), has_journal);
}

#[test]
fn trees_that_mke2fs_packs_with_every_option_that_moves_something() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    tree::make(&root);
    let expected = tree::host(&root);
    for (index, options) in [
        "-t ext2 -b 1024",
        "-t ext2 -b 2048",
        "-t ext2 -b 4096",
        "-t ext2 -I 128 -O ^filetype",
        "-t ext2 -r 0",
        "-t ext3 -b 1024",
        "-t ext3 -b 4096",
        "-t ext4 -b 1024",
        "-t ext4 -b 2048",
        "-t ext4 -b 4096",
        "-t ext4 -O inline_data",
        "-t ext4 -O inline_data -I 1024",
        "-t ext4 -O ^metadata_csum,uninit_bg",
        "-t ext4 -O ^metadata_csum,^64bit",
        "-t ext4 -O ^64bit",
        "-t ext4 -O bigalloc -C 16384",
        "-t ext4 -O bigalloc -b 1024 -C 8192",
        "-t ext4 -b 1024 -O meta_bg,^resize_inode",
        "-t ext4 -b 1024 -g 2048 -O meta_bg,^resize_inode,^sparse_super",
        "-t ext4 -O metadata_csum_seed",
        "-t ext4 -O ^flex_bg,sparse_super2",
        "-t ext4 -O ^extent,^64bit",
        "-t ext4 -I 512",
    ]
    .into_iter()
    .enumerate()
    {
        let image = scratch.sample(&format!("{index}.img"), 48 * MIB);
        mke2fs(&image, &root, options);
        let found = without_lost_and_found(tree::read(&open(&image)), &expected);
        println!("{options}");
        tree::assert_same(&found, &expected);
        assert_as_dumpe2fs(&image);
        fs::remove_file(image).unwrap();
    }
}

#[test]
fn extents_of_two_levels_and_block_maps_of_three() {
    let scratch = Scratch::new();
    for block in [1024, 4096] {
        let root = scratch.path(&format!("tree-{block}"));
        fs::create_dir(&root).unwrap();
        tree::make_sparse(&root, block);
        let expected = tree::host(&root);
        for kind in ["ext2", "ext4"] {
            let image = scratch.sample("a.img", 128 * MIB);
            mke2fs(&image, &root, &format!("-t {kind} -b {block}"));
            let disk = open(&image);
            tree::assert_same(
                &without_lost_and_found(tree::read(&disk), &expected),
                &expected,
            );
            let found = filesystem(&disk);
            let node = found.find(b"/far").unwrap().unwrap();
            assert!(found.open(&node).unwrap().stored() <= 2 * block);
        }
    }
}

#[test]
fn directories_with_an_index_are_read_from_start_to_end() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    fs::create_dir_all(root.join("d")).unwrap();
    for number in 0..3000 {
        fs::write(root.join(format!("d/{number:0>40}")), "").unwrap();
    }
    let expected = tree::host(&root);
    for options in ["-b 1024", "-b 4096", "-b 1024 -O ^metadata_csum"] {
        let image = scratch.sample("a.img", 32 * MIB);
        run(
            &format!("mke2fs -q -F -t ext4 -d {} {options}", root.display()),
            &[&image],
        );
        // Indexes the directories; 1 says that it changed something.
        let output = testkit::program::output("e2fsck", &["-fyD".as_ref(), image.as_os_str()]);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
        assert!(debugfs(&scratch, "htree /d", &image).contains("Root node dump"));
        let found = without_lost_and_found(tree::read(&open(&image)), &expected);
        tree::assert_same(&found, &expected);
    }
}

/// debugfs writes them: into the inode as long as there is room, then into a block, and long
/// values into inodes of their own.
#[test]
fn attributes_and_devices_that_debugfs_writes() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("f"), "content").unwrap();
    for options in [
        "-I 128",
        "-I 256",
        "-I 1024",
        "-I 256 -O ^metadata_csum",
        "-O ea_inode -b 1024",
    ] {
        let image = scratch.sample("a.img", 16 * MIB);
        run(
            &format!("mke2fs -q -F -t ext4 -d {} {options}", root.display()),
            &[&image],
        );
        let mut expected = Vec::new();
        let mut sizes = vec![1, 20, 100, 600];
        if options.contains("ea_inode") {
            // debugfs cuts values to a block.
            sizes.push(1024);
        }
        let mut script = String::from("mknod c c 4 65\nmknod b b 200 255\nmknod p p\n");
        for (index, len) in sizes.into_iter().enumerate() {
            let value = tree::data(len as u32, len);
            let file = scratch.path(&format!("value-{index}"));
            fs::write(&file, &value).unwrap();
            script += &format!("ea_set -f {} /f user.{index}\n", file.display());
            expected.push((format!("user.{index}").into_bytes(), value));
        }
        debugfs(&scratch, &script, &image);
        // debugfs doesn't count the blocks of values that have inodes.
        if !options.contains("ea_inode") {
            run("e2fsck -fn", &[&image]);
        }
        let found = tree::read(&open(&image));
        assert_eq!(found[&b"/f"[..]].xattrs, expected, "{options}");
        for (path, kind, device) in [
            ("/c", "char device", Some((4, 65))),
            ("/b", "block device", Some((200, 255))),
            ("/p", "fifo", None),
        ] {
            let Seen {
                kind: is,
                device: has,
                ..
            } = found[path.as_bytes()];
            assert_eq!((is, has), (kind, device), "{path}");
        }
    }
}

#[test]
fn what_was_not_left_in_order_is_told() {
    let scratch = Scratch::new();
    for (request, state) in [
        ("ssv state 0", State::Dirty),
        ("ssv state 2", State::Errors),
        ("feature needs_recovery", State::NeedsRecovery),
    ] {
        let image = scratch.sample("a.img", 16 * MIB);
        run("mke2fs -q -F -t ext4", &[&image]);
        debugfs(&scratch, request, &image);
        let disk = open(&image);
        let found = filesystem(&disk);
        assert_eq!(found.facts().state, Some(state), "{request}");
        let warnings = found.facts().warnings.len();
        assert_eq!(
            warnings,
            usize::from(state == State::NeedsRecovery),
            "{request}"
        );
    }
}

/// Every kind of metadata that has a checksum: a bit that is wrong is found.
#[test]
fn wrong_checksums_are_found() {
    let scratch = Scratch::new();
    let root = scratch.path("tree");
    fs::create_dir(&root).unwrap();
    tree::make_sparse(&root, 1024);
    let image = scratch.sample("a.img", 128 * MIB);
    mke2fs(&image, &root, "-t ext4 -b 1024");
    let sound = fs::read(&image).unwrap();
    let block = |request: &str, name: &str| -> usize {
        let text = debugfs(&scratch, request, &image);
        number(text.split_once(name).unwrap().1, "") as usize
    };
    let holes = block("imap /holes", "located at block ");
    let root_block = block("blocks /", "debugfs: blocks /\n");
    for (what, at) in [
        ("superblock", 1024 + 0x60),
        ("descriptor of group 0", 2048 + 0x2C),
        ("inode", holes * 1024 + 0x08),
        ("directory of inode 2", root_block * 1024 + 9),
    ] {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        let path = scratch.path("b.img");
        fs::write(&path, bytes).unwrap();
        let said = problem(&path);
        assert!(
            said.contains(what) && said.contains("checksum"),
            "{what}: {said}"
        );
    }
}
