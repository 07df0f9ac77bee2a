# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Small initramfs images: busybox, a few modules, an init.

# What a kernel needs to see its disks: virtio on QEMU (NVMe would be built in,
# but loses an interrupt in one boot of ten and then waits a minute), ATA on
# Bochs. What a kernel has built in is passed over.
BOOT_MODULES=(virtio_pci virtio_blk ata_piix sd_mod)

# modules_closure MODULES-DIR NAME...: relative paths, dependencies first.
modules_closure()
{
	local dir=$1
	shift
	awk -v want="$*" '
		function base(p) { sub(/.*\//, "", p); sub(/\.ko.*/, "", p); gsub(/-/, "_", p); return p }
		{
			p = $1; sub(/:$/, "", p)
			path[base(p)] = p
			deps[base(p)] = ""
			for (i = NF; i > 1; i--) deps[base(p)] = deps[base(p)] " " $i
		}
		END {
			n = split(want, w, " ")
			for (i = 1; i <= n; i++) {
				name = w[i]; gsub(/-/, "_", name)
				if (!(name in path)) continue
				m = split(deps[name], d, " ")
				for (j = 1; j <= m; j++) if (!seen[d[j]]++) print d[j]
				if (!seen[path[name]]++) print path[name]
			}
		}' "$dir/modules.dep"
}

# initramfs_base DIR MODULES-DIR MODULE...: busybox and modules, unpacked and
# named in the order in which to load them.
initramfs_base()
{
	local r=$1 mods=$2 m f
	shift 2
	mkdir -p "$r"/{bin,sbin,usr/bin,usr/sbin,dev,proc,sys,tmp,mnt,modules,newroot}
	cp "$BUILDROOT/usr/bin/busybox" "$r/bin/busybox"
	ln -s busybox "$r/bin/sh"
	: >"$r/modules/order"
	while read -r m; do
		f=$(basename "$m")
		f=${f%%.ko*}.ko
		case $m in
		*.xz) xz -dc "$mods/$m" >"$r/modules/$f" ;;
		*) cp "$mods/$m" "$r/modules/$f" ;;
		esac
		echo "$f" >>"$r/modules/order"
	done < <(modules_closure "$mods" "$@")
}

# initramfs_pack DIR FILE: stored uncompressed, since unpacking costs an
# emulated CPU more than reading.
initramfs_pack()
{
	(cd "$1" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$2"
}

# boot_initrd: sets BOOT_INITRD, with which kernel K_ABI mounts the root image.
boot_initrd()
{
	local key
	BOOT_INITRD=$K_DIR/boot/initrd
	key="$K_ABI $K_VERSION $(buildroot_key) $(file_key initrd.sh ../machine/initramfs-init)"
	is_fresh "$K_DIR/boot" "$key" || with_lock "boot-$K_ABI" boot_initrd_make "$key"
}

boot_initrd_make()
{
	local key=$1 dir=$K_DIR/boot tmp
	! is_fresh "$dir" "$key" || return 0
	tmp=$(begin_dir "$dir")
	initramfs_base "$tmp/tree" "$K_DIR/image/lib/modules/$K_ABI" "${BOOT_MODULES[@]}"
	install -m 755 "$LAB_DIR/machine/initramfs-init" "$tmp/tree/init"
	initramfs_pack "$tmp/tree" "$tmp/initrd"
	rm -rf "$tmp/tree"
	finish_dir "$tmp" "$dir" "$key"
}
