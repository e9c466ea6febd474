//! What was looked at, and how it is.

use foreign::run::Packages;

use crate::image::Image;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// What it is: the name of a program, or a word.
    pub(super) name: String,
    /// How it is.
    pub(super) state: State,
    /// What is to be said of it.
    pub(super) text: String,
    /// The images that it is needed for, or that a remark is about.
    pub(super) images: Vec<String>,
    /// What brings it, where something does.
    pub(super) packages: Option<Packages>,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is as it should be.
    Ok,
    /// Images can be built, but this should be known.
    Remark,
    /// Images can't be built.
    Missing,
    /// No image needs it.
    Unneeded,
}

impl State {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Remark => "remark",
            Self::Missing => "missing",
            Self::Unneeded => "unneeded",
        }
    }
}

impl Check {
    fn new(name: &str, state: State, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            state,
            text: text.into(),
            images: vec![],
            packages: None,
        }
    }

    /// Something that is as it should be.
    pub(super) fn ok(name: &str, text: impl Into<String>) -> Self {
        Self::new(name, State::Ok, text)
    }

    /// Something that doesn't prevent anything.
    pub(super) fn remark(name: &str, text: impl Into<String>) -> Self {
        Self::new(name, State::Remark, text)
    }

    /// Something without which images can't be built.
    pub(super) fn missing(name: &str, text: impl Into<String>) -> Self {
        Self::new(name, State::Missing, text)
    }

    /// Something that no image needs.
    pub(super) fn unneeded(name: &str, text: impl Into<String>) -> Self {
        Self::new(name, State::Unneeded, text)
    }

    /// The same, for these images.
    pub(super) fn of(mut self, images: &[&Image]) -> Self {
        self.images = images.iter().map(|image| image.file_name.clone()).collect();
        self
    }

    /// The same, brought by `packages`.
    pub(super) fn with(mut self, packages: Packages) -> Self {
        self.packages = Some(packages);
        self
    }
}

/// One check for each different message, of all images that it is about.
pub(super) fn grouped<'a>(
    messages: &[(&'a Image, String)],
    check: impl Fn(&str) -> Check,
) -> Vec<Check> {
    let mut groups: Vec<(&str, Vec<&'a Image>)> = Vec::new();
    for (image, message) in messages {
        match groups.iter_mut().find(|(known, _)| known == message) {
            Some((_, images)) => images.push(image),
            None => groups.push((message, vec![image])),
        }
    }
    let groups = groups.iter();
    groups
        .map(|(message, images)| check(message).of(images))
        .collect()
}
