//! Swap space of Linux, as mkswap of util-linux makes it.

pub(crate) mod format;
mod header;

use std::ops::Range;

use uuid::Uuid;

use crate::disk::{Disk, write_data};
use crate::error::{Error, Result};
use crate::fs::options::{Choice, number};
use crate::fs::{Data, Draft, Format, FsPlan, Progress, Request, Summary};
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::Bytes;

use format::VOLUME_MAX;
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
pub struct SwapFormat;

impl Format for SwapFormat {
    fn names(&self) -> &'static [&'static str] {
        &["swap", "linux-swap"]
    }

    fn choices(&self) -> &'static [Choice] {
        &CHOICES
    }

    fn partition_type(&self, _: &str) -> &'static str {
        "swap"
    }

    fn draft<'a>(&self, request: Request<'a>) -> Result<Box<dyn Draft + 'a>> {
        let page_size = page_size(&request)?;
        check_empty(&request)?;
        Ok(Box::new(SwapDraft {
            page_size,
            label: request.padded_label("swap")?,
            uuid: request
                .uuid
                .unwrap_or_else(|| request.identity.uuid("swap")),
            place: request.place,
            tree: request.tree,
        }))
    }
}

/// A swap space of which everything is known but its size.
#[derive(Debug)]
struct SwapDraft {
    place: Place,
    page_size: u32,
    uuid: Uuid,
    label: [u8; VOLUME_MAX],
    tree: FileTree,
}

impl Draft for SwapDraft {
    fn smallest(&self, free: Bytes) -> Result<Bytes> {
        let page_size = u64::from(self.page_size);
        // The first page holds the header.
        let pages = free.get().div_ceil(page_size) + 1;
        if pages > PAGES_MAX {
            return Err(self.too_large(free));
        }
        Ok(Bytes::new(pages.max(PAGES_MIN) * page_size))
    }

    fn at(self: Box<Self>, size: Bytes) -> Result<Box<dyn FsPlan>> {
        let pages = self.pages(size);
        let header = Header {
            page_size: self.page_size,
            pages: pages.map_err(|error| self.needing(error))?,
            uuid: self.uuid,
            label: self.label,
        };
        Ok(Box::new(Plan {
            place: self.place,
            header,
            tree: self.tree,
        }))
    }
}

impl SwapDraft {
    /// A remainder that is no whole page stays unused.
    fn pages(&self, size: Bytes) -> Result<u64> {
        let page_size = self.page_size;
        let pages = size.get() / u64::from(page_size);
        if pages < PAGES_MIN {
            let least = PAGES_MIN * u64::from(page_size);
            let message = format!(
                "{size} is too small for swap: it has {PAGES_MIN} pages of {page_size} bytes at \
                 least, that is {least} bytes"
            );
            return Err(Error::does_not_fit(&self.place, message));
        }
        if pages > PAGES_MAX {
            return Err(self.too_large(size));
        }
        Ok(pages)
    }

    fn too_large(&self, size: Bytes) -> Error {
        let message = format!(
            "{size} is too large for swap: it has {PAGES_MAX} pages of {} bytes at most; give a \
             smaller size or larger pages",
            self.page_size
        );
        Error::does_not_fit(&self.place, message)
    }
}

fn page_size(request: &Request<'_>) -> Result<u32> {
    let (place, given) = (&request.place, &request.options);
    given.check(place, request.kind, &CHOICES)?;
    let size = given.parse(place, "page-size", number)?;
    let size = size.unwrap_or(PAGE_SIZES[0]);
    if PAGE_SIZES.contains(&size) {
        return Ok(size);
    }
    let message = format!("pages of {size} bytes exist nowhere; give one of {PAGE_SIZES:?}");
    Err(Error::invalid(place.choice("page-size"), message))
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

    fn write(&self, disk: &dyn Disk, _: &dyn Progress) -> Result<Data<'_>> {
        for (offset, bytes) in self.header.pieces() {
            write_data(disk, &bytes, offset).map_err(|error| {
                let message = format!("can't write {} bytes at offset {offset}", bytes.len());
                Error::io(self.place.clone(), message, error)
            })?;
        }
        Ok(Data::none(&self.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;
    use crate::error::ErrorKind;
    use crate::fs::Unwatched;
    use crate::identity::{Identity, Timestamp};

    fn request() -> Request<'static> {
        let identity = Identity::new("t", Timestamp::default());
        Request::new("parts[1]", "swap", identity)
    }

    fn plan(request: Request<'_>, size: u64) -> Result<Box<dyn FsPlan>> {
        SwapFormat.draft(request)?.at(Bytes::new(size))
    }

    fn message(error: Error, kind: ErrorKind) -> String {
        assert_eq!(error.kind(), kind);
        error.to_string()
    }

    #[test]
    fn sizes_from_ten_pages_to_what_32_bits_count() {
        for page_size in PAGE_SIZES {
            let request = || {
                let mut request = request();
                request.options.set("page-size", page_size);
                request
            };
            let page = u64::from(page_size);
            let of = |pages: u64, more: i64| {
                let size = (pages * page).checked_add_signed(more);
                plan(request(), size.unwrap())
            };
            for (pages, more) in [(10, 0), (10, 1), (PAGES_MAX, 0), (PAGES_MAX, 4095)] {
                assert_eq!(of(pages, more).unwrap().summary().blocks, pages);
            }
            for (pages, more) in [(10, -1), (0, 0), (PAGES_MAX + 1, 0)] {
                let error = of(pages, more).unwrap_err();
                assert_eq!(error.needed().map(Bytes::get), Some(10 * page));
                let said = message(error, ErrorKind::DoesNotFit);
                assert!(said.contains(&page_size.to_string()), "{said}");
            }
            let draft = SwapFormat.draft(request()).unwrap();
            let smallest = |free| draft.smallest(Bytes::new(free));
            assert_eq!(smallest(0).unwrap().get(), 10 * page);
            assert_eq!(smallest(9 * page).unwrap().get(), 10 * page);
            assert_eq!(smallest(9 * page + 1).unwrap().get(), 11 * page);
            smallest(PAGES_MAX * page).unwrap_err();
        }
    }

    #[test]
    fn what_is_no_swap_space_is_refused() {
        let said = |request| {
            let error = SwapFormat.draft(request).unwrap_err();
            message(error, ErrorKind::InvalidSpec)
        };
        let mut sized = request();
        sized.options.set("page-size", 2048);
        assert!(said(sized).starts_with("parts[1].page-size: pages of 2048 bytes"));
        let mut filled = request();
        let (content, attributes) = (
            crate::tree::Content::inline(b""),
            crate::tree::Attributes::file(Timestamp::default()),
        );
        let tree = &mut filled.tree;
        tree.put_file("c", b"/a/b", content, attributes).unwrap();
        assert!(said(filled).contains("swap holds no files, but '/a'"));
        let mut labelled = request();
        labelled.label = Some("seventeen letters");
        let said = said(labelled);
        assert!(said.starts_with("parts[1].label: ") && said.contains("16 at most"));
    }

    #[test]
    fn only_the_header_and_the_end_of_its_page_are_written() {
        let disk = MemDisk::new(1 << 20);
        let plan = plan(request(), 1 << 20).unwrap();
        plan.write_all(&disk, &Unwatched).unwrap();
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
