//! Images that need files of the network: each is planned and written when its own have come,
//! beside those that need none.

use std::sync::{Mutex, mpsc};

use super::Numbered;
use super::build::{Run, contain_panic, lock, side_by_side};
use super::job;
use super::outcome::Cause;
use super::plan::Preparer;
use crate::image::{Image, Layout};

/// A layout that waits for its downloads, with its number in the run.
pub(super) type Waiting<'a> = (usize, &'a Image, &'a Layout);

/// Downloads what `images` need and builds each of them; tells what came of it by its number.
pub(super) fn run(
    images: Vec<Waiting<'_>>,
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
            let is_ready = |it: &mut Waiting<'_>| preparer.planner.contents.is_ready(it.1);
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

/// Plans an image whose files are there, and writes it.
fn build((number, image, layout): Waiting<'_>, preparer: &Preparer<'_>, run: &Run<'_>) -> Numbered {
    let name = image.file_name.as_str();
    let plan = || contain_panic(|| preparer.layout(image, layout));
    match run.compute(plan) {
        Ok(plan) => run.build(job(name, number, plan, run.settings)),
        Err(error) => run.report(name, number, Err(Cause::Other(error))),
    }
}
