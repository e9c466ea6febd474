//! Groups in short, and LVM2 on loop devices.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use disklayout::disk::{Disk, SparseFile};
use disklayout::volume::lvm::{Member, Plan, Request, Stripes, VolumeRequest, VolumeSize, plan};
use disklayout::{Bytes, Error, Identity, SectorSize, Timestamp};
use testkit::log::accepted;
use testkit::mount::LoopDevice;
use testkit::program::{Verdict, command};
use testkit::scratch::{Scratch, open};

/// What a volume is asked for by: `17`, `23%VG`, `100%FREE`, `50%PVS` of lvcreate's `--extents`.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) size: VolumeSize,
    pub(crate) stripes: u32,
}

impl Asked {
    pub(crate) fn new(name: &str, size: &str, stripes: u32) -> Self {
        let (count, of) = size.split_once('%').unwrap_or((size, ""));
        let percent = || count.parse().unwrap();
        Self {
            name: name.to_owned(),
            size: match of {
                "VG" => VolumeSize::PercentOfGroup(percent()),
                "FREE" => VolumeSize::PercentOfFree(percent()),
                "PVS" => VolumeSize::PercentOfMembers(percent()),
                "" => VolumeSize::Extents(count.parse().unwrap()),
                _ => panic!("{size}"),
            },
            stripes,
        }
    }

    fn request(&self) -> VolumeRequest {
        let mut request = VolumeRequest::new("lv", &self.name, self.size);
        request.stripes = (self.stripes > 1).then(|| Stripes::new(self.stripes));
        request
    }

    /// Arguments of lvcreate.
    pub(crate) fn arguments(&self, group: &str) -> Vec<String> {
        let mut arguments = vec!["--name".to_owned(), self.name.clone()];
        let (option, size) = match self.size {
            VolumeSize::Bytes(size) => ("--size", format!("{}b", size.get())),
            VolumeSize::Extents(extents) => ("--extents", extents.to_string()),
            VolumeSize::PercentOfGroup(percent) => ("--extents", format!("{percent}%VG")),
            VolumeSize::PercentOfFree(percent) => ("--extents", format!("{percent}%FREE")),
            VolumeSize::PercentOfMembers(percent) => ("--extents", format!("{percent}%PVS")),
        };
        arguments.extend([option.to_owned(), size]);
        if self.stripes > 1 {
            arguments.extend(["--stripes".to_owned(), self.stripes.to_string()]);
        }
        arguments.push(group.to_owned());
        arguments
    }
}

/// A group `v` on disks of these sizes.
pub(crate) fn request(sizes: &[u64], volumes: &[Asked]) -> Request {
    let identity = Identity::new("group", Timestamp::from_seconds(1_700_000_000));
    let mut request = Request::new("vg", "v", identity);
    for (number, size) in sizes.iter().enumerate() {
        let place = format!("pv[{number}]");
        let hint = format!("/dev/disk{number}");
        request
            .members
            .push(Member::new(place, Bytes::new(*size), hint));
    }
    request.volumes = volumes.iter().map(Asked::request).collect();
    request
}

pub(crate) fn planned(sizes: &[u64], volumes: &[Asked]) -> Result<Plan, Error> {
    plan(request(sizes, volumes))
}

/// What a device shows of an image of this size.
const fn whole_sectors(size: u64) -> u64 {
    size - size % 512
}

/// Images of a plan's physical volumes.
pub(crate) fn write(plan: &Plan, sizes: &[u64], scratch: &Scratch) -> Vec<PathBuf> {
    let write = |(number, size): (usize, &u64)| {
        let path = scratch.path(&format!("pv{number}.img"));
        let disk = SparseFile::create(File::create(&path).unwrap(), whole_sectors(*size)).unwrap();
        plan.write_member(number, &disk).unwrap();
        path
    };
    sizes.iter().enumerate().map(write).collect()
}

/// The disks of some images.
pub(crate) fn disks(images: &[PathBuf]) -> Vec<SparseFile> {
    images.iter().map(|image| open(image)).collect()
}

pub(crate) fn dynamic(disks: &[SparseFile]) -> Vec<&dyn Disk> {
    disks.iter().map(|disk| disk as &dyn Disk).collect()
}

/// LVM2's programs with a configuration of their own, in which there are no devices but some images.
pub(crate) struct Lvm {
    pub(crate) scratch: Scratch,
    pub(crate) devices: Vec<LoopDevice>,
    images: Vec<PathBuf>,
}

impl Lvm {
    pub(crate) fn new(scratch: Scratch) -> Self {
        let lvm = Self {
            scratch,
            devices: Vec::new(),
            images: Vec::new(),
        };
        lvm.configure();
        lvm
    }

    /// One with the images of a plan, which its programs accept.
    pub(crate) fn with_plan(plan: &Plan, sizes: &[u64], sector_size: SectorSize) -> Self {
        let scratch = Scratch::new();
        let images = write(plan, sizes, &scratch);
        let mut lvm = Self::new(scratch);
        for image in &images {
            lvm.add(image, sector_size);
        }
        lvm
    }

    /// One with empty disks, in a group `v` that vgcreate makes.
    pub(crate) fn with_group(sizes: &[u64], sector_size: SectorSize, options: &[&str]) -> Self {
        let mut lvm = Self::new(Scratch::new());
        for (number, size) in sizes.iter().enumerate() {
            lvm.add_empty(&format!("pv{number}"), *size, sector_size);
        }
        let paths = lvm.paths();
        let paths = paths.iter().map(String::as_str);
        let arguments: Vec<_> = options.iter().copied().chain(["v"]).chain(paths).collect();
        lvm.run("vgcreate", &arguments).unwrap();
        lvm
    }

    pub(crate) fn add(&mut self, image: &Path, sector_size: SectorSize) {
        let sector_size = sector_size.get().to_string();
        self.devices.push(LoopDevice::new(image, &sector_size));
        self.images.push(image.to_owned());
        self.configure();
    }

    pub(crate) fn add_empty(&mut self, name: &str, size: u64, sector_size: SectorSize) {
        let path = self.scratch.sample(name, whole_sectors(size));
        self.add(&path, sector_size);
    }

    pub(crate) fn images(&self) -> &[PathBuf] {
        &self.images
    }

    /// The devices' paths.
    pub(crate) fn paths(&self) -> Vec<String> {
        let paths = self.devices.iter().map(|device| device.path.display());
        paths.map(|path| path.to_string()).collect()
    }

    fn configure(&self) {
        let accepted = self.paths();
        let accepted = accepted.iter().map(|path| format!("\"a|^{path}$|\", "));
        let text = format!(
            "devices {{ filter = [ {}\"r|.*|\" ] use_devicesfile = 0 obtain_device_list_from_udev = 0 \
             md_component_detection = 0 }}\n\
             global {{ locking_dir = \"{}\" use_lvmpolld = 0 }}\n\
             activation {{ udev_sync = 0 udev_rules = 0 monitoring = 0 }}\n\
             backup {{ backup = 0 archive = 0 }}\n",
            accepted.collect::<String>(),
            self.scratch.path("lock").display(),
        );
        fs::write(self.scratch.path("lvm.conf"), text).unwrap();
    }

    /// What one of the programs says that ends with status 0, but for what it says always.
    pub(crate) fn run<S: AsRef<str>>(&self, program: &str, arguments: &[S]) -> Verdict<String> {
        let output = command(program)
            .env("LVM_SYSTEM_DIR", self.scratch.path(""))
            .env("LVM_SUPPRESS_FD_WARNINGS", "1")
            .args(["--driverloaded", "n"])
            .args(arguments.iter().map(AsRef::as_ref))
            .output()
            .unwrap_or_else(|error| panic!("{program} can't be run, see scripts/setup: {error}"));
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        let usual = [
            "Activation disabled",
            "NOT backed up",
            "not zeroed",
            "Running as a non-root user",
        ];
        let lines = text
            .lines()
            .filter(|line| !usual.iter().any(|usual| line.contains(usual)));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        match output.status.success() {
            true => Ok(text),
            false => Err(format!("{program}, {}: {text}", output.status)),
        }
    }

    /// Makes a logical volume in group `v`.
    pub(crate) fn create(&self, asked: &Asked) -> Verdict<String> {
        let options = [
            "--activate",
            "n",
            "--zero",
            "n",
            "--wipesignatures",
            "n",
            "--yes",
        ];
        let options = options.into_iter().map(str::to_owned);
        let arguments: Vec<_> = options.chain(asked.arguments("v")).collect();
        self.run("lvcreate", &arguments)
    }

    /// Where LVM has the extents of group `v`: [`of_plan`] has them in the same words.
    pub(crate) fn extents(&self) -> Vec<String> {
        let said = self
            .run(
                "lvs",
                &[
                    "--noheadings",
                    "--separator=;",
                    "--units=b",
                    "--nosuffix",
                    "-olv_name,seg_start_pe,seg_size_pe,stripe_size,seg_pe_ranges",
                    "v",
                ],
            )
            .unwrap();
        let mut paths: Vec<_> = self.paths().into_iter().enumerate().collect();
        // /dev/loop1 is the beginning of /dev/loop10.
        paths.sort_by_key(|(_, path)| std::cmp::Reverse(path.len()));
        let line = |line: &str| {
            let line = line.trim().to_owned();
            paths.iter().fold(line, |line, (number, path)| {
                line.replace(path.as_str(), &format!("pv{number}"))
            })
        };
        said.lines().map(line).collect()
    }

    /// All of LVM's checks of group `v`, whose images are `names`.
    pub(crate) fn accepts(&self) {
        for (path, image) in self.paths().iter().zip(&self.images) {
            let said = self.run("pvck", &[path]).unwrap();
            let is_good = |line: &str| line.contains("Found label") || line.contains("checked");
            assert!(
                !said.is_empty() && said.lines().all(|line| is_told_well(line) || is_good(line)),
                "{said}"
            );
            accepted("pvck", image);
        }
        let said = self.run("vgck", &["v"]).unwrap();
        assert_eq!(said, "");
        self.images.iter().for_each(|image| accepted("vgck", image));
    }

    /// One of the dumps of pvck.
    pub(crate) fn dump(&self, what: &str, number: usize) -> String {
        let path = &self.paths()[number];
        self.run("pvck", &["--dump", what, path]).unwrap()
    }
}

/// Whether pvck has nothing to complain of in this line.
fn is_told_well(line: &str) -> bool {
    let bad = [
        "WARNING",
        "bad",
        "Failed",
        "failed",
        "no valid",
        "not found",
        "incorrect",
        "does not",
    ];
    !bad.iter().any(|bad| line.contains(bad))
}

/// Where a plan has the extents of its group.
pub(crate) fn of_plan(plan: &Plan) -> Vec<String> {
    let extent = plan.extent_size().get();
    let start = plan.metadata_extent().end;
    let mut lines = Vec::new();
    for volume in plan.volumes() {
        for segment in &volume.segments {
            let areas = segment.areas.iter().map(|area| {
                let first = (area.offset.get() - start) / extent;
                let last = first + area.size.get() / extent - 1;
                format!("pv{}:{first}-{last}", area.member)
            });
            lines.push(format!(
                "{};{};{};{};{}",
                volume.name,
                segment.start.get() / extent,
                segment.size.get() / extent,
                segment.stripe_size.map_or(0, Bytes::get),
                areas.collect::<Vec<_>>().join(" ")
            ));
        }
    }
    lines
}
