//! The images that a layout or an archive of `docker save` holds, and the one of them that is
//! meant: by a name or a digest, then by the platform.

use super::Choice;
use super::digest::Digest;
use super::document::{Config, Descriptor, Document, Saved};
use super::files::Files;
use super::platform::Platform;
use super::{INDEX_FILE, SAVED_FILE, reference};
use crate::error::Result;

/// Media types of indexes and manifests: OCI's and Docker's.
const INDEXES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFESTS: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
/// How deep indexes lie in each other.
const DEPTH_MAX: usize = 4;

/// An image, or what leads to several for different platforms.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) names: Vec<String>,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    /// In a layout.
    Described(Descriptor),
    /// In an archive of `docker save`.
    Saved(Saved),
}

impl Candidate {
    /// What tells it from others: the digest, or the path of the configuration.
    fn id(&self) -> &str {
        match &self.what {
            What::Described(descriptor) => &descriptor.digest,
            What::Saved(saved) => &saved.config,
        }
    }

    fn has_digest(&self, wanted: &Digest) -> bool {
        match &self.what {
            What::Described(descriptor) => descriptor.digest == wanted.to_string(),
            What::Saved(saved) => Digest::of_name(&saved.config).as_ref() == Some(wanted),
        }
    }

    fn shown(&self) -> String {
        match self.names.as_slice() {
            [] => self.id().to_owned(),
            names => format!("{} ({})", names.join(" = "), self.id()),
        }
    }
}

/// The image that is meant. Where the machine's platform decides, `notices` gets that.
pub(super) fn choose(
    files: &Files,
    choice: &Choice,
    notices: &mut Vec<String>,
) -> Result<Candidate> {
    let all = candidates(files, choice)?;
    let meant = named(files, &all, choice)?;
    let mut leaves = Vec::new();
    for candidate in meant {
        flatten(files, candidate, DEPTH_MAX, &mut leaves)?;
    }
    by_platform(files, leaves, choice, notices)
}

/// All images, each once with all of its names.
fn candidates(files: &Files, choice: &Choice) -> Result<Vec<Candidate>> {
    let index: Option<Document> = files.document(INDEX_FILE)?;
    let saved: Option<Vec<Saved>> = match (&index, files.find(SAVED_FILE)?) {
        // What lies beside an index only counts where it knows more.
        (Some(_), Some(section)) => {
            let bytes = files.bytes(SAVED_FILE, &section)?;
            serde_json::from_slice(&bytes).ok()
        }
        _ => files.document(SAVED_FILE)?,
    };
    let described = index
        .map(|index| of_index(files, INDEX_FILE, index))
        .transpose()?;
    let saved = saved.map(of_saved);
    let wants_name = choice
        .reference
        .as_deref()
        .is_some_and(|it| Digest::parse(it).is_err());
    let is_nameless = |all: &Vec<Candidate>| all.iter().all(|it| it.names.is_empty());
    let found = match (described, saved) {
        (Some(described), Some(saved)) if wants_name && is_nameless(&described) => saved,
        (Some(described), _) => described,
        (None, Some(saved)) => saved,
        (None, None) => {
            let message = format!("there is neither an '{INDEX_FILE}' nor a '{SAVED_FILE}'");
            return Err(files.corrupt(message));
        }
    };
    match found.is_empty() {
        true => Err(files.invalid("it holds no image")),
        false => Ok(found),
    }
}

fn of_saved(saved: Vec<Saved>) -> Vec<Candidate> {
    let all = saved.into_iter().map(|saved| Candidate {
        names: saved.repo_tags.clone().unwrap_or_default(),
        what: What::Saved(saved),
    });
    once_each(all)
}

fn of_index(files: &Files, what: &str, index: Document) -> Result<Vec<Candidate>> {
    check_version(files, what, &index)?;
    if index.layers.is_some() {
        return Err(files.invalid(format!("'{what}' is an index and a manifest at once")));
    }
    let Some(manifests) = index.manifests else {
        return Err(files.corrupt(format!("'{what}' is no index: it has no 'manifests'")));
    };
    let all = manifests.into_iter().filter(|it| !it.is_beside());
    Ok(once_each(all.map(|descriptor| Candidate {
        names: descriptor.names(),
        what: What::Described(descriptor),
    })))
}

fn once_each(all: impl Iterator<Item = Candidate>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for candidate in all {
        match found.iter_mut().find(|known| known.id() == candidate.id()) {
            Some(known) => known.names.extend(candidate.names),
            None => found.push(candidate),
        }
    }
    for candidate in &mut found {
        candidate.names.sort_unstable();
        candidate.names.dedup();
    }
    found
}

/// # Errors
/// `Unsupported` for what isn't of version 2.
pub(super) fn check_version(files: &Files, what: &str, document: &Document) -> Result<()> {
    if document.schema_version == 2 && document.fs_layers.is_none() {
        return Ok(());
    }
    let version = match document.fs_layers.is_some() {
        true => 1,
        false => document.schema_version,
    };
    Err(files.unsupported(format!(
        "'{what}' has schemaVersion {version}; only 2 is read: copy the image with skopeo, which \
         converts it"
    )))
}

/// Those of a name or a digest; without one those that differ in the platform only.
fn named(files: &Files, all: &[Candidate], choice: &Choice) -> Result<Vec<Candidate>> {
    let list = |all: &[Candidate]| {
        let shown: Vec<_> = all.iter().map(Candidate::shown).collect();
        shown.join(", ")
    };
    let option = choice.reference_option;
    let Some(wanted) = &choice.reference else {
        let is_one = all.iter().all(|candidate| candidate.names == all[0].names);
        return match is_one {
            true => Ok(all.to_vec()),
            false => Err(files.invalid(format!(
                "it holds several images; choose one with {option}: {}",
                list(all)
            ))),
        };
    };
    let found = match Digest::parse(wanted) {
        Ok(digest) => of_digest(files, all, &digest)?,
        Err(_) => {
            let found = reference::matching(all, |it| &it.names, wanted);
            found.into_iter().cloned().collect()
        }
    };
    let is_one = found
        .iter()
        .all(|candidate| candidate.names == found[0].names);
    let problem = match (found.is_empty(), is_one) {
        (true, _) => format!("it holds no image '{wanted}', but {}", list(all)),
        (_, false) => format!(
            "'{wanted}' means several images; choose one with {option}: {}",
            list(&found)
        ),
        _ => return Ok(found),
    };
    Err(files.invalid(problem))
}

/// The image of a digest, at the top or in an index below.
fn of_digest(files: &Files, all: &[Candidate], wanted: &Digest) -> Result<Vec<Candidate>> {
    let at_top = all.iter().find(|candidate| candidate.has_digest(wanted));
    if let Some(found) = at_top {
        return Ok(vec![found.clone()]);
    }
    let mut leaves = Vec::new();
    for candidate in all {
        flatten(files, candidate.clone(), DEPTH_MAX, &mut leaves)?;
    }
    let found = leaves.into_iter().find(|leaf| leaf.has_digest(wanted));
    Ok(found.into_iter().collect())
}

/// The images that a candidate leads to.
fn flatten(
    files: &Files,
    candidate: Candidate,
    depth: usize,
    leaves: &mut Vec<Candidate>,
) -> Result<()> {
    let descriptor = match &candidate.what {
        What::Described(descriptor) if !is_manifest(files, descriptor)? => descriptor,
        _ => {
            if !leaves.iter().any(|leaf| leaf.id() == candidate.id()) {
                leaves.push(candidate);
            }
            return Ok(());
        }
    };
    if depth == 0 {
        let message = format!(
            "index {} lies in more than {DEPTH_MAX} others",
            descriptor.digest
        );
        return Err(files.unsupported(message));
    }
    let (digest, index): (_, Document) = files.described("index", descriptor)?;
    for inner in of_index(files, &digest.to_string(), index)? {
        let names = candidate.names.clone();
        flatten(files, Candidate { names, ..inner }, depth - 1, leaves)?;
    }
    Ok(())
}

/// Whether a descriptor is of a manifest, and not of an index.
fn is_manifest(files: &Files, descriptor: &Descriptor) -> Result<bool> {
    let media_type = descriptor.media_type.as_str();
    match media_type {
        _ if MANIFESTS.contains(&media_type) => Ok(true),
        _ if INDEXES.contains(&media_type) => Ok(false),
        "" => {
            let (_, document): (_, Document) = files.described("manifest", descriptor)?;
            Ok(document.manifests.is_none())
        }
        _ if media_type.starts_with("application/vnd.docker.distribution.manifest.v1") => {
            Err(files.unsupported(format!(
                "the manifest {} is one of schemaVersion 1; only 2 is read: copy the image with \
                 skopeo, which converts it",
                descriptor.digest
            )))
        }
        other => Err(files.unsupported(format!(
            "{} is of the media type '{}', which is neither an index nor a manifest of an image",
            descriptor.digest,
            other.escape_debug()
        ))),
    }
}

/// An image for one platform.
struct Leaf {
    candidate: Candidate,
    platform: Option<Platform>,
}

/// The image for the platform that is asked for, or the only one there is, or that for this
/// machine.
fn by_platform(
    files: &Files,
    leaves: Vec<Candidate>,
    choice: &Choice,
    notices: &mut Vec<String>,
) -> Result<Candidate> {
    let mut present = Vec::new();
    for candidate in leaves {
        if is_present(files, &candidate)? {
            let platform = platform(files, &candidate)?;
            present.push(Leaf {
                candidate,
                platform,
            });
        }
    }
    let option = choice.platform_option;
    let shown = || {
        let all = present.iter().map(|leaf| match &leaf.platform {
            Some(platform) => format!("{platform} ({})", leaf.candidate.id()),
            None => leaf.candidate.id().to_owned(),
        });
        all.collect::<Vec<_>>().join(", ")
    };
    if present.is_empty() {
        return Err(files.corrupt("the manifests that its index names aren't in it"));
    }
    let (wanted, is_machine) = match &choice.platform {
        Some(wanted) => (Some(wanted), false),
        None if present.len() == 1 => return Ok(present[0].candidate.clone()),
        None => (choice.machine.as_ref(), true),
    };
    let found = wanted.and_then(|wanted| best(&present, wanted));
    let problem = match (found, wanted) {
        (Some(found), Some(wanted)) => {
            if is_machine {
                notices.push(format!(
                    "image '{}': took the one for {wanted}, as this machine is, of those for {}; \
                     {option} chooses another",
                    files.name(),
                    shown()
                ));
            }
            return Ok(present[found].candidate.clone());
        }
        (None, Some(wanted)) if !is_machine => {
            format!(
                "it holds no image for {wanted} ({option}), but for {}",
                shown()
            )
        }
        _ => format!(
            "it holds images for several platforms; choose one with {option}: {}",
            shown()
        ),
    };
    Err(files.invalid(problem))
}

/// The one for a platform: for exactly this, or else for the usual variant of the architecture, or
/// else for the only one.
fn best(leaves: &[Leaf], wanted: &Platform) -> Option<usize> {
    let of = |is_meant: &dyn Fn(&Platform) -> bool| {
        let indices = 0..leaves.len();
        let found = indices.filter(|&it| leaves[it].platform.as_ref().is_some_and(is_meant));
        found.collect::<Vec<_>>()
    };
    let exact = of(&|platform| platform == wanted);
    match exact.as_slice() {
        [only] => Some(*only),
        [] if wanted.is_usual() => match of(&|platform| platform.is_akin(wanted)).as_slice() {
            [only] => Some(*only),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the manifest is there: an index may name those for platforms that weren't copied.
fn is_present(files: &Files, candidate: &Candidate) -> Result<bool> {
    match &candidate.what {
        What::Saved(_) => Ok(true),
        What::Described(descriptor) => {
            let digest = files.digest("manifest", &descriptor.digest)?;
            Ok(files.find(&digest.path())?.is_some())
        }
    }
}

/// What an image runs on, as the index says it, or else its configuration.
fn platform(files: &Files, candidate: &Candidate) -> Result<Option<Platform>> {
    let config: Option<Config> = match &candidate.what {
        What::Saved(saved) => files.document(&saved.config)?,
        What::Described(descriptor) => {
            if let Some(platform) = descriptor.platform() {
                return Ok(Some(platform));
            }
            let (_, manifest): (_, Document) = files.described("manifest", descriptor)?;
            match &manifest.config {
                Some(config) if super::layers::is_config(&config.media_type) => {
                    Some(files.described("configuration", config)?.1)
                }
                _ => None,
            }
        }
    };
    Ok(config.and_then(|config| config.platform()))
}
