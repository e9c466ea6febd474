//! Reads the header of Linux' swap space.
//!
//! Linux, `include/linux/swap.h`: `union swap_header`. The magic ends the first page, whose size
//! is that of the machine's pages.

use crate::error::{Error, Result};
use crate::fs::swap::format::{INFO_OFFSET, MAGIC, SWAP_VERSION, SwapHeader};
use crate::inspect::fs::Filesystem;
use crate::inspect::fs::area::Area;
use crate::inspect::fs::facts::{Facts, text, uuid};

/// Sizes that pages have on Linux, in bytes.
const PAGES: [u64; 5] = [4096, 8192, 16384, 32768, 65536];

const PLACE: &str = "swap header";

pub(super) fn probe(area: Area<'_>) -> Result<Option<Filesystem<'_>>> {
    for page in PAGES {
        if area.probe(page - MAGIC.len() as u64)? == Some(MAGIC) {
            let facts = facts(&area, page)?;
            return Ok(Some(Filesystem::without_files(area, facts)));
        }
    }
    Ok(None)
}

fn facts(area: &Area<'_>, page: u64) -> Result<Facts> {
    let header: SwapHeader = area.structure(PLACE, INFO_OFFSET)?;
    let version = header.version.get();
    if version != SWAP_VERSION {
        return Err(Error::unsupported(
            PLACE,
            format!("it is of version {version}"),
        ));
    }
    let pages = u64::from(header.last_page.get()) + 1;
    let size = pages * page;
    Ok(Facts {
        label: text(&header.volume),
        uuid: uuid(header.uuid),
        variant: Some(version.to_string()),
        size: Some(size),
        block_size: Some(page),
        blocks: Some(pages),
        ..Facts::new("swap")
    })
}
