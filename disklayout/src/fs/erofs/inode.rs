//! The bytes of inodes.

use zerocopy::IntoBytes;
use zerocopy::little_endian::{U16, U32, U64};

use super::format::*;
use super::layout::{Data, Inode, Layout};
use super::xattr;
use crate::tree::{Device, FileTree, NodeKind};

/// An inode without what follows it; `number` is the one that `stat` tells where it has 32 bits.
pub(super) fn bytes(layout: &Layout, tree: &FileTree, inode: &Inode, number: u32) -> Vec<u8> {
    let node = tree.node(inode.node);
    let own = node.attributes;
    let mode = file_types(&node.kind).0 | own.permissions;
    let links = layout.links(tree, inode.node);
    let i_xattr_icount = U16::new(xattr::icount(inode.xattr_len as usize));
    let i_u = U32::new(union(inode, &node.kind));
    let i_ino = U32::new(number);
    if inode.is_extended {
        let inode = InodeExtended {
            i_format: U16::new(format(inode)),
            i_xattr_icount,
            i_mode: U16::new(mode),
            i_reserved: U16::ZERO,
            i_size: U64::new(inode.size),
            i_u,
            i_ino,
            i_uid: U32::new(own.uid),
            i_gid: U32::new(own.gid),
            i_mtime: U64::new(own.mtime.seconds.cast_unsigned()),
            i_mtime_nsec: U32::new(own.mtime.nanoseconds),
            i_nlink: U32::new(links),
            i_reserved2: [0; 16],
        };
        return inode.as_bytes().to_vec();
    }
    // That all of it fits was seen when the inode became a compact one.
    let inode = InodeCompact {
        i_format: U16::new(format(inode)),
        i_xattr_icount,
        i_mode: U16::new(mode),
        i_nlink: U16::new(links as u16),
        i_size: U32::new(inode.size as u32),
        i_reserved: U32::ZERO,
        i_u,
        i_ino,
        i_uid: U16::new(own.uid as u16),
        i_gid: U16::new(own.gid as u16),
        i_reserved2: U32::ZERO,
    };
    inode.as_bytes().to_vec()
}

const fn format(inode: &Inode) -> u16 {
    let layout = match inode.data {
        Data::Plain => EROFS_INODE_FLAT_PLAIN,
        Data::Inline => EROFS_INODE_FLAT_INLINE,
        Data::Chunks(_) => EROFS_INODE_CHUNK_BASED,
    };
    let version = if inode.is_extended {
        EROFS_I_EXTENDED
    } else {
        0
    };
    version | layout << EROFS_I_DATALAYOUT_BIT
}

fn union(inode: &Inode, kind: &NodeKind) -> u32 {
    match (kind, &inode.data) {
        (NodeKind::CharacterDevice(it) | NodeKind::BlockDevice(it), _) => device(*it),
        (_, Data::Chunks(chunks)) => chunks.bits & EROFS_CHUNK_FORMAT_BLKBITS_MASK,
        _ => inode.start,
    }
}

/// A device's numbers as Linux packs them into 32 bits (`new_encode_dev`).
const fn device(device: Device) -> u32 {
    device.minor & 0xFF | (device.major & 0xFFF) << 8 | (device.minor & 0xF_FF00) << 12
}

/// The type as an inode and as a directory records it.
pub(super) const fn file_types(kind: &NodeKind) -> (u16, u8) {
    match kind {
        NodeKind::Directory => (S_IFDIR, EROFS_FT_DIR),
        NodeKind::File(_) => (S_IFREG, EROFS_FT_REG_FILE),
        NodeKind::Symlink(_) => (S_IFLNK, EROFS_FT_SYMLINK),
        NodeKind::CharacterDevice(_) => (S_IFCHR, EROFS_FT_CHRDEV),
        NodeKind::BlockDevice(_) => (S_IFBLK, EROFS_FT_BLKDEV),
        NodeKind::Fifo => (S_IFIFO, EROFS_FT_FIFO),
        NodeKind::Socket => (S_IFSOCK, EROFS_FT_SOCK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_devices_are_packed_as_linux_does() {
        for (major, minor, packed) in [
            (4, 300, 0x10_042C),
            (8, 1, 0x801),
            (4095, 1_048_575, u32::MAX),
        ] {
            assert_eq!(device(Device { major, minor }), packed);
        }
    }
}
