//! Volumes for disks with sectors of 4096 bytes: records and boot sectors of as many.

use std::fs;
use std::os::unix::fs::FileExt;

use super::*;
use crate::world::World;

const SECTOR: u64 = 4096;

fn wanted(size: u64) -> Wanted<'static> {
    Wanted {
        start: 256,
        sector_size: SectorSize::B4096,
        ..Wanted::of_size(size)
    }
}

/// The numbers of the volume are those that were planned, and its boot sector is that of the format.
fn assert_planned(volume: &Volume, wanted: &Wanted<'_>) {
    let planned = wanted.plan(Runner::from_env()).summary();
    let info = volume.text("ntfsinfo", &["-m"]);
    for line in [
        "Sector Size: 4096".to_owned(),
        "MFT Record Size: 4096".to_owned(),
        "Index Block Size: 4096".to_owned(),
        format!("Cluster Size: {}", planned.block_size),
        format!("Volume Size in Clusters: {}", planned.blocks),
    ] {
        let found = info.lines().any(|found| found.trim() == line);
        assert!(found, "{}: {line} is not in\n{info}", wanted.size);
    }
    let sectors = wanted.size / SECTOR - 1;
    assert_eq!(u16::from_le_bytes(volume.boot(0x0B)), 4096);
    assert_eq!(u32::from_le_bytes(volume.boot(0x1C)), 256);
    assert_eq!(u64::from_le_bytes(volume.boot(0x28)), sectors);
    let copy = volume.boot::<4096>(sectors * SECTOR);
    assert_eq!(volume.boot::<4096>(0), copy);
    assert_eq!(copy[510..512], [0x55, 0xAA]);
    assert_protected(volume, planned.block_size.into());
}

/// The first record of the master file table is protected every 512 bytes.
fn assert_protected(volume: &Volume, cluster: u64) {
    let table = u64::from_le_bytes(volume.boot(0x30)) * cluster;
    let record = volume.boot::<4096>(table);
    let at = usize::from(u16::from_le_bytes([record[4], record[5]]));
    assert_eq!(record[6..8], [9, 0]);
    for part in record.chunks(512) {
        assert_eq!(part[510..], record[at..at + 2]);
    }
}

#[test]
fn awkward_sizes_are_accepted_by_every_checker() {
    for size in [
        MIB + SECTOR,
        MIB + 2 * SECTOR + 512,
        2 * MIB - SECTOR,
        2 * MIB + SECTOR,
        4_206_592 + SECTOR,
        33 * MIB + 3 * SECTOR,
        200 * MIB + 2 * SECTOR,
        (3 << 30) - SECTOR,
        (2 << 40) + 3 * SECTOR,
    ] {
        for wanted in [wanted(size), wanted(size).file("/dir/file", b"content")] {
            let volume = wanted.build();
            assert_planned(&volume, &wanted);
        }
    }
}

#[test]
fn too_small_is_refused_with_the_smallest_size() {
    let plan = |size| {
        let draft = NtfsFormat::default().draft(Request {
            sector_size: SectorSize::B4096,
            ..Request::new("p", "ntfs", Identity::new("d", BUILT))
        });
        draft.unwrap().at(Bytes::new(size))
    };
    let error = plan(MIB + SECTOR - 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    assert!(error.message().contains(" 1052672 to "), "{error}");
    plan(MIB + SECTOR).unwrap();
}

/// Files in records, which are larger than those of small sectors, and in clusters; directories
/// with entries in their records, in a block and in a tree of blocks.
#[test]
fn files_and_directories_come_back() {
    let mut wanted = wanted(24 * MIB);
    for size in [0, 1, 1024, 3000, 3700, 3800, 4095, 4096, 4097, 3 << 20] {
        wanted = wanted.file(&format!("/file{size}"), &pattern(size));
    }
    for i in 0..150 {
        let content = pattern(if i % 10 == 0 { 5000 } else { 5 });
        wanted = wanted.file(&format!("/many/file number {i}"), &content);
    }
    for i in 0..30 {
        wanted = wanted.file(&format!("/many/sub {i}/leaf"), b"leaf");
        wanted = wanted.file(&format!("/top {i}/a/b/leaf"), b"leaf");
    }
    let volume = wanted.build();
    assert_planned(&volume, &wanted);
    let info = volume.text("ntfsinfo", &["-v", "-F", "/file3000"]);
    assert!(info.contains("Resident: \t\t Yes"), "{info}");
}

#[test]
fn the_same_input_gives_the_same_bytes_at_another_time() {
    let build = || {
        let mut wanted = wanted(16 * MIB).file("/big", &pattern(100_000));
        for i in 0..40 {
            wanted = wanted.file(&format!("/many/file number {i}"), &pattern(i * 150));
            wanted = wanted.file(&format!("/{i} in the root/file"), b"x");
        }
        wanted.build_unchecked().sha256()
    };
    let first = build();
    // Every time in the volume must differ if it comes from the clock.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(first, build());
}

/// What is found is enough for volumes of every shape.
#[test]
fn the_size_that_is_found_does() {
    let none = || wanted(0);
    let large = none().file("/large", &pattern(5 << 20));
    let small = (0..200).fold(none(), |wanted, i| {
        wanted.file(&format!("/{i}"), &pattern(4000))
    });
    let deep = (0..30).fold(none(), |wanted, i| {
        wanted.file(&format!("{}/f", format!("/d{i}").repeat(5)), b"")
    });
    for mut wanted in [none(), large, small, deep] {
        wanted.size = wanted.smallest(0);
        assert!(wanted.size.is_multiple_of(SECTOR));
        let volume = wanted.build_unchecked();
        let fixed = volume.text("ntfsfix", &["-n"]);
        assert!(fixed.contains("processed successfully"), "{fixed}");
    }
}

/// `make-fs` with and without a table: partitions start at 1 MiB, and a GPT ends with 5 sectors.
#[test]
fn make_fs_makes_it_in_every_table() {
    let world = World::new("", "", "");
    let source = world.root().join("source");
    fs::create_dir_all(source.join("dir")).unwrap();
    fs::write(source.join("dir/file"), "content").unwrap();
    let files = [("/dir/file".to_owned(), Content::inline(b"content"))];
    let mut tree = FileTree::new(WRITTEN);
    let attributes = Attributes::file(WRITTEN);
    tree.put_file("t", b"/dir/file", files[0].1.clone(), attributes)
        .unwrap();
    for (table, start, after) in [("none", 0, 0), ("mbr", 256, 0), ("gpt", 256, 5)] {
        let line = format!(
            "make-fs -t ntfs --lossy --sector-size 4096 -s 8M --partition={table} {} {table}.img",
            source.display()
        );
        world.run(&line).expect(0);
        let whole = fs::read(world.path(&format!("{table}.img"))).unwrap();
        let part = start * 4096..whole.len() - after * 4096;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(format!("ntfs-4096-{table}.img"));
        fs::write(&path, &whole[part]).unwrap();
        let volume = Volume { _dir: dir, path };
        volume.check(&files, &tree);
        assert_eq!(u32::from_le_bytes(volume.boot(0x1C)), start as u32);
    }
}

/// The checker must be able to fail.
#[test]
fn the_checker_sees_a_broken_copy_of_the_boot_sector() {
    let wanted = wanted(8 * MIB);
    let volume = wanted.build();
    let file = File::options().write(true).open(&volume.path).unwrap();
    file.write_all_at(&[0; 8], 8 * MIB - SECTOR).unwrap();
    let check =
        || std::panic::catch_unwind(|| volume.check(&wanted.files, &wanted.tree())).is_err();
    assert!(check());
}
