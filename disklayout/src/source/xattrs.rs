//! Reads the extended attributes of files of the host.

use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{fgetxattr, flistxattr, lgetxattr, llistxattr};
use rustix::io::{self, Errno};

use crate::tree::{Xattr, Xattrs};

/// Linux' limit for the value of one attribute and for the names of all, in bytes.
const XATTR_SIZE_MAX: usize = 65536;

/// What has the attributes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Object<'a> {
    /// An open file or directory.
    Open(BorrowedFd<'a>),
    /// What can't be opened for this; a symbolic link is meant itself.
    At(&'a Path),
}

/// What failed, and for which attribute when it was for one.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) name: Option<Box<[u8]>>,
    pub(super) error: Errno,
}

/// All attributes that the kernel lists for this user. A filesystem without any has none.
pub(super) fn read(object: Object<'_>) -> Result<Xattrs, Failure> {
    let names = match sized(|buf| object.list(buf)) {
        Ok(names) => names,
        Err(Errno::OPNOTSUPP) => return Ok(Xattrs::NONE),
        Err(error) => return Err(Failure { name: None, error }),
    };
    let mut found = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|n| !n.is_empty()) {
        match sized(|buf| object.get(name, buf)) {
            Ok(value) => found.push(Xattr {
                name: name.into(),
                value,
            }),
            // It is gone by now.
            Err(Errno::NODATA) => {}
            Err(error) => {
                let name = Some(name.into());
                return Err(Failure { name, error });
            }
        }
    }
    Ok(Xattrs::new(found))
}

impl Object<'_> {
    fn list(self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Open(file) => flistxattr(file, buf),
            Self::At(path) => llistxattr(path, buf),
        }
    }

    fn get(self, name: &[u8], buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Open(file) => fgetxattr(file, name, buf),
            Self::At(path) => lgetxattr(path, name, buf),
        }
    }
}

/// What `read` puts into a buffer; most of it is short.
fn sized(read: impl Fn(&mut [u8]) -> io::Result<usize>) -> io::Result<Box<[u8]>> {
    let mut small = [0; 512];
    match read(&mut small) {
        Ok(len) => Ok(small[..len].into()),
        Err(Errno::RANGE) => {
            let mut large = vec![0; XATTR_SIZE_MAX];
            let len = read(&mut large)?;
            Ok(large[..len].into())
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::fd::AsFd;

    use rustix::fs::{XattrFlags, setxattr};

    use super::*;

    #[test]
    fn short_and_long_attributes_are_read_by_descriptor_and_by_path() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let values = [vec![], vec![0], vec![7; 512], vec![8; 513], vec![9; 1500]];
        let expected = values.map(|value| Xattr {
            name: format!("user.{:0>200}", value.len()).into_bytes().into(),
            value: value.into(),
        });
        for Xattr { name, value } in &expected {
            setxattr(file.path(), &**name, value, XattrFlags::empty()).unwrap();
        }
        let open = File::open(file.path()).unwrap();
        for object in [Object::Open(open.as_fd()), Object::At(file.path())] {
            let found = read(object).unwrap();
            let found = found.iter().filter(|x| x.name.starts_with(b"user."));
            assert!(found.eq(&expected));
        }
    }

    #[test]
    fn what_has_no_attributes_has_none_and_what_is_gone_is_an_error() {
        let none = read(Object::At(Path::new("/proc/self/stat"))).unwrap();
        assert!(none.iter().all(|xattr| !xattr.name.starts_with(b"user.")));
        let gone = read(Object::At(Path::new("/proc/self/none"))).unwrap_err();
        assert_eq!((gone.name, gone.error), (None, Errno::NOENT));
    }
}
