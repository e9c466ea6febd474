//! Whether layers are what their digests say.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::digest::{Digest, Sum};
use super::files::Files;
use super::layers::Layer;
use crate::error::{Error, Result};
use crate::source::archive;

/// How much is read at once.
const BUFFER: usize = 1 << 20;

/// Reads what the layers are stored as, several at a time, and holds it against their digests.
///
/// # Errors
/// `Corrupt` for the first layer that isn't what it should be; `Io` when reading fails.
pub(super) fn verify(files: &Files, layers: &[Layer]) -> Result<()> {
    let mut known = BTreeSet::new();
    let distinct = layers.iter().filter(|layer| {
        let stored = (
            layer.section.start(),
            &layer.digest,
            &layer.diff_id,
            &layer.name,
        );
        known.insert(stored)
    });
    let distinct: Vec<_> = distinct.collect();
    let results = distinct
        .into_par_iter()
        .map(|layer| verify_one(files, layer));
    let results: Vec<_> = results.collect();
    results.into_iter().collect()
}

fn verify_one(files: &Files, layer: &Layer) -> Result<()> {
    let failed = |error| files.failed(&format!("read {}", layer.name), error);
    let is_plain = !archive::is_compressed(&layer.section).map_err(failed)?;
    // That of a compressed one is made where it is decompressed anyway.
    let of_content = is_plain.then_some(&layer.diff_id);
    let wanted: BTreeSet<_> = layer.digest.iter().chain(of_content).collect();
    for digest in wanted {
        let found = sum(digest.begin(), layer).map_err(failed)?;
        if found != *digest {
            return Err(damaged(files, layer, digest, &found));
        }
    }
    Ok(())
}

fn sum(mut sum: Sum, layer: &Layer) -> io::Result<Digest> {
    let mut buf = vec![0; BUFFER];
    let mut offset = 0;
    loop {
        match layer.section.read_at(&mut buf, offset) {
            Ok(0) => return Ok(sum.finish()),
            Ok(count) => {
                sum.update(&buf[..count]);
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn damaged(files: &Files, layer: &Layer, said: &Digest, is: &Digest) -> Error {
    let name = &layer.name;
    files.corrupt(format!("{name} is damaged: its digest is {is}, not {said}"))
}

/// Makes the digest of what is read to its end.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    begun: Sum,
    found: Arc<Mutex<Option<Digest>>>,
}

impl Witness {
    /// By the algorithm of the digest that is expected.
    pub(super) fn new(expected: &Digest) -> Self {
        Self {
            begun: expected.begin(),
            found: Arc::default(),
        }
    }

    /// The bytes on their way through.
    pub(super) fn watch(&self, bytes: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(Watched {
            bytes,
            sum: Some(self.begun.clone()),
            found: Arc::clone(&self.found),
        })
    }

    /// # Errors
    /// `Corrupt` when what went through isn't what the configuration says of the layer. What was
    /// stored plain didn't go through.
    pub(super) fn check(&self, files: &Files, layer: &Layer) -> Result<()> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        match &*found {
            Some(found) if *found != layer.diff_id => {
                Err(damaged(files, layer, &layer.diff_id, found))
            }
            _ => Ok(()),
        }
    }
}

struct Watched {
    bytes: Box<dyn Read + Send>,
    /// None at the end.
    sum: Option<Sum>,
    found: Arc<Mutex<Option<Digest>>>,
}

impl Read for Watched {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buf)?;
        if count > 0 {
            if let Some(sum) = &mut self.sum {
                sum.update(&buf[..count]);
            }
        } else if !buf.is_empty()
            && let Some(sum) = self.sum.take()
        {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            *found = Some(sum.finish());
        }
        Ok(count)
    }
}
