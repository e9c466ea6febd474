//! What mkfs.erofs made of a directory of the host.

use std::fs;

use disklayout::ErrorKind;

use crate::support::{Scratch, assert_as_blkid, filesystem, open, run};
use crate::tree;

#[test]
fn inodes_of_both_versions_tails_chunks_and_attributes() {
    let scratch = Scratch::in_temporary_directory();
    let root = scratch.path("tree");
    tree::make(&root);
    tree::make_sparse(&root, 4096);
    // mkfs.erofs 1.5 takes no names of more than 254 bytes.
    fs::remove_file(root.join("n".repeat(255))).unwrap();
    let mut expected = tree::host(&root);
    for path in ["dir/1", "dir/60", "empty"] {
        let path = root.join(path);
        run("setfattr -n user.short -v value", &[&path]);
        run(
            &format!("setfattr -n user.long -v {}", ["x"; 300].concat()),
            &[&path],
        );
    }
    let xattrs = vec![
        (b"user.long".to_vec(), vec![b'x'; 300]),
        (b"user.short".to_vec(), b"value".to_vec()),
    ];
    for path in ["/dir/1", "/dir/60", "/empty"] {
        expected.get_mut(path.as_bytes()).unwrap().xattrs = xattrs.clone();
    }
    for options in [
        "",
        "-Eforce-inode-extended",
        "-Enoinline_data",
        "-x1",
        "--chunksize=65536",
    ] {
        let image = scratch.path("sample-a.img");
        let _ = fs::remove_file(&image);
        run(&format!("mkfs.erofs --quiet {options}"), &[&image, &root]);
        let disk = open(&image);
        println!("{options}");
        tree::assert_same(&tree::read(&disk), &expected);
        assert_as_blkid(filesystem(&disk).facts(), &image);
    }
}

#[test]
fn compressed_data_is_refused_and_all_else_is_read() {
    let scratch = Scratch::in_temporary_directory();
    let root = scratch.path("tree");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("f"), [7; 100_000]).unwrap();
    let image = scratch.path("sample-a.img");
    run("mkfs.erofs --quiet -zlz4", &[&image, &root]);
    let disk = open(&image);
    let found = filesystem(&disk);
    let file = found.find(b"/f").unwrap().unwrap();
    assert_eq!(file.size, 100_000);
    assert_eq!(
        found.open(&file).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
}
