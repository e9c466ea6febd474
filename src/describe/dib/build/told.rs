//! What scripts of a build are told.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::Host;
use crate::describe::dib::environment::Environment;
use crate::describe::dib::request::Request;
use crate::describe::dib::variables;

/// Directories of programs that root has, whether its user has them or not.
const SUPERUSER: [&str; 3] = ["/sbin", "/usr/sbin", "/usr/local/sbin"];

/// Tells scripts what the command line says, and what is usual.
pub(super) fn tell(environment: &mut Environment, request: &Request, host: &Host) {
    let home = environment.raw("HOME").unwrap_or(OsStr::new("/root"));
    let below_home = |path: &str| PathBuf::from(home).join(path).into_os_string();
    let caches = [
        ("DIB_IMAGE_CACHE", below_home(".cache/image-create")),
        ("DIB_LOCKFILES", below_home(".cache/dib/lockfiles")),
    ];
    if let Some(cache) = &request.image_cache {
        environment.set("DIB_IMAGE_CACHE", cache);
    }
    for (name, value) in caches {
        environment.set_default(name, value);
    }
    let traced = environment.text("DIB_DEBUG_TRACE");
    let traced: u32 = traced.and_then(|it| it.parse().ok()).unwrap_or(0);
    environment.set(
        "DIB_DEBUG_TRACE",
        traced.saturating_add(request.trace).to_string(),
    );
    if request.is_offline || request.has_no_network {
        environment.set("DIB_OFFLINE", "1");
    }
    if request.has_no_tmpfs {
        environment.set("DIB_NO_TMPFS", "1");
    }
    if let Some(gib) = request.min_tmpfs {
        environment.set("DIB_MIN_TMPFS", gib.to_string());
    }
    if request.has_checksums {
        environment.set("DIB_CHECKSUM", "1");
    }
    if request.skips_base {
        environment.set("SKIP_BASE", "1");
    }
    if let Some(kind) = &request.install_type {
        environment.set("DIB_DEFAULT_INSTALLTYPE", kind);
    }
    if let Some(target) = &request.docker_target {
        environment.set("DOCKER_TARGET", target);
    }
    if let Some(kind) = &request.fs_type {
        environment.set("FS_TYPE", kind);
    }
    if let Some(element) = request
        .ramdisk_element
        .as_ref()
        .filter(|_| request.is_ramdisk)
    {
        environment.set("RAMDISK_ELEMENT", element);
    }
    environment.set("LC_ALL", "C");
    environment.set("DIB_PYTHON_EXEC", &host.python);
    let (no_tmpfs, min_tmpfs) = match request.is_ramdisk {
        true => ("1", "1"),
        false => ("0", "2"),
    };
    for (name, value) in [
        ("FS_TYPE", "ext4"),
        ("IMAGE_TYPE", "qcow2"),
        ("TMP_DIR", "/tmp"),
        ("DIB_CHECKSUM", "0"),
        ("DIB_OFFLINE", ""),
        ("DIB_NO_TMPFS", no_tmpfs),
        ("DIB_MIN_TMPFS", min_tmpfs),
    ] {
        environment.set_default(name, value);
    }
    if let Some(lib) = &host.lib {
        environment.set("_LIB", lib);
    }
    if request.is_ramdisk {
        // What ramdisks are made by, in the tree, ends where it asks for one of these in vain.
        if let Some(elements) = &host.elements {
            environment.set("_BASE_ELEMENT_DIR", elements);
        }
        for (name, value) in [
            ("TMP_IMAGE_PATH", "/tmp/ramdisk.new"),
            ("EXTRA_DETACH", ""),
            ("EXTRA_UNMOUNT", ""),
        ] {
            environment.set_default(name, value);
        }
    }
    environment.set("DIB_ARGS", &host.arguments);
    let told = variables::declared(environment, "DIB_");
    environment.set("DIB_ENV", told);
    environment.set("PATH", path(environment));
}

/// Where programs are: root's too.
fn path(environment: &Environment) -> OsString {
    let usual = OsStr::new("/usr/local/bin:/usr/bin:/bin");
    let path = environment.raw("PATH").unwrap_or(usual);
    let mut directories: Vec<_> = std::env::split_paths(path).collect();
    for directory in SUPERUSER.map(PathBuf::from) {
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    std::env::join_paths(directories).unwrap_or_else(|_| path.to_owned())
}
