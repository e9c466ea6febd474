//! Fills the files of images that are begun: with a disk, or as archives.

use std::sync::OnceLock;

use anyhow::{Context, Result};
use disklayout::Bytes;
use disklayout::archive::{self, Facts};
use disklayout::container::Tee;
use disklayout::fs::Progress;

use super::beside::Beside;
use super::build::{Job, JobImage, Run, WriteDisk};
use super::destination::Destination;
use super::plan::FilePlan;
use super::progress::Watch;

/// What comes with an image.
#[derive(Default)]
pub(super) struct Rest {
    /// What goes into its place beside it.
    pub(super) beside: Option<Beside>,
    /// What is known of it since it was written.
    pub(super) facts: Facts,
}

/// An image, and where it goes.
type File<'a> = (&'a JobImage<'a>, &'a Destination);

/// Files that are written at one time, by their positions in the job: all that goes into them is read
/// once for that.
enum Pass<'a> {
    Disk(Vec<usize>),
    Archive(usize, &'a dyn archive::Plan),
}

impl Run<'_> {
    /// Writes a disk into all of its images, and the archives; what comes with each of them.
    pub(super) fn fill(&self, job: &Job<'_>, begun: &[Destination]) -> Result<Vec<Rest>> {
        let files: Vec<_> = job.images.iter().zip(begun).collect();
        let passes = passes(&job.images);
        let total = job.content.files.times(passes.len() as u64);
        let watch = Watch::new(job.images[0].name, total, self.reporter);
        let mut rest: Vec<_> = files.iter().map(|_| Rest::default()).collect();
        let sums: Vec<_> = files.iter().map(|_| OnceLock::new()).collect();
        rayon::scope(|scope| {
            for pass in passes {
                let written = match pass {
                    Pass::Disk(images) => {
                        let some: Vec<_> = images.iter().map(|&index| files[index]).collect();
                        let facts = self.write_disk(&some, job.size, &*job.write, &watch)?;
                        for index in &images {
                            rest[*index].facts.clone_from(&facts);
                        }
                        images
                    }
                    Pass::Archive(index, plan) => {
                        rest[index].facts = self.write_archive(plan, files[index].1, &watch)?;
                        vec![index]
                    }
                };
                // While the next ones are written.
                for index in written {
                    let (file, sums) = (files[index], &sums[index]);
                    scope.spawn(move |_| drop(sums.set(self.beside(file))));
                }
            }
            anyhow::Ok(())
        })?;
        for (rest, sums) in rest.iter_mut().zip(sums) {
            rest.beside = sums.into_inner().transpose()?.flatten();
        }
        Ok(rest)
    }

    /// Writes a disk of `size` into those of `images` that hold it; what is known of it then.
    fn write_disk(
        &self,
        images: &[File<'_>],
        size: Bytes,
        write: &WriteDisk<'_>,
        progress: &dyn Progress,
    ) -> Result<Facts> {
        let scratch = || self.settings.scratch();
        let mut opened = Vec::new();
        for (image, to) in images {
            if let FilePlan::Image(plan) = &image.plan {
                let target = to.target(self.settings.sync);
                let disk = target.and_then(|target| plan.open(target, &scratch));
                opened.push(disk.map_err(|error| to.cannot_begin(size, error))?);
            }
        }
        let disk = Tee::of(opened);
        let facts = write(&*disk, progress)?;
        disk.finish().context("can't complete the image")?;
        Ok(facts)
    }

    fn write_archive(
        &self,
        plan: &dyn archive::Plan,
        to: &Destination,
        progress: &dyn Progress,
    ) -> Result<Facts> {
        let scratch = || self.settings.scratch();
        let target = to.target(self.settings.sync);
        let target = target.map_err(|error| to.cannot_begin(Bytes::new(0), error))?;
        Ok(plan.write(&mut *target.into_stream(), &scratch, progress)?)
    }

    /// The sums of an image that is complete; none where it has no name.
    fn beside(&self, (image, to): File<'_>) -> Result<Option<Beside>> {
        match to {
            Destination::File(output) => {
                Beside::of(output, image.name, image.checksums, self.settings).map(Some)
            }
            Destination::Stream(..) => Ok(None),
        }
    }
}

/// The passes that write `images`. Where there are sums of a disk to be made, and it is compressed too,
/// the latter is for itself: both take long, and are done at the same time.
fn passes<'a>(images: &'a [JobImage<'_>]) -> Vec<Pass<'a>> {
    let (mut plain, mut compressed, mut archives) = (Vec::new(), Vec::new(), Vec::new());
    for (index, image) in images.iter().enumerate() {
        match &image.plan {
            FilePlan::Archive(plan) => archives.push(Pass::Archive(index, plan.as_ref())),
            FilePlan::Image(plan) if plan.is_compressed() => compressed.push(index),
            FilePlan::Image(_) => plain.push(index),
        }
    }
    if plain
        .iter()
        .all(|&index| images[index].checksums.is_empty())
    {
        plain.append(&mut compressed);
    }
    let disks = [plain, compressed];
    let disks = disks.into_iter().filter(|disks| !disks.is_empty());
    disks.map(Pass::Disk).chain(archives).collect()
}

#[cfg(test)]
mod tests {
    use disklayout::container::{Registry, Request};
    use disklayout::fs::Options;
    use disklayout::{Identity, Timestamp};

    use super::*;
    use crate::checksum::Algorithm;

    /// The passes for images in these formats, by their positions; so many of them, from the first, are
    /// summed up.
    fn disks(summed: usize, formats: &[(&str, Options)]) -> Vec<Vec<usize>> {
        let images = formats
            .iter()
            .enumerate()
            .map(|(index, (format, options))| {
                let request = Request {
                    place: &"image".into(),
                    size: Bytes::new(1 << 20),
                    options,
                    identity: &Identity::new("image", Timestamp::default()),
                };
                let formats = Registry::default();
                let format = formats.format(format).unwrap();
                JobImage {
                    name: "image",
                    number: index + 1,
                    stream: None,
                    checksums: if index < summed { &Algorithm::ALL } else { &[] },
                    plan: FilePlan::Image(format.plan(&request).unwrap()),
                }
            });
        let images: Vec<_> = images.collect();
        let passes = passes(&images).into_iter().map(|pass| match pass {
            Pass::Disk(images) => images,
            Pass::Archive(..) => panic!("there is none"),
        });
        passes.collect()
    }

    #[test]
    fn a_disk_is_read_once_more_where_sums_are_made_while_it_is_compressed() {
        let usual = Options::default;
        let zlib = || ("qcow2", usual().with("compression_type", "zlib"));
        let stream = || ("vmdk", usual().with("subformat", "streamOptimized"));
        let (raw, qcow2) = (|| ("raw", usual()), || ("qcow2", usual()));
        assert_eq!(disks(1, &[zlib(), raw()]), [[1, 0]]);
        assert_eq!(disks(2, &[zlib(), raw()]), [[1], [0]]);
        assert_eq!(disks(2, &[zlib(), stream()]), [[0, 1]]);
        assert_eq!(disks(2, &[raw(), qcow2()]), [[0, 1]]);
        let all = [zlib(), raw(), stream(), qcow2()];
        assert_eq!(disks(4, &all), [[1, 3], [0, 2]]);
        assert_eq!(disks(0, &[]), Vec::<Vec<usize>>::new());
    }
}
