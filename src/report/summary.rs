//! The end of a run in a few lines.

use std::collections::BTreeSet;
use std::time::Duration;

use disklayout::Bytes;
use indicatif::BinaryBytes;

use crate::engine::{Built, Failure, Note, Outcome};

/// What was built: one line, and another on what is in the image when there is only one. Nothing
/// when the only image failed: the error says it all.
pub(super) fn built(outcome: &Outcome) -> Vec<String> {
    if outcome.built.is_empty() && outcome.failed_images() == 1 {
        return Vec::new();
    }
    let mut lines = vec![totals(outcome)];
    if let ([built], []) = (&*outcome.built, &*outcome.failed) {
        lines.push(content(built, outcome.elapsed));
    }
    let facts = outcome.built.iter().flat_map(|built| {
        let facts = built.facts.iter();
        facts.map(move |(name, fact)| format!("{}: {name} {fact}", built.image))
    });
    lines.extend(facts);
    lines
}

/// What is in an image that took so long.
fn content(built: &Built, elapsed: Duration) -> String {
    let it = &built.content;
    let seconds = elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    let per_second = it.files.bytes as f64 / seconds;
    let mut text = format!(
        "{}: {} bytes, {} of them in {} files, {}/s",
        built.image,
        built.size.get(),
        it.files.bytes,
        it.files.files,
        BinaryBytes(per_second as u64),
    );
    if let Some(free) = it.free {
        text += &format!(", {} free", BinaryBytes(free.get()));
    }
    if let (Some(inodes), Some(free)) = (it.inodes, it.free_inodes) {
        text += &format!(", {} of {inodes} inodes used", inodes - free);
    }
    text
}

/// How much was built, in one sentence.
fn totals(outcome: &Outcome) -> String {
    let built = outcome.built.len();
    let all = built + outcome.failed_images();
    if all == 0 {
        return "Nothing to build".to_owned();
    }
    let sum = |part: fn(&crate::engine::Built) -> Bytes| {
        BinaryBytes(outcome.built.iter().map(|built| part(built).get()).sum())
    };
    let s = if all == 1 { "" } else { "s" };
    format!(
        "Built {built} of {all} image{s} in {:.2} s: {} allocated for {}",
        outcome.elapsed.as_secs_f64(),
        sum(|built| built.allocated),
        sum(|built| built.size),
    )
}

/// How many images are left to hosts of which architectures, given that of each image.
pub(super) fn left_to_others(arches: &[&str]) -> String {
    let several: BTreeSet<_> = arches.iter().copied().collect();
    let those = if several.len() == 1 {
        "that architecture"
    } else {
        "those architectures"
    };
    let names = several.into_iter().collect::<Vec<_>>().join(", ");
    let images = match arches.len() {
        1 => "1 image".to_owned(),
        count => format!("{count} images"),
    };
    let are = if arches.len() == 1 { "is" } else { "are" };
    format!("{images} of {names} {are} left to hosts of {those}")
}

/// Why one or several images weren't built: the whole chain of causes, once.
pub(super) fn failure(failure: &Failure) -> String {
    format!("{}: {:#}", failure.images.join(", "), failure.error)
}

/// What is told while a system is being installed: a warning or not, and the text.
pub(super) fn note(image: &str, note: &Note<'_>) -> (bool, String) {
    match note {
        Note::Screen(address) => (false, format!("{image}: its screen is at {address}")),
        Note::Line(line) => (false, format!("{image}| {line}")),
        Note::Retry {
            reason,
            attempt,
            attempts,
        } => (
            true,
            format!("{image}: {reason}; this is attempt {attempt} of {attempts}"),
        ),
        Note::Finishing => (false, format!("{image}: installed; copying its disk")),
    }
}

/// A step that took so long that its time is told where it isn't shown beside it.
const LONG_STEP: Duration = Duration::from_secs(2);

/// What is told of a step that has ended, where its beginning was told: why it was left out, or how
/// long it took.
pub(super) fn step_ended(title: &str, took: Duration, skipped: Option<&str>) -> Option<String> {
    match skipped {
        Some(reason) => Some(format!("{title}: left out, {reason}")),
        None => (took >= LONG_STEP).then(|| format!("{title}: {:.1} s", took.as_secs_f64())),
    }
}

/// All about a step that has ended.
pub(super) fn step(
    number: usize,
    steps: usize,
    title: &str,
    took: Duration,
    skipped: Option<&str>,
) -> String {
    let width = steps.to_string().len();
    let end = match skipped {
        Some(reason) => format!("left out, {reason}"),
        None => format!("{:.1} s", took.as_secs_f64()),
    };
    format!("[{number:width$}/{steps}] {title} ({end})")
}

#[cfg(test)]
pub(super) mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::engine::{Amount, Content};

    /// Two images that were built, two with one cause that weren't.
    pub(in crate::report) fn outcome() -> Outcome {
        let built = |image: &str| Built {
            image: image.into(),
            size: Bytes::new(10 << 30),
            allocated: Bytes::new(3 << 19),
            content: Content {
                files: Amount {
                    files: 2,
                    bytes: 3 << 20,
                },
                free: Some(Bytes::new(1 << 30)),
                inodes: Some(100),
                free_inodes: Some(80),
            },
            facts: vec![],
        };
        Outcome {
            built: vec![built("a.img"), built("b.img")],
            failed: vec![Failure {
                images: vec!["c.img".into(), "d.img".into()],
                error: anyhow!("the cause").context("can't do it"),
            }],
            elapsed: Duration::from_millis(1234),
        }
    }

    #[test]
    fn figures_are_summed_and_chains_told() {
        let outcome = outcome();
        assert_eq!(
            built(&outcome),
            ["Built 2 of 4 images in 1.23 s: 3.00 MiB allocated for 20.00 GiB"]
        );
        assert_eq!(
            failure(&outcome.failed[0]),
            "c.img, d.img: can't do it: the cause"
        );
    }

    #[test]
    fn of_a_single_failure_only_the_error_is_told() {
        let mut outcome = outcome();
        outcome.built.clear();
        outcome.failed[0].images.pop();
        assert_eq!(built(&outcome), [""; 0]);
        outcome.failed[0].images.push("d.img".into());
        assert_eq!(built(&outcome).len(), 1);
    }

    #[test]
    fn images_of_other_architectures_are_counted() {
        for (arches, expected) in [
            (
                &["aarch64"][..],
                "1 image of aarch64 is left to hosts of that architecture",
            ),
            (
                &["aarch64", "aarch64"],
                "2 images of aarch64 are left to hosts of that architecture",
            ),
            (
                &["s390x", "aarch64", "s390x"],
                "3 images of aarch64, s390x are left to hosts of those architectures",
            ),
        ] {
            assert_eq!(left_to_others(arches), expected);
        }
    }

    #[test]
    fn of_a_single_image_the_content_is_told() {
        let mut outcome = outcome();
        outcome.failed.clear();
        outcome.built.pop();
        outcome.elapsed = Duration::from_secs(3);
        let expected = [
            "Built 1 of 1 image in 3.00 s: 1.50 MiB allocated for 10.00 GiB",
            "a.img: 10737418240 bytes, 3145728 of them in 2 files, 1.00 MiB/s, 1.00 GiB free, \
             20 of 100 inodes used",
        ];
        assert_eq!(built(&outcome), expected);
    }
}
