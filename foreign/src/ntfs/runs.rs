//! Mapping pairs: which clusters hold the value of an attribute.
//!
//! Each pair begins with a byte whose low four bits give the size of the length and whose high
//! four bits give the size of the start, which is relative to the run before. No start is a hole.

use disklayout::fs::copy::Piece;
use disklayout::tree::Content;

/// A run of clusters that follow one another on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The first cluster on the disk; `None` in a hole.
    pub(super) lcn: Option<u64>,
    /// How many clusters.
    pub(super) clusters: u64,
}

/// Decodes mapping pairs up to the byte zero that ends them; `None` when they make no sense.
pub(super) fn decode(mut pairs: &[u8]) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    let mut lcn = 0_u64;
    loop {
        let (&head, rest) = pairs.split_first()?;
        if head == 0 {
            return Some(runs);
        }
        let (length, rest) = rest.split_at_checked(usize::from(head & 0xF))?;
        let (start, rest) = rest.split_at_checked(usize::from(head >> 4))?;
        pairs = rest;
        let clusters = u64::try_from(signed(length)?).ok().filter(|&n| n > 0)?;
        let is_hole = start.is_empty();
        if !is_hole {
            lcn = lcn.checked_add_signed(signed(start)?)?;
        }
        runs.push(Run {
            lcn: (!is_hole).then_some(lcn),
            clusters,
        });
    }
}

/// Encodes runs as mapping pairs, with the byte zero that ends them.
pub(super) fn encode(runs: &[Run]) -> Vec<u8> {
    let mut pairs = Vec::new();
    let mut before = 0;
    for run in runs {
        let length = shortest(run.clusters as i64);
        let start = run.lcn.map_or_else(Vec::new, |lcn| {
            let distance = lcn as i64 - before;
            before = lcn as i64;
            shortest(distance)
        });
        pairs.push((start.len() << 4 | length.len()) as u8);
        pairs.extend(length);
        pairs.extend(start);
    }
    pairs.push(0);
    pairs
}

/// Where byte `position` of the value in `runs` is, from the start of the volume, and how many bytes
/// from there on lie side by side; `None` in a hole and behind the end.
pub(super) fn locate(runs: &[Run], cluster_size: u64, position: u64) -> Option<(u64, u64)> {
    let mut within = position;
    for run in runs {
        let size = run.clusters * cluster_size;
        if within < size {
            return Some((run.lcn? * cluster_size + within, size - within));
        }
        within -= size;
    }
    None
}

/// Where the data of a file is that has these runs, from the start of the volume.
pub(super) fn pieces<'a>(
    runs: &[Run],
    cluster_size: u64,
    content: &'a Content,
) -> impl Iterator<Item = Piece<'a>> {
    let mut logical = 0;
    runs.iter().filter_map(move |run| {
        let start = logical;
        logical = content.len().min(start + run.clusters * cluster_size);
        let piece = |lcn| Piece {
            content,
            logical: start,
            len: logical - start,
            disk: lcn * cluster_size,
            ends_file: logical == content.len(),
        };
        run.lcn.map(piece)
    })
}

/// The fewest bytes that give a number in two's complement.
fn shortest(number: i64) -> Vec<u8> {
    let bytes = number.to_le_bytes();
    let holds = |len: &usize| signed(&bytes[..*len]) == Some(number);
    let len = (1..bytes.len()).find(holds).unwrap_or(bytes.len());
    bytes[..len].to_vec()
}

/// A little-endian number of up to eight bytes in two's complement.
fn signed(bytes: &[u8]) -> Option<i64> {
    let negative = bytes.last().is_some_and(|&high| high >= 0x80);
    let mut full = [if negative { 0xFF } else { 0 }; 8];
    full.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_relative_and_signed() {
        // 0x30 clusters at 0x20, 0x60 clusters 0x10 before that, a hole of 5.
        let pairs = [0x11, 0x30, 0x20, 0x21, 0x60, 0xF0, 0xFF, 0x01, 0x05, 0];
        let run = |lcn, clusters| Run { lcn, clusters };
        assert_eq!(
            decode(&pairs),
            Some(vec![
                run(Some(0x20), 0x30),
                run(Some(0x10), 0x60),
                run(None, 5)
            ])
        );
        assert_eq!(decode(&[0]), Some(vec![]));
    }

    #[test]
    fn what_is_encoded_is_decoded_in_the_fewest_bytes() {
        let run = |lcn, clusters| Run { lcn, clusters };
        for (runs, len) in [
            (vec![], 1),
            (vec![run(Some(0x7F), 0x7F)], 4),
            (vec![run(Some(0x80), 0x80)], 6),
            (
                vec![run(Some(0x20), 0x30), run(Some(0x10), 0x60), run(None, 5)],
                9,
            ),
            (vec![run(Some(1 << 40), 1), run(Some(3), 1 << 33)], 9 + 12),
        ] {
            let pairs = encode(&runs);
            assert_eq!(pairs.len(), len, "{runs:?}");
            assert_eq!(decode(&pairs), Some(runs));
        }
    }

    #[test]
    fn a_byte_is_found_in_its_run() {
        let run = |lcn, clusters| Run { lcn, clusters };
        let runs = [run(Some(10), 2), run(None, 1), run(Some(3), 1)];
        for (position, expected) in [
            (0, Some((40_960, 8192))),
            (5000, Some((45_960, 3192))),
            (8192, None),
            (12_289, Some((12_289, 4095))),
            (16_384, None),
        ] {
            assert_eq!(locate(&runs, 4096, position), expected, "{position}");
        }
    }

    #[test]
    fn data_is_cut_where_runs_end() {
        let run = |lcn, clusters| Run { lcn, clusters };
        let runs = [run(Some(10), 2), run(Some(3), 1)];
        let content = Content::host("/x", 9000);
        let pieces = pieces(&runs, 4096, &content);
        let found: Vec<_> = pieces
            .map(|it| (it.logical, it.len, it.disk, it.ends_file))
            .collect();
        assert_eq!(found, [(0, 8192, 40_960, false), (8192, 808, 12_288, true)]);
    }

    #[test]
    fn nonsense_is_refused() {
        let cases: [&[u8]; 6] = [
            &[],
            &[0x11, 0x30],
            &[0x11, 0x30, 0x20],
            &[0x11, 0x00, 0x20, 0],
            &[0x11, 0x80, 0x20, 0],
            &[0x11, 0x30, 0xFF, 0],
        ];
        for pairs in cases {
            assert_eq!(decode(pairs), None, "{pairs:?}");
        }
    }
}
