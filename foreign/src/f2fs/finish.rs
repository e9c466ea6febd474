//! Turns what sload.f2fs made of a directory into what that stands for.

use std::mem::offset_of;

use disklayout::disk::Disk;
use disklayout::fs::copy::Piece;
use disklayout::fs::file_type::file_types;
use disklayout::tree::{Content, Device, FileTree, Node, NodeId, NodeKind};
use disklayout::{Error, Result};
use zerocopy::{FromBytes, IntoBytes};

use super::format::{
    DATA_EXIST, DEF_ADDRS_PER_INODE, DEFAULT_INLINE_XATTR_ADDRS, DentryBlock, INLINE_DATA,
    INLINE_DENTRY, INLINE_XATTR, Inode, NEW_ADDR, NR_DENTRY_IN_BLOCK, NULL_ADDR, SLOT_LEN,
};
use super::volume::{Volume, corrupt};
use super::{BLOCK_SIZE, xattr};

/// What made the filesystem, as its superblock has it. Else it would be the kernel of the host.
const MAKER: &[u8] = b"createhdds";

/// Makes the filesystem on `disk` that of the tree: nodes get their type, owner, permissions,
/// times and attributes. What comes back is where the data of the files has to go.
///
/// # Errors
/// `Corrupt` when the filesystem isn't that of the tree, `Unsupported` when it has features that
/// mkfs.f2fs doesn't give it by itself, `Io`.
pub(super) fn finish<'a>(disk: &dyn Disk, tree: &'a FileTree) -> Result<Vec<Piece<'a>>> {
    let mut volume = Volume::open(disk)?;
    volume.sb.version.fill(0);
    volume.sb.version[..MAKER.len()].copy_from_slice(MAKER);
    volume.sb.init_version = volume.sb.version;
    volume.write_super()?;
    let numbers = find(&volume, tree)?;
    let mut pieces = Vec::new();
    for (id, node) in tree.nodes() {
        let (address, mut inode) = volume.inode(numbers[id.index()])?;
        stamp(&mut inode, node);
        match &node.kind {
            NodeKind::File(content) => pieces.extend(place(&volume, address, &inode, content)?),
            NodeKind::CharacterDevice(it) | NodeKind::BlockDevice(it) => {
                special(&mut inode, Some(*it))
            }
            NodeKind::Fifo | NodeKind::Socket => special(&mut inode, None),
            NodeKind::Directory | NodeKind::Symlink(_) => {}
        }
        add_attributes(&mut inode, node)?;
        volume.write_block(address, inode.as_bytes())?;
    }
    Ok(pieces)
}

/// The inode of each node by the node's index. Entries get the types of what they lead to.
fn find(volume: &Volume<'_>, tree: &FileTree) -> Result<Vec<u32>> {
    let mut numbers = vec![0; tree.slots()];
    numbers[FileTree::ROOT.index()] = volume.sb.root_ino.get();
    let mut pending = vec![FileTree::ROOT];
    while let Some(directory) = pending.pop() {
        let (_, inode) = volume.inode(numbers[directory.index()])?;
        if inode.i_inline & INLINE_DENTRY != 0 {
            let message = format!(
                "has entries in inode {}, which aren't known here",
                numbers[directory.index()]
            );
            return Err(Error::unsupported("the F2FS filesystem", message));
        }
        let mut count = 0;
        let blocks = inode.i_size.get().div_ceil(BLOCK_SIZE.into());
        for address in volume.blocks(&inode, blocks)? {
            if !matches!(address, NULL_ADDR | NEW_ADDR) {
                count += visit(volume, tree, directory, address, &mut numbers, &mut pending)?;
            }
        }
        let expected = tree.entries(directory).count();
        if count != expected {
            let path = tree.path(directory);
            return Err(corrupt(format!(
                "has {count} of {expected} names in '{}/'",
                path.escape_ascii()
            )));
        }
    }
    Ok(numbers)
}

/// Looks at the entries in a block of a directory; how many there are.
fn visit(
    volume: &Volume<'_>,
    tree: &FileTree,
    directory: NodeId,
    address: u32,
    numbers: &mut [u32],
    pending: &mut Vec<NodeId>,
) -> Result<usize> {
    let bytes = volume.block(address)?;
    let mut block = DentryBlock::read_from_bytes(&bytes).expect("it has this size");
    let (mut slot, mut count) = (0, 0);
    while slot < NR_DENTRY_IN_BLOCK {
        let is_used = block.dentry_bitmap[slot / 8] >> (slot % 8) & 1 == 1;
        let entry = block.dentry[slot];
        let len = usize::from(entry.name_len.get());
        if !is_used || len == 0 {
            slot += 1;
            continue;
        }
        let names = block.filename.as_bytes();
        let name = names.get(slot * SLOT_LEN..slot * SLOT_LEN + len);
        let name = name.ok_or_else(|| corrupt("has a broken directory"))?;
        if !matches!(name, b"." | b"..") {
            let node = tree.entry(directory, name).ok_or_else(|| {
                corrupt(format!(
                    "has an unknown '{}/{}'",
                    tree.path(directory).escape_ascii(),
                    name.escape_ascii()
                ))
            })?;
            let kind = &tree.node(node).kind;
            block.dentry[slot].file_type = file_types(kind).1;
            numbers[node.index()] = entry.ino.get();
            if kind.is_directory() {
                pending.push(node);
            }
            count += 1;
        }
        slot += len.div_ceil(SLOT_LEN);
    }
    if block.as_bytes() != bytes {
        volume.write_block(address, block.as_bytes())?;
    }
    Ok(count)
}

fn stamp(inode: &mut Inode, node: &Node) {
    let attributes = &node.attributes;
    let time = attributes.mtime;
    inode.i_mode = (file_types(&node.kind).0 | attributes.permissions).into();
    (inode.i_uid, inode.i_gid) = (attributes.uid.into(), attributes.gid.into());
    let seconds = (time.seconds as u64).into();
    (inode.i_atime, inode.i_mtime, inode.i_ctime) = (seconds, seconds, seconds);
    let nanoseconds = time.nanoseconds.into();
    (inode.i_atime_nsec, inode.i_mtime_nsec, inode.i_ctime_nsec) =
        (nanoseconds, nanoseconds, nanoseconds);
    inode.i_generation = 0.into();
}

/// Makes an empty file one that has no data but, perhaps, the number of a device.
fn special(inode: &mut Inode, device: Option<Device>) {
    inode.i_inline &= !(INLINE_DATA | DATA_EXIST);
    let Some(Device { major, minor }) = device else {
        return;
    };
    // 8 bits each have a place of their own.
    let (old, new) = match major < 256 && minor < 256 {
        true => (major << 8 | minor, 0),
        false => (0, minor & 0xff | major << 8 | (minor & !0xff) << 12),
    };
    (inode.i_addr[0], inode.i_addr[1]) = (old.into(), new.into());
}

/// Where the data of a file goes: into its inode, or into blocks.
fn place<'a>(
    volume: &Volume<'_>,
    address: u32,
    inode: &Inode,
    content: &'a Content,
) -> Result<Vec<Piece<'a>>> {
    let number = inode.footer.ino.get();
    let size = inode.i_size.get();
    if size != content.len() {
        return Err(corrupt(format!(
            "has {size} bytes of {} in inode {number}",
            content.len()
        )));
    }
    let block_size = u64::from(BLOCK_SIZE);
    if inode.i_inline & INLINE_DATA != 0 {
        // The first word is reserved.
        let within = offset_of!(Inode, i_addr) as u64 + 4;
        let disk = u64::from(address) * block_size + within;
        let piece = Piece {
            content,
            logical: 0,
            len: size,
            disk,
            ends_file: true,
        };
        return Ok(vec![piece]);
    }
    let blocks = volume.blocks(inode, size.div_ceil(block_size))?;
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for (logical, address) in (0..).step_by(BLOCK_SIZE as usize).zip(blocks) {
        if matches!(address, NULL_ADDR | NEW_ADDR) {
            let extents = content.extents_in(logical..logical + block_size);
            if extents.count() > 0 {
                return Err(corrupt(format!("has a hole in inode {number}")));
            }
            continue;
        }
        let disk = u64::from(address) * block_size;
        let len = block_size.min(size - logical);
        match pieces.last_mut() {
            Some(last) if last.disk + last.len == disk && last.logical + last.len == logical => {
                last.len += len
            }
            _ => pieces.push(Piece {
                content,
                logical,
                len,
                disk,
                ends_file: false,
            }),
        }
    }
    match pieces.last_mut() {
        Some(last) => last.ends_file = true,
        None => pieces.push(Piece::of_empty(content)),
    }
    Ok(pieces)
}

fn add_attributes(inode: &mut Inode, node: &Node) -> Result<()> {
    let bytes = xattr::encode(&node.xattrs).map_err(corrupt)?;
    if bytes.is_empty() {
        return Ok(());
    }
    if inode.i_inline & INLINE_XATTR == 0 {
        return Err(corrupt("has an inode without room for attributes"));
    }
    let first = DEF_ADDRS_PER_INODE - DEFAULT_INLINE_XATTR_ADDRS;
    inode.i_addr[first..].as_mut_bytes().copy_from_slice(&bytes);
    Ok(())
}
