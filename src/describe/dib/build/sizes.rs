//! How large the disks of a build are, as the user says it.

use anyhow::{Context, Result, bail};
use disklayout::Bytes;

use crate::describe::dib::block::Configuration;
use crate::describe::dib::elements::Element;
use crate::describe::dib::environment::Environment;
use crate::describe::dib::request::Request;
use crate::describe::dib::size::Size;

/// A variable that is a whole number.
pub(super) fn number(environment: &Environment, name: &str) -> Result<Option<u64>> {
    let Some(text) = environment.text(name) else {
        return Ok(None);
    };
    let number = text.trim().parse();
    let number = number.with_context(|| format!("{name} is '{text}', which is no whole number"))?;
    Ok(Some(number))
}

/// A variable that is a size in `units` of bytes: `2`, `1.5`.
fn sized(environment: &Environment, name: &str, unit: u64) -> Result<Option<Bytes>> {
    let Some(text) = environment.text(name) else {
        return Ok(None);
    };
    let wrong = || format!("{name} is '{text}', which is no size: give a number like 2 or 1.5");
    let number: f64 = text.trim().parse().with_context(wrong)?;
    // KiB, as diskimage-builder counts.
    let kib = (number * (unit >> 10) as f64).floor();
    if !(0.0..=(u64::MAX >> 11) as f64).contains(&kib) {
        bail!(wrong());
    }
    Ok(Some(Bytes::new((kib as u64) << 10)))
}

pub(super) fn size(
    request: &Request,
    environment: &Environment,
    elements: &[&Element],
    configuration: &Configuration,
) -> Result<Size> {
    let mut names = elements.iter().map(|it| it.name.as_str());
    let has_esp = names.any(|name| name.contains("block-device-efi"));
    let has_journal = configuration.values.root_fstype == "ext4";
    Ok(Size {
        asked: match request.exact_size.or(request.image_size) {
            Some(size) => Some(size),
            None => sized(environment, "DIB_IMAGE_SIZE", 1 << 30)?,
        },
        extra: match request.image_extra_size {
            Some(size) => Some(size),
            None => sized(environment, "DIB_IMAGE_EXTRA_SIZE", 1 << 20)?,
        },
        journal: match has_journal {
            true => Bytes::new(configuration.root_journal() << 20),
            false => Bytes::new(0),
        },
        has_esp: request.exact_size.is_none() && has_esp,
    })
}
