//! Mapping pairs: which clusters hold the value of an attribute.
//!
//! Each pair begins with a byte whose low four bits give the size of the length and whose high
//! four bits give the size of the start, which is relative to the run before. No start is a hole.

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
