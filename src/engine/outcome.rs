//! What came of a run.

use std::time::Duration;

use disklayout::Bytes;
use disklayout::archive::Facts;
use disklayout::fs::Summary;
use disklayout::layout::DiskPlan;
use disklayout::tree::{FileTree, NodeKind};

use super::plan::Decided;

/// One image that is in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its file name.
    pub image: String,
    /// Its size.
    pub size: Bytes,
    /// How much of it the filesystem stores; the rest are holes.
    pub allocated: Bytes,
    /// What is in it.
    pub content: Content,
    /// What is known of it since it was written, such as its digest: names and values.
    pub facts: Facts,
}

/// So many files and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many files.
    pub files: u64,
    /// How many bytes are in them, holes left out.
    pub bytes: u64,
}

impl Amount {
    /// What is in all of these trees.
    fn of<'a>(trees: impl IntoIterator<Item = &'a FileTree>) -> Self {
        let mut all = Self::default();
        for (_, node) in trees.into_iter().flat_map(FileTree::nodes) {
            if let NodeKind::File(content) = &node.kind {
                all.files += 1;
                all.bytes += content.data_len();
            }
        }
        all
    }

    /// So many times as much.
    pub(super) const fn times(self, count: u64) -> Self {
        Self {
            files: self.files * count,
            bytes: self.bytes * count,
        }
    }
}

/// The numbers of an image's content, over all of its filesystems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The files and their bytes.
    pub files: Amount,
    /// What is free, where every filesystem tells it.
    pub free: Option<Bytes>,
    /// How many inodes there are, where every filesystem tells it.
    pub inodes: Option<u64>,
    /// How many of them are free.
    pub free_inodes: Option<u64>,
}

impl Content {
    /// What is in `plan`: on the disk, or in the archive where there is none.
    pub(super) fn of(plan: &Decided) -> Self {
        match (&plan.disk, plan.archives().next()) {
            (Some(disk), _) => Self::of_disk(disk),
            (None, Some(archive)) => Self {
                files: Amount::of([archive.tree()]),
                ..Self::default()
            },
            (None, None) => Self::default(),
        }
    }

    fn of_disk(plan: &DiskPlan) -> Self {
        let filesystems: Vec<_> = plan.filesystems().collect();
        let summaries: Vec<_> = filesystems.iter().map(|one| one.summary()).collect();
        let sum = |part: fn(&Summary) -> Option<u64>| summaries.iter().map(part).sum();
        let files = Amount::of(filesystems.iter().map(|one| one.tree()));
        let free: Option<u64> = sum(|it| Some(it.free_blocks? * u64::from(it.block_size)));
        Self {
            files,
            free: free.map(Bytes::new),
            inodes: sum(|it| it.inodes),
            free_inodes: sum(|it| it.free_inodes),
        }
    }
}

/// One cause, and every image that isn't built because of it.
#[derive(Debug)]
pub struct Failure {
    /// The file names in the expected order; at least one.
    pub images: Vec<String>,
    /// Why.
    pub error: anyhow::Error,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The images that are in their place, in the expected order.
    pub built: Vec<Built>,
    /// Why others aren't, in the order of the first image that each stopped.
    pub failed: Vec<Failure>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Why one image wasn't built.
#[derive(Debug)]
pub(super) enum Cause {
    /// There was no room for it.
    DiskFull(anyhow::Error),
    /// Another image had filled the disk before this one was begun.
    NotTried,
    /// Anything else.
    Other(anyhow::Error),
}

impl Cause {
    /// The same cause for each of `count` images.
    pub(super) fn for_each_of<T>(self, count: usize) -> Vec<Result<T, Self>> {
        let text = match &self {
            Self::DiskFull(_) | Self::NotTried => None,
            Self::Other(error) => Some(format!("{error:#}")),
        };
        let other = || match &text {
            Some(text) => Self::Other(anyhow::anyhow!("{text}")),
            // The first one tells how full it is.
            None => Self::NotTried,
        };
        let others = (1..count).map(|_| Err(other())).collect::<Vec<_>>();
        std::iter::once(Err(self)).chain(others).collect()
    }
}

impl Outcome {
    /// Whether every image is in its place.
    pub fn is_success(&self) -> bool {
        self.failed.is_empty()
    }

    /// How many images aren't built.
    pub fn failed_images(&self) -> usize {
        self.failed.iter().map(|failure| failure.images.len()).sum()
    }

    /// Sums up what came of each image. Images with the same cause share one failure: those that
    /// a full disk stopped, and those whose errors read the same.
    pub(super) fn sum_up(results: Vec<(String, Result<Built, Cause>)>, elapsed: Duration) -> Self {
        let mut built = Vec::new();
        let mut groups: Vec<Group> = Vec::new();
        for (image, result) in results {
            match result {
                Ok(image) => built.push(image),
                Err(cause) => Group::add(&mut groups, image, cause),
            }
        }
        let failed = groups.into_iter().map(Group::into_failure).collect();
        Self {
            built,
            failed,
            elapsed,
        }
    }
}

/// Images with the same cause; the error is missing as long as none of them was tried.
#[derive(Debug)]
struct Group {
    key: Key,
    images: Vec<String>,
    error: Option<anyhow::Error>,
}

#[derive(Debug, PartialEq, Eq)]
enum Key {
    DiskFull,
    Text(String),
}

impl Group {
    fn add(groups: &mut Vec<Self>, image: String, cause: Cause) {
        let (key, error) = match cause {
            Cause::DiskFull(error) => (Key::DiskFull, Some(error)),
            Cause::NotTried => (Key::DiskFull, None),
            Cause::Other(error) => (Key::Text(format!("{error:#}")), Some(error)),
        };
        if let Some(group) = groups.iter_mut().find(|group| group.key == key) {
            group.images.push(image);
            group.error = group.error.take().or(error);
        } else {
            groups.push(Self {
                key,
                images: vec![image],
                error,
            });
        }
    }

    fn into_failure(self) -> Failure {
        Failure {
            images: self.images,
            error: self
                .error
                .unwrap_or_else(|| anyhow::anyhow!("no space is left")),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn every_image_is_counted_and_every_cause_is_told_once() {
        let built = |name: &str| Built {
            image: name.into(),
            size: Bytes::new(1024),
            allocated: Bytes::new(512),
            content: Content::default(),
            facts: Facts::new(),
        };
        let refused = || Cause::Other(anyhow!("refused").context("server"));
        let results = vec![
            ("a".to_owned(), Ok(built("a"))),
            ("b".to_owned(), Err(Cause::NotTried)),
            ("c".to_owned(), Err(refused())),
            ("d".to_owned(), Err(Cause::DiskFull(anyhow!("full at d")))),
            ("e".to_owned(), Err(Cause::DiskFull(anyhow!("full at e")))),
            ("f".to_owned(), Err(refused())),
            ("g".to_owned(), Err(Cause::Other(anyhow!("something else")))),
            ("h".to_owned(), Ok(built("h"))),
        ];
        let outcome = Outcome::sum_up(results, Duration::ZERO);
        assert_eq!(outcome.built, [built("a"), built("h")]);
        assert_eq!(outcome.failed_images(), 6);
        let failed: Vec<_> = outcome
            .failed
            .iter()
            .map(|failure| (failure.images.join(" "), format!("{:#}", failure.error)))
            .collect();
        let expected = [
            ("b d e", "full at d"),
            ("c f", "server: refused"),
            ("g", "something else"),
        ];
        assert_eq!(
            failed,
            expected.map(|(images, text)| (images.into(), text.into()))
        );
    }
}
