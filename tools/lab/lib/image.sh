# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# The root image of the test machines: one for all kernels and both emulators,
# and one more for measuring.

# The set of packages; LAB_BENCH chooses. Sets ROOTIMAGE, too.
rootimage_packages()
{
	ROOTIMAGE=$LAB_CACHE/rootimage${LAB_BENCH:+-bench}
	ROOTIMAGE_PACKAGES=("${MACHINE_PACKAGES[@]}")
	[ -z "${LAB_BENCH:-}" ] || ROOTIMAGE_PACKAGES+=("${PEER_PACKAGES[@]}")
}

# Self-tests of the kernel and security frameworks that cost an emulated CPU a
# second and matter to nobody here.
LAB_QUICK_BOOT='audit=0 apparmor=0 cryptomgr.notests initcall_blacklist=jent_mod_init,load_system_certificate_list'

LAB_PAYLOAD_LABEL=kvmx-payload

rootimage_key()
{
	key_of 5 "${ROOTIMAGE_PACKAGES[@]}" "$(file_key ../machine/stage1)"
}

rootimage()
{
	rootimage_packages
	! is_fresh "$ROOTIMAGE" "$(rootimage_key)" || return 0
	buildroot
	with_lock "$(basename "$ROOTIMAGE")" rootimage_make
}

rootimage_make()
{
	local tmp key r
	key=$(rootimage_key)
	! is_fresh "$ROOTIMAGE" "$key" || return 0
	need_host_tools
	apt_prepare
	say "making the machine's root image (trixie, a minute or two)"
	tmp=$(begin_dir "$ROOTIMAGE")
	r=$tmp/root
	bootstrap_root "$r" essential trixie "${ROOTIMAGE_PACKAGES[@]}"
	# What no test needs, but QEMU and perf bring along.
	rm -rf "$r"/usr/share/{edk2*,ipxe,OVMF,qemu-efi*,locale,man,doc,i18n,fonts,icons} \
		"$r"/usr/lib/ipxe "$r"/usr/lib/x86_64-linux-gnu/{perl,dri,gconv/IBM*} \
		"$r"/var/lib/dpkg/info "$r"/var/log/* "$r"/usr/share/{zoneinfo,bash-completion,locale-langpack} \
		"$r"/lib/modules "$r"/usr/lib/modules
	rm -rf "$r"/usr/lib/python3/dist-packages
	mkdir -p "$r"/{kvmx,proc,sys,dev,tmp,run,lib/modules}
	install -m 755 "$LAB_DIR/machine/stage1" "$r/sbin/kvmx-init"
	echo kvmx >"$r/etc/hostname"
	printf '127.0.0.1 localhost kvmx\n' >"$r/etc/hosts"
	make_disk "$r" "$tmp/root.img" 256 kvmx-root
	rm -rf "$r"
	finish_dir "$tmp" "$ROOTIMAGE" "$key"
	say "root image is ready"
}

# make_disk DIR IMAGE SPARE-MB LABEL: an ext4 image that holds DIR. No journal
# and no checksums: the disks live for one boot.
make_disk()
{
	local dir=$1 img=$2 spare=$3 label=$4 mb
	mb=$(($(du -sm --apparent-size "$dir" | cut -f1) * 5 / 4 + spare))
	rm -f "$img"
	truncate -s "$(whole_cylinders $((mb << 20)))" "$img"
	mke2fs -q -F -t ext4 -O '^has_journal,^metadata_csum,^resize_inode' -m 0 \
		-E lazy_itable_init=1,nodiscard -L "$label" -d "$dir" "$img" "${mb}M" \
		>/dev/null || die "mke2fs failed for $label"
}

# whole_cylinders BYTES: rounded up to what Bochs' disks come in.
whole_cylinders()
{
	local c=$((16 * 63 * 512))
	echo $((($1 + c - 1) / c * c))
}
