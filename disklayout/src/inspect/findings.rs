//! What is wrong with a table that can be read nevertheless.

use crate::error::{Error, Result};

/// Something that isn't as the format requires it.
#[derive(Debug)]
struct Finding {
    /// The number of the partition that it is about.
    partition: Option<u32>,
    error: Error,
}

/// All that is wrong with a table, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Something about the table.
    pub(super) fn add(
        &mut self,
        place: impl Into<crate::place::Place>,
        message: impl Into<String>,
    ) {
        self.push(Error::corrupt(place, message));
    }

    /// Something about a partition.
    pub(super) fn of(&mut self, partition: u32, message: impl Into<String>) {
        self.0.push(Finding {
            partition: Some(partition),
            error: Error::corrupt(format!("partition {partition}"), message),
        });
    }

    /// A part that couldn't be read.
    pub(super) fn push(&mut self, error: Error) {
        self.0.push(Finding {
            partition: None,
            error,
        });
    }

    /// Puts others before these.
    pub(super) fn put_before(&mut self, mut others: Self) {
        others.0.append(&mut self.0);
        *self = others;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An error where there is anything.
    pub(super) fn into_result(self) -> Result<()> {
        self.0
            .into_iter()
            .next()
            .map_or(Ok(()), |first| Err(first.error))
    }

    /// What is said of one partition, without its place.
    pub(super) fn about(&self, partition: u32) -> Vec<String> {
        let about = |finding: &&Finding| finding.partition == Some(partition);
        let found = self.0.iter().filter(about);
        found
            .map(|finding| finding.error.message().to_owned())
            .collect()
    }

    /// What is said of anything but these partitions.
    pub(super) fn apart_from(&self, partitions: &[u32]) -> Vec<String> {
        let is_told = |number: u32| partitions.contains(&number);
        let others = self.0.iter();
        let others = others.filter(|finding| !finding.partition.is_some_and(is_told));
        others.map(|finding| finding.error.to_string()).collect()
    }
}
