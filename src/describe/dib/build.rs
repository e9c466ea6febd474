//! A build in which everything is decided that can be before there is a tree.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use disklayout::fs::Misfits;
use disklayout::{Bytes, Timestamp};

use super::block::{self, Configuration, Root};
use super::breaks::Breaks;
use super::elements::{Element, Library};
use super::environment::Environment;
use super::hooks::Hooks;
use super::outputs::{Output, outputs};
use super::request::Request;
use super::size::Size;
use super::variables;
use crate::checksum::Algorithm;
use crate::config::yaml;

/// The element that makes ramdisks where none is named, and the one that every image gets.
const RAMDISK: &str = "ramdisk";
const BASE: &str = "base";

/// The element that keeps a build from having an image.
const NO_IMAGE: &str = "no-final-image";

/// A filesystem on the whole disk, for elements that have no configuration of it.
const BARE: &str = "\
- local_loop:
    name: image0
    mkfs:
      name: mkfs_root
      mount:
        mount_point: /
        fstab:
          options: defaults
          fsck-passno: 1
";

/// Directories of programs that root has, whether its user has them or not.
const SUPERUSER: [&str; 3] = ["/sbin", "/usr/sbin", "/usr/local/sbin"];

/// What has to be known of this machine.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// The architecture by Debian's name.
    pub arch: String,
    /// The elements of an installed diskimage-builder.
    pub elements: Option<PathBuf>,
    /// What its elements call: `$_LIB`.
    pub lib: Option<PathBuf>,
    /// The Python that has it.
    pub python: OsString,
    /// The words of the command line.
    pub arguments: String,
    /// The time of what has none of its own.
    pub time: Timestamp,
}

/// A build.
#[derive(Clone, Debug)]
pub struct Build {
    /// Its elements, sorted by name.
    pub elements: Vec<Element>,
    /// What they have for it.
    pub hooks: Hooks,
    /// The variables of its scripts that are known before there is a tree.
    pub environment: Environment,
    /// How elements install what they are for, unless their user says otherwise.
    pub install_type: String,
    /// The disks.
    pub configuration: Configuration,
    /// How large they are.
    pub size: Size,
    /// The name of the image, with the directory that it is in.
    pub name: String,
    /// What comes out of it.
    pub outputs: Vec<Output>,
    /// Packages that are installed behind the phase `install.d`.
    pub packages: Vec<String>,
    /// Where it stops.
    pub breaks: Breaks,
    /// Whether the image of a container goes to Docker or Podman.
    pub is_loaded: bool,
    /// The manifest of an image of App Container.
    pub manifest: Option<PathBuf>,
    /// Whether files that are there are replaced, and not renamed.
    pub overwrites: bool,
    /// What is doubtful but does no harm.
    pub warnings: Vec<String>,
}

impl Build {
    /// Decides what is asked for, by the variables of a user's `environment`.
    ///
    /// # Errors
    /// Whatever is wrong with elements, the configuration of the disk, sizes and types.
    pub fn new(
        request: &Request,
        environment: Environment,
        host: &Host,
        misfits: Misfits,
    ) -> Result<Self> {
        let mut environment = environment;
        let arch = request.arch.as_deref().or(environment.text("ARCH"));
        let arch = arch.unwrap_or(&host.arch).to_owned();
        let directories = directories(request, &environment, host);
        let library = Library::read(&directories)?;
        let wanted = wanted(request, &environment, &arch);
        let mut elements = library.expand(&wanted)?;
        elements.retain(|element| !request.excluded_elements.contains(&element.name));
        let mut warnings: Vec<_> = library.warnings(&elements).collect();
        let hooks = Hooks::merge(&elements)?.without(&request.excluded_scripts);
        let types = types(request, &environment);
        let name = image_name(request, &environment, &types)?;
        let configuration = configuration(
            request,
            &environment,
            &elements,
            &arch,
            &block_settings(request, &environment, &name, host, misfits)?,
        )?;
        warnings.extend(configuration.warnings.iter().map(ToString::to_string));
        let size = size(request, &environment, &elements, &configuration)?;
        let checksums = checksums(request, &environment);
        let has_image = !request.is_ramdisk && !elements.iter().any(|it| it.name == NO_IMAGE);
        let outputs = match has_image {
            true => outputs(&types, request, &name, &checksums).map_err(|error| anyhow!(error))?,
            false => Vec::new(),
        };
        let install_type = request.install_type.as_deref();
        let install_type = install_type.or(environment.text("DIB_DEFAULT_INSTALLTYPE"));
        let install_type = install_type.unwrap_or("source").to_owned();
        tell(&mut environment, request, host);
        environment.set("ARCH", &arch);
        environment.set("IMAGE_NAME", &name);
        environment.set("ELEMENTS_PATH", std::env::join_paths(&directories)?);
        for (symbol, variable) in [
            ("root-label", "DIB_ROOT_LABEL"),
            ("root-fstype", "DIB_ROOT_FSTYPE"),
            ("boot-label", "DIB_BOOT_LABEL"),
            ("mount-points", "DIB_MOUNTPOINTS"),
        ] {
            let value = configuration.values.get(symbol).unwrap_or_default();
            environment.set(variable, value);
        }
        variables::set(&mut environment, &elements);
        Ok(Self {
            hooks,
            install_type,
            configuration,
            size,
            name,
            outputs,
            packages: request.packages.clone(),
            breaks: Breaks::of(&environment),
            is_loaded: request.docker_target.is_some(),
            manifest: environment.text("ACI_MANIFEST").map(PathBuf::from),
            overwrites: environment.is_set("OVERWRITE_OLD_IMAGE"),
            warnings,
            elements: elements.into_iter().cloned().collect(),
            environment,
        })
    }
}

/// Where elements are: the earlier ones count.
fn directories(request: &Request, environment: &Environment, host: &Host) -> Vec<PathBuf> {
    let path = environment.raw("ELEMENTS_PATH").unwrap_or_default();
    let given = std::env::split_paths(path).filter(|it| !it.as_os_str().is_empty());
    let own = request.element_path.iter().cloned();
    own.chain(given).chain(host.elements.clone()).collect()
}

/// The elements that are asked for, and those that go without saying.
fn wanted(request: &Request, environment: &Environment, arch: &str) -> Vec<String> {
    let mut wanted = Vec::new();
    if request.is_ramdisk {
        let named = request.ramdisk_element.as_deref();
        let named = named.or(environment.text("RAMDISK_ELEMENT"));
        wanted.push(named.unwrap_or(RAMDISK).to_owned());
    }
    if !request.skips_base && !environment.is_set("SKIP_BASE") {
        wanted.push(BASE.to_owned());
    }
    wanted.extend(request.elements.iter().cloned());
    let has = |name: &str| wanted.iter().any(|it| it == name);
    let has_layout = wanted.iter().any(|it| it.starts_with("block-device-"));
    if has("vm") && !has_layout {
        let layout = match arch {
            "arm64" | "aarch64" => "block-device-efi",
            _ => "block-device-mbr",
        };
        wanted.push(layout.to_owned());
    }
    wanted
}

fn types(request: &Request, environment: &Environment) -> Vec<String> {
    match request.types.is_empty() {
        true => vec![environment.text("IMAGE_TYPE").unwrap_or("qcow2").to_owned()],
        false => request.types.clone(),
    }
}

/// The name of the image. One that ends in the only type is meant without it.
fn image_name(request: &Request, environment: &Environment, types: &[String]) -> Result<String> {
    let name = request.image_name.as_deref();
    let name = name.or(environment.text("IMAGE_NAME")).unwrap_or("image");
    let stem = match types {
        [only] => name.strip_suffix(&format!(".{only}")).unwrap_or(name),
        _ => name,
    };
    match stem.rsplit('/').next() {
        None | Some("" | "." | "..") => bail!("'{name}' is no name of an image: give one with -o"),
        Some(_) => Ok(stem.to_owned()),
    }
}

fn checksums(request: &Request, environment: &Environment) -> Vec<Algorithm> {
    let asked = environment.text("DIB_CHECKSUM").unwrap_or_default();
    let all = request.has_checksums || asked == "1";
    let is_asked = |one: &Algorithm| all || asked.contains(one.name());
    Algorithm::ALL.into_iter().filter(is_asked).collect()
}

fn block_settings(
    request: &Request,
    environment: &Environment,
    name: &str,
    host: &Host,
    misfits: Misfits,
) -> Result<block::Settings> {
    let text = |variable: &str| environment.text(variable).map(str::to_owned);
    let journal = match request.journal_size {
        Some(size) => Some(size),
        None => number(environment, "DIB_JOURNAL_SIZE")?,
    };
    let usual = Root::default();
    let root = Root {
        kind: request
            .fs_type
            .clone()
            .or_else(|| text("FS_TYPE"))
            .unwrap_or(usual.kind),
        label: request.root_label.clone().or_else(|| text("ROOT_LABEL")),
        options: request.mkfs_options.clone().unwrap_or_default(),
        journal: journal.unwrap_or(usual.journal),
        resize: request
            .max_online_resize
            .clone()
            .or_else(|| text("MAX_ONLINE_RESIZE")),
        without_checksums: environment.text("DIB_RELEASE") == Some("trusty"),
    };
    Ok(block::Settings {
        image_name: name.to_owned(),
        time: host.time,
        root,
        block_size: number(environment, "DIB_BLOCK_SIZE")?,
        misfits,
    })
}

/// A variable that is a whole number.
fn number(environment: &Environment, name: &str) -> Result<Option<u64>> {
    let Some(text) = environment.text(name) else {
        return Ok(None);
    };
    let number = text.trim().parse();
    let number = number.with_context(|| format!("{name} is '{text}', which is no whole number"))?;
    Ok(Some(number))
}

/// A variable that is a size in `units` of bytes: `2`, `1.5`.
fn sized(environment: &Environment, name: &str, unit: u64) -> Result<Option<Bytes>> {
    let Some(text) = environment.text(name) else {
        return Ok(None);
    };
    let wrong = || format!("{name} is '{text}', which is no size: give a number like 2 or 1.5");
    let number: f64 = text.trim().parse().with_context(wrong)?;
    // KiB, as diskimage-builder counts.
    let kib = (number * (unit >> 10) as f64).floor();
    if !(0.0..=(u64::MAX >> 11) as f64).contains(&kib) {
        bail!(wrong());
    }
    Ok(Some(Bytes::new((kib as u64) << 10)))
}

fn size(
    request: &Request,
    environment: &Environment,
    elements: &[&Element],
    configuration: &Configuration,
) -> Result<Size> {
    let mut names = elements.iter().map(|it| it.name.as_str());
    let has_esp = names.any(|name| name.contains("block-device-efi"));
    let has_journal = configuration.values.root_fstype == "ext4";
    Ok(Size {
        asked: match request.exact_size.or(request.image_size) {
            Some(size) => Some(size),
            None => sized(environment, "DIB_IMAGE_SIZE", 1 << 30)?,
        },
        extra: match request.image_extra_size {
            Some(size) => Some(size),
            None => sized(environment, "DIB_IMAGE_EXTRA_SIZE", 1 << 20)?,
        },
        journal: match has_journal {
            true => Bytes::new(configuration.root_journal() << 20),
            false => Bytes::new(0),
        },
        has_esp: request.exact_size.is_none() && has_esp,
    })
}

/// The configuration of the disks: that of the user, or else of an element.
fn configuration(
    request: &Request,
    environment: &Environment,
    elements: &[&Element],
    arch: &str,
    settings: &block::Settings,
) -> Result<Configuration> {
    const VARIABLE: &str = "DIB_BLOCK_DEVICE_CONFIG";
    let (text, name) = match environment.text(VARIABLE) {
        _ if request.is_ramdisk => (BARE.to_owned(), "the usual configuration".to_owned()),
        Some(given) => match given.strip_prefix("file://") {
            Some(path) => (read(path.as_ref())?, path.to_owned()),
            None => (given.to_owned(), VARIABLE.to_owned()),
        },
        None => match of_elements(elements, arch)? {
            Some(path) => (read(&path)?, path.display().to_string()),
            None => (BARE.to_owned(), "the usual configuration".to_owned()),
        },
    };
    let document = yaml::parse(&text, &name)?;
    Ok(block::read(&document, settings)?)
}

fn read(path: &std::path::Path) -> Result<String> {
    let shown = path.display();
    fs::read_to_string(path)
        .with_context(|| format!("can't read the configuration of the disk '{shown}'"))
}

/// The configuration that an element has for `arch`, or for all. One of them may have one.
fn of_elements(elements: &[&Element], arch: &str) -> Result<Option<PathBuf>> {
    let arch = match arch {
        "ppc64le" => "ppc64el",
        arch => arch,
    };
    let found = elements.iter().filter_map(|element| {
        let names = [
            format!("block-device-{arch}.yaml"),
            "block-device-default.yaml".to_owned(),
        ];
        let mut paths = names.map(|name| element.path.join(name)).into_iter();
        paths.find(|path| path.is_file())
    });
    match found.collect::<Vec<_>>().as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        [one, other, ..] => bail!(
            "both '{}' and '{}' are configurations of the disk: leave one of the elements out, or \
             give your own in DIB_BLOCK_DEVICE_CONFIG",
            one.display(),
            other.display()
        ),
    }
}

/// Tells scripts what the command line says, and what is usual.
fn tell(environment: &mut Environment, request: &Request, host: &Host) {
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
    environment.set("DIB_DEBUG_TRACE", (traced + request.trace).to_string());
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

#[cfg(test)]
mod tests;
