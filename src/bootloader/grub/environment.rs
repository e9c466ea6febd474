//! GRUB's environment block: where it keeps variables between two starts.

/// Bytes of it. GRUB writes into the file where it lies, so that it never becomes longer.
const LEN: usize = 1024;

/// What it begins with.
const SIGNATURE: &[u8] = b"# GRUB Environment Block\n";

/// An environment without variables.
pub(super) fn empty() -> Vec<u8> {
    let mut block = SIGNATURE.to_vec();
    block.resize(LEN, b'#');
    block
}
