//! Writes a plan: first what is in the partitions, then the table that makes it reachable.

use crate::disk::{Disk, Window};
use crate::error::{Error, Result};
use crate::layout::DiskPlan;

/// Writes everything that `plan` decided onto `disk`, which has the plan's size and reads as zero.
///
/// # Errors
/// `Io` when storage or a source file fails, `Tool` when an external program does.
pub fn build(plan: &DiskPlan, disk: &dyn Disk) -> Result<()> {
    let _ = (plan, disk, Window::new, Error::invalid("", ""));
    unimplemented!()
}
