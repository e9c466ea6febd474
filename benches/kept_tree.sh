#!/usr/bin/env bash
# A small tree with everything that an ext4 filesystem can keep about files, for benches/kept.sh:
#
#   kept_tree.sh DIRECTORY
#
# Needs root, for devices and owners.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C
umask 022
mkdir "$1"
cd "$1"

echo "a file" > file
mkdir directory
echo "two names" > linked
ln linked directory/also-linked

ln -s file symlink
ln -s "directory/../directory/../directory/../directory/../directory/../directory/also-linked" \
    long-symlink

mknod character c 1 3
mknod block b 259 70000
mkfifo fifo
perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0); bind($s, sockaddr_un("socket"))'

# 64 MiB of which three blocks are data; the last one is a hole.
truncate --size=64M sparse
for block in 0 5000 12000; do
    printf 'data%.0s' {1..1024} | dd status=none of=sparse bs=4096 seek="$block" conv=notrunc
done

echo program > setuid
chmod 4755 setuid
echo program > setgid
chmod 2711 setgid
mkdir sticky
chmod 1777 sticky

echo owned > owned
chown 1000:1001 owned
echo owned > owned-32-bit
chown 100000:3000000000 owned-32-bit

echo attributes > attributes
setfattr -n user.comment -v "a value" attributes
setfattr -n user.empty attributes
setfattr -n user.large -v "0x$(printf '%06000d' 0)" attributes
setfattr -n trusted.overlay.opaque -v y directory
echo program > capability
setcap cap_net_raw+ep capability
echo shared > acl
# Numbers without a name: GNU tar 1.34 writes names, whatever it is told.
setfacl -m u:70000:rw,g:70001:r,m::rw acl
mkdir acl-directory
setfacl -m u:70000:rwx acl-directory
setfacl -d -m g:70001:rx acl-directory
setfattr -n security.selinux -v 'system_u:object_r:etc_t:s0' file
echo labelled > both
setfattr -n security.selinux -v 'system_u:object_r:bin_t:s0' both
setfattr -n user.comment -v "beside a label" both

echo name > $'latin-1-\xe9\xff'
echo name > $'line\nbreak'
echo name > "$(printf 'n%.0s' {1..255})"

mkdir large
(cd large && touch entry-with-a-long-name-{00001..05000})

find . -depth -exec touch --no-dereference --date='2023-04-05 06:07:08.123456789 UTC' {} +
touch --date='1955-11-05 06:15:00.25 UTC' linked
touch --date='2155-11-05 06:15:00.75 UTC' owned
# Or else every reader changes it: the kernel wants it to be later than the last change.
touch -a --date='2156-01-01 UTC' owned
chmod 751 .
chown 1000:1001 .
touch --date='2022-02-02 02:02:02.222222222 UTC' .
