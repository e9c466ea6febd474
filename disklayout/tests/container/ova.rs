//! Machines in archives, unpacked by tar and read by QEMU.

use std::fs;
use std::path::Path;

use disklayout::ErrorKind;
use testkit::log::accepted_as;
use testkit::program::{arguments, run};
use testkit::scratch::Scratch;

use crate::damage;
use crate::sample::{How, Sample};

const MIB: u64 = 1 << 20;
const HOW: How<'static> = How::new("ova", &[]);

/// Unpacks the files of a machine beside its archive, and has everything look at them that knows
/// them; what tar lists.
fn unpack(image: &Path, raw: &Path) -> Vec<String> {
    let directory = image.parent().unwrap();
    let list = run("tar", &arguments(&["--list", "--file"], &[image])).unwrap();
    let files: Vec<_> = list.lines().map(str::to_owned).collect();
    let extract = ["--extract", "--directory"];
    run(
        "tar",
        &[
            &arguments(&extract, &[directory])[..],
            &arguments(&["--file"], &[image]),
        ]
        .concat(),
    )
    .unwrap();
    let path = |end: &str| {
        let name = files.iter().find(|name| name.ends_with(end)).unwrap();
        directory.join(name)
    };
    let script = format!(
        "cd '{}' && sha256sum --strict --check *.mf",
        directory.display()
    );
    // What sha256sum knows as lines with a tag.
    let manifest = fs::read_to_string(path(".mf")).unwrap();
    let tagged = manifest
        .replace("SHA256(", "SHA256 (")
        .replace(")= ", ") = ");
    fs::write(path(".mf"), tagged).unwrap();
    run("sh", &["-c", &script]).unwrap();
    run(
        "qemu-img",
        &arguments(&["check", "-f", "vmdk"], &[&path(".vmdk")]),
    )
    .unwrap();
    let compare = ["compare", "-f", "vmdk", "-F", "raw"];
    run("qemu-img", &arguments(&compare, &[&path(".vmdk"), raw])).unwrap();
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
