//! Mapping pairs: where the clusters of an attribute are.

/// Clusters that follow each other; a hole when they are nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) lcn: Option<u64>,
    pub(super) clusters: u64,
}

/// The runs of mapping pairs; `None` when they aren't any or have no end.
pub(super) fn decode(mut pairs: &[u8]) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    let mut lcn: u64 = 0;
    loop {
        let (head, rest) = pairs.split_first()?;
        if *head == 0 {
            return Some(runs);
        }
        let (length, rest) = rest.split_at_checked(usize::from(head & 0xF))?;
        let (offset, rest) = rest.split_at_checked(usize::from(head >> 4))?;
        pairs = rest;
        let clusters = u64::try_from(number(length)?).ok()?;
        if clusters == 0 {
            return None;
        }
        let is_hole = offset.is_empty();
        if !is_hole {
            lcn = lcn.checked_add_signed(number(offset)?)?;
        }
        runs.push(Run {
            lcn: (!is_hole).then_some(lcn),
            clusters,
        });
    }
}

/// A little-endian number of up to eight bytes, with a sign.
fn number(bytes: &[u8]) -> Option<i64> {
    let fill = match bytes.last() {
        Some(0x80..) => 0xFF,
        _ => 0,
    };
    let mut wide = [fill; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_from_the_run_before_and_holes_have_none() {
        let run = |lcn, clusters| Run { lcn, clusters };
        for (pairs, expected) in [
            (&[0][..], Some(vec![])),
            (
                &[0x11, 4, 10, 0x11, 2, 0xFE, 0],
                Some(vec![run(Some(10), 4), run(Some(8), 2)]),
            ),
            (
                &[0x01, 3, 0x21, 1, 0, 1, 0],
                Some(vec![run(None, 3), run(Some(256), 1)]),
            ),
            (&[], None),
            (&[0x11, 4], None),
            (&[0x11, 0, 1, 0], None),
            (&[0x11, 0xFF, 1, 0], None),
            (&[0x11, 1, 0xFF, 0], None),
            (&[0x19, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], None),
        ] {
            assert_eq!(decode(pairs), expected, "{pairs:x?}");
        }
    }
}
