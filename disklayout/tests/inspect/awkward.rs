//! What is put into a mounted filesystem so that a reader has to know all of its forms. Needs root.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use disklayout::disk::Disk;
use testkit::compare::assert_same;
use testkit::host;
use testkit::inspected;
use testkit::listing::{Knows, Listing, seen_by};
use testkit::mount::Mounted;

use crate::support::{filesystem, open, run};
use crate::tree::{self, data};

/// All that the library reads, and how much space a file takes isn't among it.
pub(crate) const KNOWS: Knows = Knows {
    times: true,
    names: true,
    devices: true,
    xattrs: true,
    allocated: false,
};

/// What one filesystem can't hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of the largest value of an attribute, and of all of a file.
    pub(crate) xattr: (usize, usize),
    /// Bytes of the longest target of a link.
    pub(crate) target: usize,
}

/// What the kernel shows of `image`, and the same by the library.
pub(crate) fn assert_as_mounted(what: &str, image: &Path, options: &str) {
    let mounted = Mounted::new(image, &format!("ro,{options}"));
    let expected = known(host::list(mounted.path()));
    drop(mounted);
    let found = inspected::list(&filesystem(&open(image) as &dyn Disk));
    assert!(expected.len() > 3, "{what}");
    assert_same(what, &expected, &found);
}

/// The first error of reading everything but the data of files.
pub(crate) fn first_error(image: &Path) -> Option<String> {
    let disk = open(image);
    let found = filesystem(&disk);
    let read = || -> Result<(), disklayout::Error> {
        let mut walk = found.walk()?;
        while let Some(entry) = walk.next()? {
            found.xattrs(&entry.node)?;
            found.open(&entry.node)?;
        }
        Ok(())
    };
    read().err().map(|error| error.to_string())
}

/// The kernel shows what XFS has in place of ACLs, too.
fn known(mut listing: Listing) -> Listing {
    for xattrs in listing
        .values_mut()
        .filter_map(|entry| entry.xattrs.as_mut())
    {
        xattrs.retain(|name, _| !name.starts_with(b"trusted.SGI_ACL"));
    }
    seen_by(&listing, KNOWS)
}

/// Everything below `root`, which is where a filesystem is mounted.
pub(crate) fn fill(root: &Path, limits: Limits) {
    tree::make(root);
    tree::make_sparse(root, 4096);
    directories(root);
    files(root);
    links(root, limits);
    attributes(root, limits);
    devices(root);
}

/// A little of everything whose form depends on how much there is.
pub(crate) fn fill_little(root: &Path) {
    use rustix::fs::{XattrFlags, lsetxattr};
    for (name, count) in [("few", 4_usize), ("some", 40), ("many", 300)] {
        fs::create_dir(root.join(name)).unwrap();
        for number in 0..count {
            File::create(root.join(format!("{name}/{number:0>20}"))).unwrap();
        }
    }
    let file = File::create(root.join("holes")).unwrap();
    for index in 0..60 {
        file.write_all_at(&data(index as u32, 4096), index * 8192)
            .unwrap();
    }
    for len in [10, 400, 1000] {
        symlink("t".repeat(len), root.join(format!("link-{len}"))).unwrap();
    }
    let set = |name: &str, number: usize, len: usize| {
        let (path, name) = (root.join(name), format!("user.number-{number}"));
        lsetxattr(&path, &name, &data(number as u32, len), XattrFlags::empty()).unwrap();
    };
    (0..200).for_each(|number| set("holes", number, 30));
    set("few", 0, 3);
    set("some", 0, 3000);
    set("some", 1, 1000);
    run(
        &format!("mknod {} c 4 65", root.join("device").display()),
        &[],
    );
    run("setfacl -m u:1000:rwx", &[&root.join("few")]);
    run("sync -f", &[root]);
}

/// Directories of every size, and those of which most is gone.
fn directories(root: &Path) {
    for (name, count) in [
        ("some", 4_usize),
        ("block", 40),
        ("blocks", 300),
        ("tree", 9000),
    ] {
        let directory = root.join(name);
        fs::create_dir(&directory).unwrap();
        for number in 0..count {
            let padding = number * 37 % 90;
            let name = format!("{number:0>width$}", width = 6 + padding);
            File::create(directory.join(name)).unwrap();
        }
    }
    let directory = root.join("gaps");
    fs::create_dir(&directory).unwrap();
    let name = |number: usize| directory.join(format!("{number:0>100}"));
    (0..3000).for_each(|number| drop(File::create(name(number)).unwrap()));
    let gone = (0..3000).filter(|number| number % 700 != 3);
    gone.for_each(|number| fs::remove_file(name(number)).unwrap());
    for len in [1, 2, 254, 255] {
        fs::write(root.join("\u{1}".repeat(len)), "name").unwrap();
    }
}

/// Fragments, room without data, and data behind the end of what was written.
fn files(root: &Path) {
    let file = File::create(root.join("backwards")).unwrap();
    for index in (0..300_u64).rev() {
        let bytes = data(index as u32, 4096);
        file.write_all_at(&bytes, index * 8192).unwrap();
        if index % 16 == 0 {
            file.sync_data().unwrap();
        }
    }
    let reserved = root.join("reserved");
    run("fallocate -l 3MiB", &[&reserved]);
    let file = File::options().write(true).open(&reserved).unwrap();
    file.write_all_at(b"in the middle", 1 << 20).unwrap();
    let kept = root.join("kept");
    fs::write(&kept, data(1, 10_000)).unwrap();
    run("fallocate --keep-size -l 4MiB", &[&kept]);
    let punched = root.join("punched");
    fs::write(&punched, data(2, 200_000)).unwrap();
    run("fallocate --punch-hole -o 4096 -l 40960", &[&punched]);
    run("fallocate --zero-range -o 65536 -l 40960", &[&punched]);
    File::create(root.join("all-hole"))
        .unwrap()
        .set_len(5 << 30)
        .unwrap();
    let far = File::create(root.join("at-the-end")).unwrap();
    far.write_all_at(b"x", (1 << 40) - 1).unwrap();
    fs::write(root.join("same"), vec![b's'; 1 << 20]).unwrap();
    for (name, seconds, nanoseconds) in [
        ("early", -2_000_000_000_i64, 1),
        ("late", 4_000_000_000, 999_999_999),
    ] {
        let path = root.join(name);
        let file = File::create(&path).unwrap();
        let seconds_only = Duration::from_secs(seconds.unsigned_abs());
        let time = match seconds < 0 {
            true => SystemTime::UNIX_EPOCH - seconds_only,
            false => SystemTime::UNIX_EPOCH + seconds_only,
        };
        file.set_modified(time + Duration::from_nanos(nanoseconds))
            .unwrap();
    }
}

/// Targets of all lengths around what an inode or block holds, and many names for one file.
fn links(root: &Path, limits: Limits) {
    fs::create_dir(root.join("links")).unwrap();
    for len in (1..limits.target).filter(|len| len % 61 < 3) {
        symlink("t".repeat(len), root.join(format!("links/{len}"))).unwrap();
    }
    symlink("e".repeat(limits.target), root.join("links/longest")).unwrap();
    fs::write(root.join("links/file"), "many names").unwrap();
    for number in 0..100 {
        let name = format!("links/name-{number:0>120}");
        fs::hard_link(root.join("links/file"), root.join(name)).unwrap();
    }
}

/// One and many, short and long, in all namespaces; ACLs.
fn attributes(root: &Path, limits: Limits) {
    use rustix::fs::{XattrFlags, lsetxattr};
    let directory = root.join("attributes");
    fs::create_dir(&directory).unwrap();
    let (longest, all) = limits.xattr;
    for (count, len) in [
        (1, 0),
        (1, 1),
        (3, 20),
        (10, 200),
        (40, 250),
        (700, 30),
        (3, 1500),
        (2, longest),
    ] {
        let path = directory.join(format!("{count}-of-{len}"));
        fs::write(&path, "with attributes").unwrap();
        let mut left = all;
        for number in 0..count {
            let name = format!("user.number-{number}");
            let taken = name.len() + len + 50;
            if taken > left {
                break;
            }
            left -= taken;
            lsetxattr(&path, &name, &data(number as u32, len), XattrFlags::empty()).unwrap();
        }
    }
    for (name, value) in [
        ("trusted.own", "t"),
        ("security.selinux", "system_u:object_r:bin_t:s0\0"),
    ] {
        for path in ["attributes", "short", "fifo", "attributes/3-of-20"] {
            lsetxattr(root.join(path), name, value.as_bytes(), XattrFlags::empty()).unwrap();
        }
    }
    run(
        "setfacl -m u:1000:rwx,g:7:r-x,m::r-x",
        &[&directory.join("1-of-1")],
    );
    run("setfacl -d -m u:1000:rwx,g:7:r-x", &[&directory]);
}

fn devices(root: &Path) {
    for (name, numbers) in [
        ("c", "c 4 65"),
        ("b", "b 253 70000"),
        ("large", "c 500 200000"),
    ] {
        run(
            &format!("mknod {} {numbers}", root.join(name).display()),
            &[],
        );
    }
    let socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    drop(socket);
    run("chown 1234567:7654321", &[&root.join("dir/1")]);
    fs::set_permissions(root.join("dir"), fs::Permissions::from_mode(0o3711)).unwrap();
    let names = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    assert!(names.map(|name| name.as_bytes().len()).max() == Some(255));
    assert_eq!(fs::metadata(root.join("links/file")).unwrap().nlink(), 101);
}
