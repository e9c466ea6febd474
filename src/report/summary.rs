//! The end of a run in a few lines.

use disklayout::Bytes;
use indicatif::BinaryBytes;

use crate::engine::{Failure, Outcome};

/// What was built, in one sentence.
pub(super) fn built(outcome: &Outcome) -> String {
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

/// Why one or several images weren't built: the whole chain of causes, once.
pub(super) fn failure(failure: &Failure) -> String {
    format!("{}: {:#}", failure.images.join(", "), failure.error)
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::*;
    use crate::engine::Built;

    /// Two images that were built, two with one cause that weren't.
    pub(in crate::report) fn outcome() -> Outcome {
        let built = |image: &str| Built {
            image: image.into(),
            size: Bytes::new(10 << 30),
            allocated: Bytes::new(3 << 19),
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
            "Built 2 of 4 images in 1.23 s: 3.00 MiB allocated for 20.00 GiB"
        );
        assert_eq!(
            failure(&outcome.failed[0]),
            "c.img, d.img: can't do it: the cause"
        );
    }
}
