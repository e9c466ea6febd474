"""Lists the tar archive named on the command line: one JSON object for each member."""

import hashlib
import json
import os
import sys
import tarfile

KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.SYMTYPE: "symlink",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.DIRTYPE: "directory",
    tarfile.FIFOTYPE: "fifo",
}
XATTR = "SCHILY.xattr."
BLOCK = 4096


def raw(text):
    return text.encode("utf-8", "surrogateescape").hex()


def digest(data, length):
    """The sum of blocks that aren't zero, as the tests have it for all files."""
    whole = hashlib.sha256(length.to_bytes(8, "little"))
    for offset in range(0, length, BLOCK):
        block = data.read(BLOCK)
        if block.strip(b"\0"):
            whole.update(offset.to_bytes(8, "little"))
            whole.update(block)
    return whole.hexdigest()


def described(archive, member):
    kind = "link" if member.islnk() else KINDS[member.type]
    told = {
        "path": raw(member.name),
        "kind": kind,
        "mode": member.mode,
        "owner": [member.uid, member.gid],
        "mtime": member.pax_headers.get("mtime", str(member.mtime)),
        "target": raw(member.linkname),
        "device": [member.devmajor, member.devminor],
        "xattrs": {
            raw(key.removeprefix(XATTR)): raw(value)
            for key, value in member.pax_headers.items()
            if key.startswith(XATTR)
        },
        "acls": sorted(key for key in member.pax_headers if ".acl." in key),
    }
    if kind == "file":
        told["len"] = member.size
        told["sum"] = digest(archive.extractfile(member), member.size)
    return told


with tarfile.open(sys.argv[1], encoding="utf-8", errors="surrogateescape") as archive:
    for member in archive:
        print(json.dumps(described(archive, member)))
