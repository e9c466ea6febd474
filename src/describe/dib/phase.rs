//! The phases of a build: directories of scripts, in the order in which they run.

/// A phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// Its name; its scripts are in `NAME.d`.
    pub name: &'static str,
    /// Where its scripts run.
    pub place: Side,
}

/// Where scripts run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// On the host, beside the tree.
    Outside,
    /// With the tree as their root.
    Inside,
}

impl Phase {
    /// Makes the tree.
    pub const ROOT: Self = Self::outside("root");
    /// Fetches what scripts in the tree need.
    pub const EXTRA_DATA: Self = Self::outside("extra-data");
    /// Prepares the tree for packages.
    pub const PRE_INSTALL: Self = Self::inside("pre-install");
    /// Installs what the image is for; packages that were asked for come behind it.
    pub const INSTALL: Self = Self::inside("install");
    /// Works on what is installed.
    pub const POST_INSTALL: Self = Self::inside("post-install");
    /// Works on the complete tree.
    pub const POST_ROOT: Self = Self::outside("post-root");
    /// Made devices before there were configurations of them.
    pub const BLOCK_DEVICE: Self = Self::outside("block-device");
    /// The first that knows the disk.
    pub const PRE_FINALISE: Self = Self::outside("pre-finalise");
    /// Installs a boot loader.
    pub const FINALISE: Self = Self::inside("finalise");
    /// Takes away what nobody needs any more.
    pub const CLEANUP: Self = Self::outside("cleanup");

    /// All phases, in their order.
    pub const ALL: [Self; 10] = [
        Self::ROOT,
        Self::EXTRA_DATA,
        Self::PRE_INSTALL,
        Self::INSTALL,
        Self::POST_INSTALL,
        Self::POST_ROOT,
        Self::BLOCK_DEVICE,
        Self::PRE_FINALISE,
        Self::FINALISE,
        Self::CLEANUP,
    ];

    const fn outside(name: &'static str) -> Self {
        let place = Side::Outside;
        Self { name, place }
    }

    const fn inside(name: &'static str) -> Self {
        let place = Side::Inside;
        Self { name, place }
    }

    /// The directory of its scripts.
    pub fn directory(self) -> String {
        format!("{}.d", self.name)
    }
}
