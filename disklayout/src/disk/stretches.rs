//! Stretches of bytes, as lists of them are told.

use std::ops::Range;

/// Adds a stretch behind the others, or to the last of them where they touch.
pub fn append(stretches: &mut Vec<Range<u64>>, next: Range<u64>) {
    match stretches.last_mut() {
        Some(last) if last.end == next.start => last.end = next.end,
        _ => stretches.push(next),
    }
}

/// The same bytes in ascending stretches that don't touch.
pub(crate) fn merged(mut stretches: Vec<Range<u64>>) -> Vec<Range<u64>> {
    stretches.retain(|range| !range.is_empty());
    stretches.sort_unstable_by_key(|range| range.start);
    stretches.dedup_by(|next, last| {
        let touches = next.start <= last.end;
        if touches {
            last.end = last.end.max(next.end);
        }
        touches
    });
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_touch_become_one() {
        let ranges = vec![5..9, 0..2, 2..3, 9..9, 6..7];
        assert_eq!(merged(ranges), [0..3, 5..9]);
    }
}
