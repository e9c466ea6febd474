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

/// Makes sure that the files of `build` can be made of `disks` and of a tree without files.
///
/// # Errors
/// What is wrong with the first of them.
pub(super) fn check(build: &Build, disks: &[Disk]) -> Result<()> {
    let conditions = Conditions::from_environment()?;
    let registry = foreign::registry();
    let find = |_: &str| Ok(Content::inline(b""));
    for images in sets(build, disks) {
        Planner::offline(&images, &find, &registry, &conditions).decide(&images)?;
    }
    Ok(())
}

/// The images of each disk, and the archives.
fn sets(build: &Build, disks: &[Disk]) -> Vec<Vec<Image>> {
    let (of_disks, of_trees): (Vec<_>, Vec<_>) = build
        .outputs
        .iter()
        .partition(|output| output.holds == Holds::Disk);
    let disks = disks.iter().map(|disk| {
        let layout = Layout::empty(disk.system.disk.clone(), &disk.file_name(build));
        let images = of_disks.iter();
        images
            .map(|output| image(&build.name, layout.clone(), output.format.clone()))
            .collect()
    });
    let trees = of_trees.iter().map(|output| {
        let tree = Assembled::new("", "".as_ref(), Beside::default());
        let tree = tree.whole(&Place::from("the tree"), &build.name, Rules::default());
        let layout = Layout::empty(tree.disk, &build.name);
        vec![image(&build.name, layout, output.format.clone())]
    });
    disks
        .chain(trees)
        .filter(|images: &Vec<_>| !images.is_empty())
        .collect()
}
