//! Files of `diskimage-builder`: lists of images, of which each becomes a command of `disk-image-create`
//! or of `ramdisk-image-create`.

#[cfg(test)]
mod cases;
mod given;
mod keys;

use crate::config::{ConfigError, Document, Findings, Place, Problem, Value, advice};
use given::Given;
use keys::{ALL, ELEMENTS, ENVIRONMENT, IMAGE_NAME, Key, RAMDISK};

/// The name of images before the first that has one.
const USUAL_NAME: &str = "image";

/// An image, and the command that builds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// What it is called.
    pub name: String,
    /// Whether a ramdisk is made.
    pub is_ramdisk: bool,
    /// Variables that the command has beside those of the environment.
    pub environment: Vec<(String, String)>,
    /// The words of the command.
    pub words: Vec<String>,
}

/// What files describe.
#[derive(Clone, Debug)]
pub struct Builds {
    /// The images, in the order in which they are named first.
    pub all: Vec<Build>,
    /// What is doubtful but does no harm.
    pub warnings: Vec<Problem>,
}

/// The keys that an image may have.
pub fn key_names() -> Vec<&'static str> {
    ALL.iter().map(|key| key.name).collect()
}

/// Reads the images of all files. Those of one name are one image; without a name it is the one before.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn read(documents: &[Document]) -> Result<Builds, ConfigError> {
    let mut findings = Findings::default();
    let mut images: Vec<Image> = Vec::new();
    let mut name = USUAL_NAME.to_owned();
    for document in documents {
        let root = document.root();
        let Some(entries) = root.list("images", &mut findings) else {
            continue;
        };
        for entry in &entries {
            let Some(image) = Image::read(entry, &name, &mut findings) else {
                continue;
            };
            name.clone_from(&image.name);
            match images.iter_mut().find(|known| known.name == name) {
                Some(known) => known.add(image),
                None => images.push(image),
            }
        }
    }
    // Of what isn't read whole, nothing is known to be missing.
    if findings.errors.is_empty() {
        let builds: Vec<_> = images
            .iter()
            .filter_map(|image| image.build(&mut findings))
            .collect();
        if findings.errors.is_empty() {
            return Ok(Builds {
                all: builds,
                warnings: findings.warnings,
            });
        }
    }
    Err(ConfigError::new(findings.errors))
}

/// An image as it is described so far.
struct Image {
    name: String,
    /// Where it is described first.
    place: Place,
    /// Its keys, in any order.
    given: Vec<(&'static Key, Given)>,
}

impl Image {
    /// An entry of a list. It is called `usual` unless it says something else.
    fn read(entry: &Value<'_>, usual: &str, findings: &mut Findings) -> Option<Self> {
        let pairs = entry.entries("an object", findings)?;
        let mut image = Self {
            name: usual.to_owned(),
            place: entry.place().clone(),
            given: Vec::new(),
        };
        for (word, value) in &pairs {
            let Some(key) = ALL.iter().find(|key| key.name == *word) else {
                findings.refuse::<()>(value.place(), unknown(word));
                continue;
            };
            if let Some(given) = Given::read(key, value, findings) {
                if let (IMAGE_NAME, Given::Text(name)) = (key.name, &given) {
                    image.name.clone_from(name);
                }
                image.given.push((key, given));
            }
        }
        Some(image)
    }

    fn get(&self, name: &str) -> Option<&Given> {
        let found = self.given.iter().find(|(key, _)| key.name == name);
        found.map(|(_, given)| given)
    }

    /// Becomes what it is with what is said of it later.
    fn add(&mut self, later: Self) {
        for (key, given) in later.given {
            let known = self.given.iter_mut().find(|(it, _)| it.name == key.name);
            match known {
                Some((_, known)) => known.add(given),
                None => self.given.push((key, given)),
            }
        }
    }

    /// The command.
    fn build(&self, findings: &mut Findings) -> Option<Build> {
        let has_elements =
            matches!(self.get(ELEMENTS), Some(Given::List(words)) if !words.is_empty());
        if !has_elements {
            let message = format!(
                "the image '{}' has no elements: name at least one that provides an operating \
                 system in '{ELEMENTS}'",
                self.name
            );
            return findings.refuse(&self.place, message);
        }
        let environment = match self.get(ENVIRONMENT) {
            Some(Given::Map(pairs)) => pairs.clone(),
            _ => Vec::new(),
        };
        let words = ALL
            .iter()
            .filter_map(|key| Some((key, self.get(key.name)?)));
        Some(Build {
            name: self.name.clone(),
            is_ramdisk: self.get(RAMDISK) == Some(&Given::Flag(true)),
            environment,
            words: words.flat_map(|(key, given)| given.words(key)).collect(),
        })
    }
}

/// What is said of a key that isn't known.
fn unknown(word: &str) -> String {
    let known = key_names();
    let advice = advice(word, &known);
    format!("unknown key '{}': {advice}", word.escape_debug())
}
