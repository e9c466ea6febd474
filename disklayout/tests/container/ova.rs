//! Machines in archives, unpacked by tar and read by QEMU.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use disklayout::ErrorKind;
use disklayout::container::{Detail, Registry};
use testkit::log::accepted_as;
use testkit::program::{arguments, run};
use testkit::scratch::Scratch;

use crate::damage;
use crate::sample::{How, Sample};

const MIB: u64 = 1 << 20;
const HOW: How<'static> = How::new("ova", &[]);

/// Unpacks the files of a machine beside its archive, with the sums that its manifest tells; what tar
/// lists, as bsdtar and Python do.
fn extract(image: &Path) -> Vec<String> {
    let directory = image.parent().unwrap();
    let list = run("tar", &arguments(&["--list", "--file"], &[image])).unwrap();
    let others = [
        run("bsdtar", &arguments(&["-t", "-f"], &[image])).unwrap(),
        run("python3", &arguments(&["-m", "tarfile", "-l"], &[image])).unwrap(),
    ];
    let files: Vec<_> = list.lines().map(str::to_owned).collect();
    for other in others {
        let found: Vec<_> = other.lines().map(str::trim_end).collect();
        assert_eq!(found, files);
    }
    let unpacked = [directory, Path::new("--file"), image];
    run("tar", &arguments(&["--extract", "--directory"], &unpacked)).unwrap();
    // What sha256sum knows as lines with a tag.
    let is_manifest = |name: &&String| name.ends_with(".mf");
    let manifest = directory.join(files.iter().find(is_manifest).unwrap());
    let tagged = fs::read_to_string(&manifest).unwrap();
    let tagged = tagged.replace("SHA256(", "SHA256 (").replace(")= ", ") = ");
    fs::write(&manifest, tagged).unwrap();
    let script = format!(
        "cd '{}' && sha256sum --strict --check '{}'",
        directory.display(),
        manifest.display()
    );
    run("sh", &["-c", &script]).unwrap();
    files
}

/// Unpacks a machine, and has QEMU hold its disk against `raw`; what tar lists.
fn unpack(image: &Path, raw: &Path) -> Vec<String> {
    let files = extract(image);
    let is_disk = |name: &&String| name.ends_with(".vmdk");
    let disk = files.iter().find(is_disk).unwrap();
    let disk = image.parent().unwrap().join(disk);
    run("qemu-img", &arguments(&["check", "-f", "vmdk"], &[&disk])).unwrap();
    let compare = ["compare", "-f", "vmdk", "-F", "raw"];
    run("qemu-img", &arguments(&compare, &[&disk, raw])).unwrap();
    accepted_as(
        "qemu-img",
        &format!("{} bytes in an OVA", fs::metadata(raw).unwrap().len()),
    );
    files
}

/// What Python's parser finds in a descriptor, one thing a line.
fn facts(descriptor: &Path) -> String {
    let script = r"
import sys
import xml.etree.ElementTree as tree
ovf = '{http://schemas.dmtf.org/ovf/envelope/1}'
rasd = '{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}'
root = tree.parse(sys.argv[1]).getroot()
print(root.tag == ovf + 'Envelope')
print(root.find(f'{ovf}References/{ovf}File').attrib[ovf + 'size'])
print(root.find(f'{ovf}DiskSection/{ovf}Disk').attrib[ovf + 'capacity'])
system = root.find(f'{ovf}VirtualSystem')
print(system.find(ovf + 'Name').text)
for item in system.iter(ovf + 'Item'):
    words = [item.find(rasd + name) for name in ('ResourceType', 'ResourceSubType', 'VirtualQuantity')]
    print(*[word.text for word in words if word is not None])
for config in system.iter('{http://www.vmware.com/schema/ovf}Config'):
    print(*sorted(config.attrib.values()))
";
    run(
        "python3",
        &[&["-c", script][..], &[descriptor.to_str().unwrap()]].concat(),
    )
    .unwrap()
}

/// A sector, a grain less and more, an end of a table. QEMU opens no VMDK of nothing.
#[test]
fn sizes_at_bounds_are_the_raw_disk() {
    for size in [512, (64 << 10) - 512, 64 << 10, 32 * MIB + 512, 70 * MIB] {
        let scratch = Scratch::new();
        let image = scratch.path("a.ova");
        let sample = Sample::with_last_byte(size, size);
        let raw = sample.raw(&image);
        sample.image(&HOW, &image).unwrap();
        let files = unpack(&image, &raw);
        assert_eq!(files, ["disk.ovf", "disk.mf", "disk-disk1.vmdk"]);
        let len = fs::metadata(scratch.path("disk-disk1.vmdk")).unwrap().len();
        let facts = facts(&scratch.path("disk.ovf"));
        let expected =
            format!("True\n{len}\n{size}\ndisk\n3 2\n4 2048\n6 lsilogic\n17\n10 E1000\n");
        assert_eq!(facts, expected);
        let expected = fs::read(&raw).unwrap();
        let found = damage::read(&damage::load(&image))
            .unwrap()
            .expect("its own sign");
        assert!(found == expected[..found.len()], "{size}");
    }
}

#[test]
fn a_machine_is_as_it_was_described() {
    let scratch = Scratch::new();
    let image = scratch.path("a.ova");
    let how = How::new(
        "ova",
        &[
            ("name", "my machine"),
            ("memory", "1G"),
            ("cpus", "4"),
            ("firmware", "efi"),
            ("controller", "sata"),
            ("network_adapter", "vmxnet3"),
            ("network", "a & \"b\" <c>"),
            ("hwversion", "19"),
        ],
    );
    let sample = Sample::random(2, 3 * MIB);
    let raw = sample.raw(&image);
    sample.image(&how, &image).unwrap();
    let files = unpack(&image, &raw);
    assert_eq!(
        files,
        ["my machine.ovf", "my machine.mf", "my machine-disk1.vmdk"]
    );
    let found = facts(&scratch.path("my machine.ovf"));
    let (_, found) = found.split_once("my machine\n").unwrap();
    let expected = "3 4\n4 1024\n20 vmware.sata.ahci\n17\n10 VmxNet3\nefi false firmware\n";
    assert_eq!(found, expected);
}

#[test]
fn the_same_bytes_come_from_any_number_of_threads() {
    let scratch = Scratch::new();
    let image = scratch.path("a.ova");
    Sample::random(3, 40 * MIB).assert_same_by_any_threads(&HOW, &image);
}

/// Packs the unpacked files of a machine again: with records of times, of sizes, and of long names.
const PACK: &str = r"
import io, os, sys, tarfile
out, kind, *paths = sys.argv[1:]
form = tarfile.GNU_FORMAT if kind == 'gnu' else tarfile.PAX_FORMAT
with tarfile.open(out, 'w', format=form) as archive:
    for path in paths:
        data = open(path, 'rb').read()
        name = os.path.basename(path)
        member = tarfile.TarInfo(name if kind == 'times' else 'n' * 120 + name)
        member.size = len(data)
        member.mtime = 1.5 if kind == 'times' else 1
        if kind == 'sizes':
            # The field itself is zero then, as with 8 GiB and more.
            member.pax_headers = {'size': str(len(data))}
        archive.addfile(member, io.BytesIO(data))
";

#[test]
fn archives_that_others_packed_are_read() {
    let scratch = Scratch::new();
    let image = scratch.path("a.ova");
    let sample = Sample::random(6, 3 * MIB);
    let expected = fs::read(sample.raw(&image)).unwrap();
    sample.image(&HOW, &image).unwrap();
    let files = unpack(&image, &image.with_extension("raw"));
    let paths: Vec<_> = files.iter().map(|name| scratch.path(name)).collect();
    let other = scratch.path("b.ova");
    let directory = image.parent().unwrap();
    let check = |how: &str| {
        let found = damage::read(&damage::load(&other)).unwrap();
        assert!(found.as_ref() == Some(&expected), "{how}");
        accepted_as("disklayout", &format!("an OVA packed by {how}"));
    };
    let dotted: Vec<_> = files.iter().map(|name| format!("./{name}")).collect();
    for (program, format) in [
        ("tar", "gnu"),
        ("tar", "posix"),
        ("tar", "ustar"),
        ("bsdtar", "pax"),
        ("bsdtar", "ustar"),
    ] {
        let format = format!("--format={format}");
        let mut all = arguments(
            &["-c", &format, "-C"],
            &[directory, Path::new("-f"), &other],
        );
        all.extend(dotted.iter().map(OsStr::new));
        run(program, &all).unwrap();
        check(&format!("{program} {format}"));
    }
    for kind in ["times", "sizes", "gnu"] {
        let mut all = arguments(&["-c", PACK], &[&other, Path::new(kind)]);
        all.extend(paths.iter().map(|path| path.as_os_str()));
        run("python3", &all).unwrap();
        check(&format!("Python, {kind}"));
    }
}

/// Headers in front of headers without end, and longer than anybody reads.
#[test]
fn headers_in_front_are_bounded() {
    let scratch = Scratch::new();
    let archive = scratch.path("a.tar");
    let script = r"
import sys, tarfile
count, size = int(sys.argv[2]), int(sys.argv[3])
def header(name, kind, size):
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.USTAR_FORMAT)
with open(sys.argv[1], 'wb') as out:
    out.write(header('a.ovf', b'0', 0))
    for _ in range(count):
        out.write(header('x', b'x', size))
    out.write(header('a.vmdk', b'0', 0) + bytes(1024))
";
    for (count, size) in [("100000", "0"), ("1", "1000000000"), ("1", "8589934591")] {
        let texts = [Path::new(count), Path::new(size)];
        let all = arguments(&["-c", script], &[&archive, texts[0], texts[1]]);
        run("python3", &all).unwrap();
        let error = damage::refusal(&damage::load(&archive));
        assert!(error.to_string().contains("ova: it has no disk"), "{error}");
    }
}

/// Archives of anything else are no machines.
#[test]
fn other_archives_are_none() {
    let scratch = Scratch::new();
    let (file, archive) = (scratch.path("a.txt"), scratch.path("a.tar"));
    fs::write(&file, "text").unwrap();
    for format in ["--format=gnu", "--format=posix"] {
        let all = arguments(
            &["-c", format, "-C"],
            &[
                file.parent().unwrap(),
                Path::new("-f"),
                &archive,
                Path::new("a.txt"),
            ],
        );
        run("tar", &all).unwrap();
        assert!(damage::read(&damage::load(&archive)).unwrap().is_none());
    }
}

#[test]
fn a_machine_tells_its_name_and_its_disks() {
    let scratch = Scratch::new();
    let image = scratch.path("a.ova");
    let how = How::new("ova", &[("name", "my machine")]);
    Sample::random(7, MIB).image(&how, &image).unwrap();
    let formats = Registry::default();
    let ova = formats.format("ova").unwrap();
    let expected = [
        Detail::text("name", "my machine"),
        Detail::number("disks", 1),
    ];
    assert_eq!(ova.describe(&damage::load(&image)).unwrap(), expected);
}

/// Nothing, and as much as there can be: QEMU opens no VMDK of the one, nobody waits for a raw file of
/// the other.
#[test]
fn disks_without_data_are_whole_machines() {
    let scratch = Scratch::new();
    let image = scratch.path("a.ova");
    for size in [0, (2 << 40) - (4 << 30)] {
        let sample = Sample {
            size,
            ..Sample::default()
        };
        sample.image(&HOW, &image).unwrap();
        let files = extract(&image);
        let disk = scratch.path("disk-disk1.vmdk");
        assert_eq!(files, ["disk.ovf", "disk.mf", "disk-disk1.vmdk"]);
        let len = fs::metadata(&disk).unwrap().len();
        let found = facts(&scratch.path("disk.ovf"));
        assert!(
            found.starts_with(&format!("True\n{len}\n{size}\n")),
            "{found}"
        );
        if size > 0 {
            let info = run("qemu-img", &arguments(&["info", "-f", "vmdk"], &[&disk])).unwrap();
            assert!(info.contains(&format!("({size} bytes)")), "{info}");
        }
        let file = damage::load(&image);
        let formats = Registry::default();
        let (_, found) = formats.read(&file).unwrap().expect("its own sign");
        assert_eq!(found.len(), size);
        if size > 0 {
            let mut last = [1];
            found.read_at(&mut last, size - 1).unwrap();
            assert_eq!(last, [0]);
        }
    }
}

/// Every byte in front of the disk, and every end.
#[test]
fn what_is_damaged_is_refused_or_read_as_it_was() {
    let scratch = Scratch::new();
    let image = scratch.path("a.ova");
    let sample = Sample::random(4, 3 * MIB);
    let expected = fs::read(sample.raw(&image)).unwrap();
    sample.image(&HOW, &image).unwrap();
    let file = damage::load(&image);
    let judge = damage::same_or_refused(&expected);
    damage::flip(&file, 0..520, &judge);
    damage::cut(&file, &[0, 511, 512, 1024, 5000, 6000, 20_000], &judge);
    let descriptor = fs::read(&image).unwrap();
    let manifest = descriptor
        .windows(7)
        .position(|it| it == b"disk.mf")
        .unwrap() as u64;
    damage::change(&file, manifest + 124, |[_]| [0xFF]);
    let error = damage::refusal(&file);
    assert!(error.to_string().contains("ova: it has no disk"), "{error}");
}

#[test]
fn what_cannot_be_is_refused() {
    let scratch = Scratch::new();
    let image = scratch.path("a.ova");
    let sample = Sample {
        size: 3 << 40,
        ..Sample::default()
    };
    let error = sample.image(&HOW, &image).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DoesNotFit);
    assert!(error.to_string().contains("2044 GiB"), "{error}");
}
