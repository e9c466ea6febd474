//! Clusters that read as zero and must: a flag says so, where one that isn't there says that nobody
//! cares.

use std::ops::Range;

/// Clusters that must read as zero if they hold nothing, in ascending runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Zeroes(Vec<Range<u64>>);

impl Zeroes {
    /// The clusters of which all bytes that a disk of `size` has are in one of `ranges`.
    pub(super) fn new(ranges: &[Range<u64>], cluster: u64, size: u64) -> Self {
        let whole = ranges.iter().map(|range| {
            let end = match range.end >= size {
                true => size.div_ceil(cluster),
                false => range.end / cluster,
            };
            range.start.div_ceil(cluster)..end
        });
        Self(whole.filter(|clusters| !clusters.is_empty()).collect())
    }

    /// Which of `clusters` they are.
    pub(super) fn within(&self, clusters: Range<u64>) -> impl Iterator<Item = u64> {
        let first = self.0.partition_point(|one| one.end <= clusters.start);
        let runs = self.0[first..].iter();
        let runs = runs.take_while(move |one| one.start < clusters.end);
        runs.flat_map(move |one| one.start.max(clusters.start)..one.end.min(clusters.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_clusters_count() {
        let zeroes = Zeroes::new(&[0..100, 150..250, 290..410], 100, 410);
        let within = |clusters| zeroes.within(clusters).collect::<Vec<_>>();
        assert_eq!(within(0..9), [0, 3, 4]);
        assert_eq!(within(1..4), [3]);
        assert!(within(5..9).is_empty());
    }
}
