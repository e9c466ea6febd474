//! Swap space of Linux, as mkswap of util-linux makes it.

pub(crate) mod format;
mod header;

use std::ops::Range;

use crate::disk::{Disk, write_data};
use crate::error::{Error, Result};
use crate::fs::options::{Choice, number};
use crate::fs::{Formatter, FsPlan, Progress, Request, Summary};
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::Bytes;

use header::Header;

const CHOICES: [Choice; 1] = [Choice::new(
    "page-size",
    "BYTES",
    "Bytes in a page of the machine that swaps",
)];

/// What Linux' architectures have; on most it is the first one.
const PAGE_SIZES: [u32; 5] = [4096, 8192, 16_384, 32_768, 65_536];

/// The fewest pages, as mkswap asks for.
const PAGES_MIN: u64 = 10;

/// The most: Linux counts one more than the last one's number, in 32 bits.
const PAGES_MAX: u64 = (1 << 32) - 1;

/// Makes swap spaces: 10 to 2^32 - 1 pages of 4 to 64 KiB, and nothing in them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SwapFormatter;

impl Formatter for SwapFormatter {
    fn names(&self) -> &'static [&'static str] {
        &["swap", "linux-swap"]
    }

    fn choices(&self) -> &'static [Choice] {
        &CHOICES
    }

    fn plan(&self, request: Request<'_>) -> Result<Box<dyn FsPlan>> {
        let page_size = page_size(&request)?;
        check_empty(&request)?;
        let header = Header {
            page_size,
            pages: pages(&request, page_size)?,
            uuid: request
                .uuid
                .unwrap_or_else(|| request.identity.uuid("swap")),
            label: header::label(&request)?,
        };
        Ok(Box::new(Plan {
            place: request.place.clone(),
            header,
            tree: request.tree,
        }))
    }

    fn smallest(&self, request: &Request<'_>, free: Bytes) -> Result<Bytes> {
        let page_size = page_size(request)?;
        check_empty(request)?;
        header::label(request)?;
        // The first page holds the header.
        let pages = free.get().div_ceil(u64::from(page_size)) + 1;
        if pages > PAGES_MAX {
            return Err(too_large(request, page_size));
        }
        Ok(Bytes::new(pages.max(PAGES_MIN) * u64::from(page_size)))
    }
}

fn page_size(request: &Request<'_>) -> Result<u32> {
    let (place, given) = (&request.place, &request.options);
    given.check(&place, request.kind, &CHOICES)?;
    let size = given.parse(&place, "page-size", number)?;
    let size = size.unwrap_or(PAGE_SIZES[0]);
    if PAGE_SIZES.contains(&size) {
        return Ok(size);
    }
    let message = format!("pages of {size} bytes exist nowhere; give one of {PAGE_SIZES:?}");
    Err(Error::invalid(place.choice("page-size"), message))
}

/// A remainder that is no whole page stays unused.
fn pages(request: &Request<'_>, page_size: u32) -> Result<u64> {
    let pages = request.size.get() / u64::from(page_size);
    if pages < PAGES_MIN {
        let least = PAGES_MIN * u64::from(page_size);
        let message = format!(
            "{} is too small for swap: it has {PAGES_MIN} pages of {page_size} bytes at least, \
             that is {least} bytes",
            request.size
        );
        return Err(Error::does_not_fit(&request.place, message));
    }
    if pages > PAGES_MAX {
        return Err(too_large(request, page_size));
    }
    Ok(pages)
}

fn too_large(request: &Request<'_>, page_size: u32) -> Error {
    let message = format!(
        "{} is too large for swap: it has {PAGES_MAX} pages of {page_size} bytes at most; give a \
         smaller size or larger pages",
        request.size
    );
    Error::does_not_fit(&request.place, message)
}

fn check_empty(request: &Request<'_>) -> Result<()> {
    let mut entries = request.tree.entries(FileTree::ROOT);
    let Some((name, _)) = entries.next() else {
        return Ok(());
    };
    let message = format!(
        "swap holds no files, but '/{}' shall be in it; leave the content out",
        name.escape_ascii()
    );
    Err(Error::invalid(&request.place, message))
}

/// A swap space in which everything is decided.
#[derive(Debug)]
struct Plan {
    place: Place,
    header: Header,
    tree: FileTree,
}

impl FsPlan for Plan {
    fn summary(&self) -> Summary {
        let label = String::from_utf8_lossy(&self.header.label);
        let label = label.trim_end_matches('\0');
        let (page_size, pages) = (self.header.page_size, self.header.pages);
        Summary {
            label: (!label.is_empty()).then(|| label.to_owned()),
            uuid: Some(self.header.uuid),
            free_blocks: Some(pages - 1),
            ..Summary::new("swap", page_size, pages)
        }
    }

    fn tree(&self) -> &FileTree {
        &self.tree
    }

    fn unused(&self) -> Vec<Range<u64>> {
        let page_size = u64::from(self.header.page_size);
        std::iter::once(page_size..self.header.pages * page_size).collect()
    }

    fn cost(&self) -> Bytes {
        Bytes::new(u64::from(self.header.page_size))
    }

    fn write(&self, disk: &dyn Disk, _: &dyn Progress) -> Result<()> {
        for (offset, bytes) in self.header.pieces() {
            write_data(disk, &bytes, offset).map_err(|error| {
                let message = format!("can't write {} bytes at offset {offset}", bytes.len());
                Error::io(self.place.clone(), message, error)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;
    use crate::error::ErrorKind;
    use crate::fs::Unwatched;
    use crate::identity::{Identity, Timestamp};

    fn request(size: u64) -> Request<'static> {
        let identity = Identity::new("t", Timestamp::default());
        Request::new("parts[1]", "swap", Bytes::new(size), identity)
    }

    fn message(request: Request<'_>, kind: ErrorKind) -> String {
        let error = SwapFormatter.plan(request).unwrap_err();
        assert_eq!(error.kind(), kind);
        error.to_string()
    }

    #[test]
    fn sizes_from_ten_pages_to_what_32_bits_count() {
        for page_size in PAGE_SIZES {
            let of = |pages: u64, more: i64| {
                let size = pages * u64::from(page_size);
                let mut request = request(size.checked_add_signed(more).unwrap());
                request.options.set("page-size", page_size);
                request
            };
            for (pages, more) in [(10, 0), (10, 1), (PAGES_MAX, 0), (PAGES_MAX, 4095)] {
                let plan = SwapFormatter.plan(of(pages, more)).unwrap();
                assert_eq!(plan.summary().blocks, pages);
            }
            for (pages, more) in [(10, -1), (0, 0), (PAGES_MAX + 1, 0)] {
                let said = message(of(pages, more), ErrorKind::DoesNotFit);
                assert!(said.contains(&page_size.to_string()), "{said}");
            }
            let smallest = |free| SwapFormatter.smallest(&of(1, 0), Bytes::new(free));
            let page = u64::from(page_size);
            assert_eq!(smallest(0).unwrap().get(), 10 * page);
            assert_eq!(smallest(9 * page).unwrap().get(), 10 * page);
            assert_eq!(smallest(9 * page + 1).unwrap().get(), 11 * page);
            smallest(PAGES_MAX * page).unwrap_err();
        }
    }

    #[test]
    fn what_is_no_swap_space_is_refused() {
        let mut sized = request(1 << 20);
        sized.options.set("page-size", 2048);
        let said = message(sized, ErrorKind::InvalidSpec);
        assert!(said.starts_with("parts[1].page-size: pages of 2048 bytes"));
        let mut filled = request(1 << 20);
        let (content, attributes) = (
            crate::tree::Content::inline(b""),
            crate::tree::Attributes::file(Timestamp::default()),
        );
        let tree = &mut filled.tree;
        tree.put_file("c", b"/a/b", content, attributes).unwrap();
        let said = message(filled, ErrorKind::InvalidSpec);
        assert!(said.contains("swap holds no files, but '/a'"), "{said}");
        let mut labelled = request(1 << 20);
        labelled.label = Some("seventeen letters");
        let said = message(labelled, ErrorKind::InvalidSpec);
        assert!(said.starts_with("parts[1].label: ") && said.contains("16 at most"));
    }

    #[test]
    fn only_the_header_and_the_end_of_its_page_are_written() {
        let disk = MemDisk::new(1 << 20);
        let plan = SwapFormatter.plan(request(1 << 20)).unwrap();
        plan.write(&disk, &Unwatched).unwrap();
        let mut bytes = vec![0; 1 << 20];
        disk.read_at(&mut bytes, 0).unwrap();
        let written = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
        let places: Vec<_> = written.map(|(place, _)| place).collect();
        let inside = |place: &usize| (1024..1068).contains(place) || (4086..4096).contains(place);
        assert!(places.iter().all(inside), "{places:?}");
        assert_eq!(bytes[4086..4096], *b"SWAPSPACE2");
        assert_eq!(bytes[1028..1032], 255_u32.to_le_bytes());
    }
}
