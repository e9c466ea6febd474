//! The files of a build as far as they can be planned before there is a tree: with nothing in them.

use anyhow::Result;
use disklayout::Place;
use disklayout::source::Rules;
use disklayout::tree::Content;

use super::disks::Disk;
use super::files::image;
use crate::command::system::device::Beside;
use crate::command::system::pack::Assembled;
use crate::describe::dib::{Build, Holds};
use crate::engine::{Conditions, Planner};
use crate::image::{Image, Layout};

/// Makes sure that all images of `disks` can be made, with nothing in them.
///
/// # Errors
/// What is wrong with the first of them.
pub(super) fn check_images(build: &Build, disks: &[Disk]) -> Result<()> {
    let outputs = build.outputs.iter();
    let outputs: Vec<_> = outputs.filter(|it| it.holds == Holds::Disk).collect();
    for disk in disks.iter().filter(|_| !outputs.is_empty()) {
        let layout = Layout::empty(disk.system.disk.clone(), &disk.file_name(build));
        let images = outputs.iter();
        let images = images.map(|it| image(&build.name, layout.clone(), it.format.clone()));
        plan(&images.collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Makes sure that all archives can be made, of a tree without files.
///
/// # Errors
/// What is wrong with the first of them.
pub(super) fn check_archives(build: &Build) -> Result<()> {
    for output in build.outputs.iter().filter(|it| it.holds != Holds::Disk) {
        let tree = Assembled::new("", "".as_ref(), Beside::default());
        let tree = tree.whole(&Place::from("the tree"), &build.name, Rules::default());
        let layout = Layout::empty(tree.disk, &build.name);
        plan(&[image(&build.name, layout, output.format.clone())])?;
    }
    Ok(())
}

/// Plans images of one disk, or an archive.
fn plan(images: &[Image]) -> Result<()> {
    let registry = foreign::registry();
    let find = |_: &str| Ok(Content::inline(b""));
    let conditions = Conditions::from_environment()?;
    let planner = Planner::offline(images, &find, &registry, &conditions);
    planner.decide(images).map(drop)
}
