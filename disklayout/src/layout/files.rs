//! Sorts the files of a disk into the trees of its partitions.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::identity::Timestamp;
use crate::layout::plan::Role;
use crate::layout::spec::{FileSpec, Placed};
use crate::place::Field;
use crate::tree::{Attributes, FileTree};

/// One tree for each of `partitions`, which are in the order of their numbers: the files go on top
/// of the `contents`, which are known by the index of the description.
pub(super) fn trees(
    files: &[FileSpec],
    partitions: &[Placed<'_>],
    mut contents: BTreeMap<usize, FileTree>,
    time: Timestamp,
) -> Result<Vec<FileTree>> {
    let base = partitions
        .iter()
        .map(|one| match contents.remove(&one.index) {
            Some(_) if one.role == Role::Extended => Err(Error::invalid(
                one.spec.place.field(Field::Content),
                "an extended partition holds no files; put them into one of its logical partitions",
            )),
            Some(tree) => Ok(tree),
            None => Ok(FileTree::new(time)),
        });
    let mut trees = base.collect::<Result<Vec<_>>>()?;
    for file in files {
        let index = index(file, partitions)?;
        trees[index].put_file(
            &file.place.to_string(),
            file.path.as_bytes(),
            file.content.clone(),
            Attributes::file(time),
        )?;
    }
    Ok(trees)
}

/// The index of the partition that a file goes into.
fn index(file: &FileSpec, partitions: &[Placed<'_>]) -> Result<usize> {
    let fail = |message: String| Err(Error::invalid(format!("{}.part", file.place), message));
    let index = file.part.checked_sub(1).map(usize::try_from);
    let Some(Ok(index)) = index else {
        return fail(format!(
            "part {} doesn't exist; parts count from 1",
            file.part
        ));
    };
    match partitions.get(index) {
        Some(found) if found.role == Role::Extended => fail(format!(
            "part {} is the extended partition, which holds no files; name one of its logical \
             partitions, which come after the primary ones",
            file.part
        )),
        Some(_) => Ok(index),
        None if partitions.is_empty() => fail(format!(
            "part {} doesn't exist; the disk has no partitions",
            file.part
        )),
        None => fail(format!(
            "part {} doesn't exist; the largest legal part is {}",
            file.part,
            partitions.len()
        )),
    }
}
