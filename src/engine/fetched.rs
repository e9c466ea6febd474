//! Images that need files of the network: each is planned and written when its own have come,
//! beside those that need none.

use std::sync::{Mutex, mpsc};

use super::Numbered;
use super::build::{Run, contain_panic, lock, side_by_side};
use super::job;
use super::outcome::Cause;
use super::plan::Preparer;
use super::siblings::Siblings;

/// Downloads what `images` need and builds each of them; tells what came of it by its number.
pub(super) fn run(
    images: Vec<Siblings<'_>>,
    preparer: &Preparer<'_>,
    run: &Run<'_>,
) -> Vec<Numbered> {
    let threads = run.writers(images.len());
    let (sender, receiver) = mpsc::channel();
    let (waiting, ready) = (Mutex::new(images), Mutex::new(receiver));
    let sender = Mutex::new(Some(sender));
    let download = || {
        // It goes when all has come, so that the others end.
        let sender = lock(&sender).take();
        let pass_on = |_: &str| {
            let mut waiting = lock(&waiting);
            let is_ready = |it: &mut Siblings<'_>| preparer.planner.contents.is_ready(it.first());
            for image in waiting.extract_if(.., is_ready) {
                // The threads that take them outlive this one.
                let _ = sender.as_ref().map(|sender| sender.send(image));
            }
        };
        let downloads = &run.settings.conditions.downloads;
        preparer
            .planner
            .contents
            .download(downloads, run.reporter, &pass_on);
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new();
        if let Err(error) = thread.spawn_scoped(scope, download) {
            tracing::debug!("all is downloaded first: {error}");
            download();
        }
        side_by_side(threads, || {
            let next = lock(&ready).recv();
            next.ok().map(|image| build(image, preparer, run))
        })
    })
}

/// Plans images whose files are there, and writes them.
fn build(images: Siblings<'_>, preparer: &Preparer<'_>, run: &Run<'_>) -> Vec<Numbered> {
    let plan = || contain_panic(|| preparer.layout(images.images));
    match run.compute(plan) {
        Ok(plan) => run.build(job(images, plan, run.settings.zeroes)),
        Err(error) => {
            let causes = Cause::Other(error).for_each_of(images.images.len());
            let all = images.numbered().zip(causes);
            all.map(|((number, image), cause)| run.report(&image.file_name, number, cause))
                .collect()
        }
    }
}
