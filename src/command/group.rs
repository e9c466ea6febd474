//! One subcommand for every image group: builds its images, whether they are there or not.

use anyhow::{Context as _, Result};

use super::Context;
use super::next_release::next_release;
use super::set::ImageSet;
use crate::describe::hdds::releases::Release;
use crate::describe::hdds::{Group, arch, install_images, layout_images};
use crate::image::Image;
use crate::status::Status;

/// Which images of a group.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The group's name.
    pub name: String,
    /// Only this partition table.
    pub label: Option<String>,
    /// Only this filesystem.
    pub filesystem: Option<String>,
    /// Only this release.
    pub release: Option<Release>,
    /// Only this architecture of the release.
    pub arch: Option<String>,
    /// The next release; looked up when it isn't given and needed.
    pub next_release: Option<u64>,
}

/// Builds the images, but for those that only hosts of other architectures can build: of these it
/// is told how many there are.
///
/// # Errors
/// When there are no such images, or when the directory can't be used.
pub fn run(context: &Context, options: &Options) -> Result<Status> {
    let mut images = images(context, options)?;
    let set = ImageSet::lock(context)?;
    set.tell_of_foreign(&images);
    images.retain(|image| arch::builds_on(image, arch::host()));
    set.build(context, &images)
}

fn images(context: &Context, options: &Options) -> Result<Vec<Image>> {
    let group = context.config.group(&options.name);
    match group.with_context(|| format!("there is no group '{}'", options.name))? {
        Group::Layout(group) => layout_images(
            group,
            options.label.as_deref(),
            options.filesystem.as_deref(),
        ),
        Group::Install(group) => {
            let mut next = next_release(options.next_release, &context.config.distribution);
            install_images(
                group,
                options.release.as_ref(),
                options.arch.as_deref(),
                &mut next,
            )
        }
    }
}
