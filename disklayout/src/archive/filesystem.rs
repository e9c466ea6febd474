//! A filesystem that is only read, alone in its file and as small as can be.

use std::io::{self, Seek, Write};
use std::sync::Arc;

use super::{Facts, Format, Plan, Request};
use crate::about::About;
use crate::disk::{MakeFile, SparseFile};
use crate::error::{Error, Result};
use crate::fs::{self, FsPlan, Progress};
use crate::place::Place;
use crate::tree::FileTree;
use crate::units::{Bytes, Lba, SectorSize};

/// A format of filesystems as one of archives.
#[derive(Clone, Debug)]
pub struct Filesystem {
    format: Arc<dyn fs::Format>,
}

impl Filesystem {
    /// The format of archives that are such filesystems. Its extension is its name.
    pub fn new(format: impl fs::Format + 'static) -> Self {
        let format = Arc::new(format);
        Self { format }
    }
}

impl Format for Filesystem {
    fn about(&self) -> About {
        let names = self.format.names();
        About {
            names,
            extension: names[0],
            choices: self.format.choices(),
        }
    }

    fn plan(&self, request: Request<'_>) -> Result<Box<dyn Plan>> {
        let place = request.place.clone();
        let draft = self.format.draft(fs::Request {
            place: request.place,
            kind: self.about().name(),
            start: Lba::new(0),
            sector_size: SectorSize::default(),
            label: None,
            uuid: None,
            options: request.options.clone(),
            tree: request.tree,
            misfits: request.misfits,
            identity: request.identity.clone(),
        })?;
        let size = draft.smallest(Bytes::new(0))?;
        let plan = draft.at(size)?;
        plan.check_tools()?;
        Ok(Box::new(FilesystemPlan { place, size, plan }))
    }
}

#[derive(Debug)]
struct FilesystemPlan {
    place: Place,
    size: Bytes,
    plan: Box<dyn FsPlan>,
}

impl Plan for FilesystemPlan {
    fn tree(&self) -> &FileTree {
        self.plan.tree()
    }

    fn warnings(&self) -> &[String] {
        self.plan.warnings()
    }

    fn len(&self) -> Option<Bytes> {
        Some(self.size)
    }

    fn write(
        &self,
        out: &mut dyn Write,
        make: &MakeFile<'_>,
        progress: &dyn Progress,
    ) -> Result<Facts> {
        let fail = |error: io::Error| Error::io(&self.place, "can't write the archive", error);
        let mut file = make().map_err(fail)?;
        let disk = file.try_clone();
        let disk = disk.and_then(|file| SparseFile::create(file, self.size.get()));
        self.plan.write_all(&disk.map_err(fail)?, progress)?;
        file.rewind().map_err(fail)?;
        io::copy(&mut file, out).map_err(fail)?;
        out.flush().map_err(fail)?;
        Ok(Facts::new())
    }
}
