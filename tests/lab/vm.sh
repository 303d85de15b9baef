#!/usr/bin/env bash
# Makes a small virtual machine for tests/power: another kernel than this one's, version 2 control groups alone, and a
# machine that can lose its power. Emulated by QEMU, so it needs neither hardware support nor root once it is made.
#   vm.sh make DIR WHARF    writes DIR/{kernel,initrd,disk}; WHARF is the program to put in; installs what is missing (as root)
# What cannot be had here is said in one line and is no failure, unless WHARF_TEST_STRICT=1: a skipped run is not a pass.
# The disk holds the program, its libraries and busybox. The machine runs the script that its second disk begins with and
# then turns itself off.
set -euo pipefail
[ "${1:-}" = make ] && [ -n "${2:-}" ] && [ -x "${3:-}" ] || { sed -n 2,9p "$0"; exit 2; }
dir=$2 wharf=$3
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

cannot() { echo "virtual machine: NOT checked: $1"; if [ "${WHARF_TEST_STRICT:-}" = 1 ]; then exit 1; else exit 0; fi; }

declare -A provides=([qemu-system-x86_64]=qemu-system-x86 [busybox]=busybox-static [cpio]=cpio [mke2fs]=e2fsprogs)
missing=()
for program in "${!provides[@]}"; do command -v "$program" >/dev/null || missing+=("${provides[$program]}"); done
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" -eq 0 ] || cannot "only root can install ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || cannot "${missing[*]} cannot be installed"
fi

# A distribution's kernel, unpacked and not installed.
if [ ! -e "$dir/kernel" ]; then
  package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends:/ { print $2; exit }')
  [ -n "$package" ] || cannot "no package of a kernel for virtual machines is known"
  (cd "$dir" && apt-get download -qq "$package" 2>/dev/null) || cannot "$package cannot be fetched"
  rm -rf "$dir/package"
  dpkg-deb -x "$dir/$package"_*.deb "$dir/package"
  rm "$dir/$package"_*.deb
  cp "$dir"/package/boot/vmlinuz-* "$dir/kernel"
fi

# The first file system finds the disk; everything else is on the disk.
early=$dir/early
rm -rf "$early"; mkdir -p "$early"/{bin,modules,disk,proc,sys,dev}
cp "$(command -v busybox)" "$early/bin/"
ln -s busybox "$early/bin/sh"
modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk overlay)
for module in "${modules[@]}"; do find "$dir/package/lib/modules" -name "$module.ko" -exec cp {} "$early/modules/" \;; done
cat >"$early/init" <<INIT
#!/bin/sh
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
for module in ${modules[*]}; do insmod /modules/\$module.ko; done
until [ -b /dev/vda ] && [ -b /dev/vdb ]; do sleep 0.1; done
mount -t ext4 /dev/vda /disk || poweroff -f
mount --move /dev /disk/dev
exec switch_root /disk /init
INIT
chmod +x "$early/init"
(cd "$early" && find . | cpio --quiet -o -H newc | gzip -1) >"$dir/initrd"

root=$dir/root
rm -rf "$root"; mkdir -p "$root"/{bin,usr/bin,proc,sys,dev,tmp,run,etc,root,var}
cp "$(command -v busybox)" "$root/bin/"
for applet in $(busybox --list); do [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"; done
cp "$wharf" "$root/usr/bin/wharf"
strip "$root/usr/bin/wharf"
ldd "$wharf" | grep -o '/[^ ]*' | while read -r library; do mkdir -p "$root/$(dirname "$library")"; cp -L "$library" "$root/$library"; done
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
cat >"$root/init" <<'INIT'
#!/bin/sh
export PATH=/bin:/usr/bin HOME=/root
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmp /tmp; mount -t tmpfs run /run
mkdir -p /dev/pts; mount -t devpts pts /dev/pts; mount -t cgroup2 cgroup /sys/fs/cgroup
dmesg -n 1; stty -onlcr; ifconfig lo 127.0.0.1 up; hostname vm
sh /dev/vdb
poweroff -f
INIT
chmod +x "$root/init"
mke2fs -q -t ext4 -F -d "$root" "$dir/disk" 1G
echo "virtual machine: made in $dir, Linux $(basename "$dir"/package/lib/modules/*)"
