//! Swap space held against mkswap of util-linux byte by byte, and used by the kernel.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use disklayout::disk::SparseFile;
use disklayout::fs::{FsPlan, Registry, Request, Unwatched};
use disklayout::{Bytes, Error, Identity, Timestamp};
use testkit::checkers::blkid_value;
use testkit::log::{accepted, not_run};
use testkit::mount::LoopDevice;
use testkit::program::{arguments, run};
use testkit::root::is_root;
use testkit::scratch::Scratch;

const PAGE: u64 = 4096;
const UUID: &str = "8d5f3a52-6c1e-4c5a-9a25-30b5f0a1c7de";

fn plan(
    kind: &str,
    size: u64,
    page_size: u64,
    label: Option<&str>,
) -> Result<Box<dyn FsPlan>, Error> {
    let identity = Identity::new("test", Timestamp::default());
    let mut request = Request::new("parts[0]", kind, identity);
    request.label = label;
    request.uuid = Some(UUID.parse().unwrap());
    if page_size != PAGE {
        request.options.set("page-size", page_size);
    }
    Registry::native().draft(request)?.at(Bytes::new(size))
}

fn write(plan: &dyn FsPlan, size: u64, path: &Path) {
    let disk = SparseFile::create(File::create(path).unwrap(), size).unwrap();
    plan.write_all(&disk, &Unwatched).unwrap();
}

fn mkswap(size: u64, page_size: u64, label: Option<&str>, path: &Path) -> Result<(), String> {
    File::create(path).unwrap().set_len(size).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    let page_size = page_size.to_string();
    let mut arguments = vec!["-q", "-U", UUID, "-p", &page_size];
    arguments.extend(label.iter().flat_map(|label| ["-L", label]));
    let mut arguments: Vec<_> = arguments.into_iter().map(OsStr::new).collect();
    arguments.push(path.as_os_str());
    run("mkswap", &arguments).map(drop)
}

/// Where two images differ: behind the first 64 KiB both are one hole.
fn difference(one: &Path, other: &Path) -> Option<u64> {
    let start = |path: &Path| {
        let file = File::open(path).unwrap();
        let mut bytes = vec![0; file.metadata().unwrap().len().min(65_536) as usize];
        file.read_exact_at(&mut bytes, 0).unwrap();
        let end = bytes.len() as u64;
        // Nothing is written there.
        let data = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(end));
        assert_eq!(data, Err(rustix::io::Errno::NXIO), "{}", path.display());
        bytes
    };
    let (one, other) = (start(one), start(other));
    assert_eq!(one.len(), other.len());
    let differ = one.iter().zip(&other).position(|(one, other)| one != other);
    differ.map(|place| place as u64)
}

fn paths(scratch: &Scratch) -> (PathBuf, PathBuf) {
    let path = |name| scratch.path(name);
    (path("swap.img"), path("sample-mkswap.img"))
}

#[test]
fn every_byte_is_that_of_mkswap() {
    for (kind, size, page_size, label) in [
        ("swap", 10 * PAGE, PAGE, None),
        ("linux-swap", 10 * PAGE + 4095, PAGE, Some("x")),
        ("swap", 1 << 20, PAGE, Some("fifteen letters")),
        ("swap", (1 << 30) + 512, PAGE, Some("Größe")),
        ("swap", 1 << 40, PAGE, None),
        // The most whose pages have a number.
        ("swap", (1 << 44) - PAGE, PAGE, Some("large")),
        ("swap", 10 * 65_536, 65_536, Some("pages of 64 KiB")),
        ("swap", (1 << 30) + 65_535, 65_536, None),
        ("swap", 1 << 30, 16_384, None),
    ] {
        let scratch = Scratch::new();
        let (ours, theirs) = paths(&scratch);
        write(&*plan(kind, size, page_size, label).unwrap(), size, &ours);
        mkswap(size, page_size, label, &theirs).unwrap();
        assert_eq!(
            difference(&ours, &theirs),
            None,
            "{size} {page_size} {label:?}"
        );
    }
}

#[test]
fn a_difference_is_found() {
    let scratch = Scratch::new();
    let (ours, theirs) = paths(&scratch);
    write(
        &*plan("swap", 1 << 20, PAGE, Some("one")).unwrap(),
        1 << 20,
        &ours,
    );
    mkswap(1 << 20, PAGE, Some("two"), &theirs).unwrap();
    assert_eq!(difference(&ours, &theirs), Some(1052));
}

#[test]
fn what_mkswap_refuses_is_refused() {
    let scratch = Scratch::new();
    let (_, theirs) = paths(&scratch);
    for (size, page_size) in [(10 * PAGE - 1, PAGE), (9 * 65_536, 65_536)] {
        assert!(mkswap(size, page_size, None, &theirs).is_err());
        assert!(plan("swap", size, page_size, None).is_err());
    }
}

#[test]
fn others_see_label_and_uuid() {
    let scratch = Scratch::new();
    let (ours, _) = paths(&scratch);
    for (page_size, label) in [(PAGE, "sixteen letters!"), (65_536, "Größe")] {
        let plan = plan("swap", 4 << 20, page_size, Some(label)).unwrap();
        assert_eq!(plan.summary().label.as_deref(), Some(label));
        write(&*plan, 4 << 20, &ours);
        for (name, expected) in [("TYPE", "swap"), ("LABEL", label), ("UUID", UUID)] {
            assert_eq!(blkid_value(&ours, name), expected);
        }
        let said = run("swaplabel", &[&ours]).unwrap();
        assert!(said.contains(label) && said.contains(UUID), "{said}");
        accepted("swaplabel", &ours);
    }
}

/// Swap space that is in use, until the end of its scope.
struct On(LoopDevice);

impl Drop for On {
    fn drop(&mut self) {
        if let Err(said) = run("swapoff", &[&self.0.path]) {
            eprintln!("{said}");
        }
    }
}

/// Needs root, and a kernel that lets it: in most containers it doesn't.
#[test]
fn the_kernel_swaps_to_it() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let (ours, _) = paths(&scratch);
    let size = 4 << 20;
    write(
        &*plan("swap", size, PAGE, Some("used")).unwrap(),
        size,
        &ours,
    );
    let device = LoopDevice::new(&ours, "512");
    // After all that is there already, so that nothing is swapped to it.
    let said = run("swapon", &arguments(&["--priority", "-1"], &[&device.path]));
    let on = match said {
        Err(said) if said.contains("Operation not permitted") => {
            return not_run(&said);
        }
        said => said.map(|_| On(device)).unwrap(),
    };
    accepted("swapon", &ours);
    let swaps = fs::read_to_string("/proc/swaps").unwrap();
    let line = swaps
        .lines()
        .find(|line| line.starts_with(on.0.path.to_str().unwrap()));
    let kibibytes = line.unwrap().split_whitespace().nth(2).unwrap();
    assert_eq!(kibibytes, ((size - PAGE) / 1024).to_string());
}
