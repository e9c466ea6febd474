//! A build in which everything is decided that can be before there is a tree.

mod disk;
mod sizes;
#[cfg(test)]
mod tests;
mod told;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use disklayout::fs::Misfits;
use disklayout::{Bytes, Timestamp};

use super::block::Configuration;
use super::breaks::Breaks;
use super::elements::{Element, Library};
use super::environment::Environment;
use super::hooks::Hooks;
use super::outputs::{Output, outputs};
use super::parts::{PATTERN, Parts};
use super::request::Request;
use super::size::Size;
use super::variables;
use crate::checksum::Algorithm;

/// The element that makes ramdisks where none is named, and the one that every image gets.
const RAMDISK: &str = "ramdisk";
const BASE: &str = "base";

/// The element that keeps a build from having an image.
const NO_IMAGE: &str = "no-final-image";

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
    /// Which files of a phase are its scripts.
    pub scripts: Parts,
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
    /// How much memory has to be free for a tree in it.
    pub least_memory: Bytes,
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
        let configuration = disk::configuration(
            request,
            &environment,
            &elements,
            &arch,
            &disk::block_settings(request, &environment, &name, host, misfits)?,
        )?;
        warnings.extend(configuration.warnings.iter().map(ToString::to_string));
        let size = sizes::size(request, &environment, &elements, &configuration)?;
        let checksums = checksums(request, &environment)?;
        let has_image = !request.is_ramdisk && !elements.iter().any(|it| it.name == NO_IMAGE);
        let outputs = match has_image {
            true => outputs(&types, request, &name, &checksums).map_err(|error| anyhow!(error))?,
            false => Vec::new(),
        };
        let install_type = request.install_type.as_deref();
        let install_type = install_type.or(environment.text("DIB_DEFAULT_INSTALLTYPE"));
        let install_type = install_type.unwrap_or("source").to_owned();
        told::tell(&mut environment, request, host);
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
        let least_gib = sizes::number(&environment, "DIB_MIN_TMPFS")?.unwrap_or(0);
        Ok(Self {
            hooks,
            scripts: Parts::scripts(environment.text(PATTERN))?,
            least_memory: Bytes::new(least_gib.saturating_mul(Bytes::GIB)),
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

fn checksums(request: &Request, environment: &Environment) -> Result<Vec<Algorithm>> {
    let asked = environment.text("DIB_CHECKSUM").unwrap_or("0");
    let all = request.has_checksums || asked == "1";
    let is_asked = |one: &Algorithm| all || asked.contains(one.name());
    let found: Vec<_> = Algorithm::ALL.into_iter().filter(is_asked).collect();
    if found.is_empty() && asked != "0" {
        bail!(
            "DIB_CHECKSUM is '{asked}', which names no sum: there are md5, sha256, 1 for both and 0"
        );
    }
    Ok(found)
}
