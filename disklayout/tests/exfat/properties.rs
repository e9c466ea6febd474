//! Random trees on random volumes.

use disklayout::fs::{Misfits, Request};
use disklayout::tree::Attributes;
use disklayout::{ErrorKind, Lba, SectorSize, Timestamp};
use proptest::prelude::*;

use testkit::random::{self, AnyFile, cases, tree_of};

use crate::listing;
use crate::support::{MIB, Scratch, empty_tree, fsck, options, plan_at, request, write_image};
use crate::trees;

/// Mostly short text that collides, some of any letters of one unit of UTF-16 (the crate exfat
/// takes each entry of a name for text), some of the longest length.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-eA-E]{1,2}",
        3 => "[ -.0-~\u{A0}-\u{D7FF}\u{E000}-\u{FFFD}]{1,40}".prop_filter("own names", |name| !name.ends_with(['.', ' '])),
        1 => "[a-z]{250,255}",
    ]
    .prop_filter("255 bytes", |name| name.len() <= 255)
}

fn any_attributes() -> impl Strategy<Value = Attributes> {
    let seconds = 300_000_000..4_400_000_000_i64;
    (0..0o1000_u16, seconds, 0..1_000_000_000_u32).prop_map(
        |(permissions, seconds, nanoseconds)| Attributes {
            permissions,
            mtime: Timestamp {
                seconds,
                nanoseconds,
            },
            ..Attributes::file(Timestamp::default())
        },
    )
}

fn any_files() -> impl Strategy<Value = Vec<AnyFile<String>>> {
    random::any_files(512, any_name(), any_attributes())
}

fn any_request() -> impl Strategy<Value = (u64, Request<'static>)> {
    let size = prop_oneof![MIB..4 * MIB, 4 * MIB..40 * MIB];
    // fsck.exfat 1.2.0 misreads sets of entries that reach into a third cluster.
    let cluster_size = prop::option::of((10..18_u32).prop_map(|shift| 1_u64 << shift));
    let boundary = prop::option::of((12..22_u32).prop_map(|shift| 1_u64 << shift));
    let sector_size = prop::sample::select(vec![SectorSize::B512, SectorSize::B4096]);
    let start = prop_oneof![Just(0), Just(2048), 0..5000_u64];
    (size, cluster_size, boundary, sector_size, start).prop_map(
        |(size, cluster_size, boundary, sector_size, start)| {
            let mut request = Request {
                options: options(&[]),
                sector_size,
                start: Lba::new(start),
                misfits: Misfits::Drop,
                ..request()
            };
            if let Some(cluster_size) = cluster_size {
                let cluster_size = cluster_size.max(sector_size.get());
                request.options.set("cluster-size", cluster_size);
            }
            if let Some(boundary) = boundary {
                request.options.set("boundary-align", boundary);
            }
            (size, request)
        },
    )
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn whatever_fits_is_sound_and_reads_back(
        (size, request) in any_request(),
        files in any_files(),
    ) {
        let plan = plan_at(size, Request { tree: tree_of(empty_tree(), &files), ..request });
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::DoesNotFit);
                return Ok(());
            }
        };
        let scratch = Scratch::new();
        let image = scratch.path("random.img");
        write_image(&*plan, size, &image);
        fsck(&image).map_err(TestCaseError::fail)?;
        let cluster_size = plan.summary().block_size.into();
        if !trees::fills_a_directory(plan.tree(), cluster_size) {
            let found = listing::crate_differences(plan.tree(), &image);
            prop_assert_eq!(found, Vec::<String>::new());
        }
    }
}

proptest! {
    #![proptest_config(cases(1000))]

    /// Each power of two is as likely as the next.
    #[test]
    fn planning_never_panics(
        (power, mantissa) in (0..64_u32, any::<u64>()),
        label in any::<String>(),
        start in any::<u32>(),
    ) {
        let size = (1_u64 << power) + mantissa % (1 << power);
        let request = Request {
            label: Some(&label),
            start: Lba::new(start.into()),
            ..Request::new("p", "exfat", request().identity)
        };
        let _ = plan_at(size, request);
    }
}
