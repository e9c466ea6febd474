//! Every format that others read, with what can be chosen in it.

use std::path::Path;

use testkit::log::accepted_as;
use testkit::program::{arguments, run};

/// A format with some of its options.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) format: &'static str,
    pub(crate) options: &'static [(&'static str, &'static str)],
    /// Its name in QEMU, and what `qemu-img info` says of it.
    pub(crate) qemu: &'static str,
    pub(crate) said: &'static str,
    /// What its disks are a multiple of, and what is kept together.
    pub(crate) multiple: u64,
    pub(crate) unit: u64,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

const fn qcow2(
    options: &'static [(&'static str, &'static str)],
    unit: u64,
    said: &'static str,
) -> Kind {
    Kind {
        format: "qcow2",
        options,
        qemu: "qcow2",
        said,
        multiple: 512,
        unit,
    }
}

const fn vhd(options: &'static [(&'static str, &'static str)], unit: u64) -> Kind {
    Kind {
        format: "vhd",
        options,
        qemu: "vpc",
        said: "file format: vpc",
        multiple: MIB,
        unit,
    }
}

const fn vhdx(
    options: &'static [(&'static str, &'static str)],
    unit: u64,
    said: &'static str,
) -> Kind {
    Kind {
        format: "vhdx",
        options,
        qemu: "vhdx",
        said,
        multiple: 512,
        unit,
    }
}

const fn vmdk(options: &'static [(&'static str, &'static str)], said: &'static str) -> Kind {
    Kind {
        format: "vmdk",
        options,
        qemu: "vmdk",
        said,
        multiple: 512,
        unit: 64 * KIB,
    }
}

pub(crate) const KINDS: &[Kind] = &[
    qcow2(&[], 64 * KIB, "compat: 1.1"),
    qcow2(
        &[("compression_type", "zlib")],
        64 * KIB,
        "compression type: zlib",
    ),
    qcow2(
        &[("compression_type", "zstd")],
        64 * KIB,
        "compression type: zstd",
    ),
    qcow2(&[("cluster_size", "512")], 512, "cluster_size: 512"),
    qcow2(
        &[("cluster_size", "2M"), ("compression_type", "zstd")],
        2 * MIB,
        "cluster_size: 2097152",
    ),
    qcow2(
        &[("cluster_size", "4K"), ("compression_type", "zlib")],
        4 * KIB,
        "cluster_size: 4096",
    ),
    qcow2(&[("compat", "0.10")], 64 * KIB, "compat: 0.10"),
    qcow2(
        &[("compat", "0.10"), ("compression_type", "zlib")],
        64 * KIB,
        "compat: 0.10",
    ),
    qcow2(
        &[("lazy_refcounts", "on")],
        64 * KIB,
        "lazy refcounts: true",
    ),
    qcow2(&[("extended_l2", "on")], 64 * KIB, "extended l2: true"),
    qcow2(
        &[("extended_l2", "on"), ("compression_type", "zstd")],
        64 * KIB,
        "extended l2: true",
    ),
    vhd(&[], 2 * MIB),
    vhd(&[("block_size", "512K")], 512 * KIB),
    vhd(&[("subformat", "fixed")], MIB),
    vhdx(&[], MIB, "cluster_size: 1048576"),
    vhdx(&[("block_size", "8M")], 8 * MIB, "cluster_size: 8388608"),
    vhdx(
        &[("subformat", "fixed"), ("block_size", "2M")],
        2 * MIB,
        "file format: vhdx",
    ),
    vhdx(&[("log_size", "3M")], MIB, "file format: vhdx"),
    Kind {
        format: "vdi",
        options: &[],
        qemu: "vdi",
        said: "file format: vdi",
        multiple: 512,
        unit: MIB,
    },
    vmdk(&[], "create type: monolithicSparse"),
    vmdk(&[("adapter_type", "lsilogic")], "file format: vmdk"),
    vmdk(
        &[("subformat", "streamOptimized")],
        "create type: streamOptimized",
    ),
    vmdk(
        &[("subformat", "streamOptimized"), ("compression_level", "1")],
        "create type: streamOptimized",
    ),
];

impl Kind {
    /// Makes sure that QEMU finds the image sound and the same as the disk in `raw`.
    pub(crate) fn check(&self, image: &Path, raw: &Path) {
        let format = self.qemu;
        if !["vpc"].contains(&format) {
            run("qemu-img", &arguments(&["check", "-f", format], &[image])).unwrap();
        }
        let info = run("qemu-img", &arguments(&["info", "-f", format], &[image])).unwrap();
        assert!(info.contains(self.said), "{}: {info}", self.said);
        let size = format!("({} bytes)", raw.metadata().unwrap().len());
        assert!(info.contains(&size), "{size}: {info}");
        let compare = ["compare", "-f", format, "-F", "raw"];
        run("qemu-img", &arguments(&compare, &[image, raw])).unwrap();
        let options: Vec<_> = self
            .options
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        accepted_as(
            "qemu-img",
            &format!("{} {} of {size}", self.format, options.join(",")),
        );
    }
}
