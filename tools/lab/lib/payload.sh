# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# The second disk of a test machine: everything that depends on the kernel, on
# the tree and on the run.

# Debian's modules that a machine gets, with all they depend on. Loaded is
# none of them: tests do that themselves.
PAYLOAD_KERNEL_MODULES=(kvm kvm-amd kvm-intel msr cpuid vhost_net tun loop)

# The kernel of the guest inside the machine (lab run --guest): the oldest boots
# fastest. One that checks itself needs more memory than guest/start gives, in MB,
# and is stuck for longer than its watchdog likes.
LAB_GUEST_SERIES=6.1
GUEST_DEBUG_MEM=768
GUEST_DEBUG_WORDS='watchdog_thresh=60'
# What the guest's kernel needs to see a disk on a microvm.
GUEST_MODULES=(virtio_mmio virtio_blk)

# guest_make: sets GUEST, where vmlinuz and initrd for the guest in the machine are.
guest_make()
{
	kernel_image "$LAB_GUEST_SERIES"
	GUEST=$LAB_CACHE/guests/$LAB_GUEST_SERIES
	mkdir -p "$LAB_CACHE/guests"
	local key
	key="$K_ABI $K_VERSION $(buildroot_key) $(file_key initrd.sh ../guest/init)"
	is_fresh "$GUEST" "$key" || with_lock "guest-$LAB_GUEST_SERIES" guest_make_locked "$key"
}

guest_make_locked()
{
	local key=$1 tmp r m
	! is_fresh "$GUEST" "$key" || return 0
	tmp=$(begin_dir "$GUEST")
	r=$tmp/root
	initramfs_base "$r" "$K_DIR/image/lib/modules/$K_ABI" "${GUEST_MODULES[@]}"
	install -m 755 "$LAB_DIR/guest/init" "$r/init"
	initramfs_pack "$r" "$tmp/initrd"
	cp "$K_DIR/image/vmlinuz" "$tmp/vmlinuz"
	rm -rf "$r"
	finish_dir "$tmp" "$GUEST" "$key"
}

# guest_extras TREE: what a guest gets of the tree, in a folder of its own:
# G_EXTRAS; set to nothing where the tree has nothing for guests.
guest_extras()
{
	local tree=$1
	# A fault on purpose is the host's.
	LAB_PLANT='' build_modules "$tree" "$LAB_GUEST_SERIES"
	G_EXTRAS=''
	[ ! -f "${B_MODULES:-/nowhere}/kvmx_guest.ko" ] || G_EXTRAS=$B_MODULES
}

# guest_initrd EXTRAS USER FILE: the guest's, and behind it an archive with
# what is the tree's: the kernel unpacks one after the other. Its first process
# is there again: lab commands of another tree may have made the guest meanwhile.
guest_initrd()
{
	local extras=$1 user=$2 file=$3 r=$3.root
	cp "$GUEST/initrd" "$file"
	mkdir -p "$r/kvmx"
	install -m 755 "$LAB_DIR/guest/init" "$r/init"
	if [ -n "$extras" ]; then
		cp "$extras/kvmx_guest.ko" "$r/kvmx/"
		find "$user/bin" -name 'hint-*' -exec cp -t "$r/kvmx" {} +
	fi
	initramfs_pack "$r" "$file.extras"
	cat "$file.extras" >>"$file"
	rm -rf "$r" "$file.extras"
}

# payload_base TREE SERIES: sets P_BASE, what all runs of this tree and kernel
# have in common.
payload_base()
{
	local tree=$1 series=$2 key name=$2${LAB_PLANT:+-$LAB_PLANT}
	guest_make
	build_user "$tree"
	guest_extras "$tree"
	build_modules "$tree" "$series"
	kernel_image "$series"
	P_BASE=$(tree_place "$tree")/$name/payload${LAB_BARE:+-bare}${LAB_BENCH:+-bench}-$LAB_GUEST_SERIES
	mkdir -p "$(dirname "$P_BASE")"
	key="$(file_key payload.sh ../guest/init) $K_ABI $K_VERSION $(cat "$GUEST/.lab-stamp")"
	key+=" ${B_MODULES:+$(cat "$B_MODULES/.lab-stamp")} ${B_USER:+$(cat "$B_USER/.lab-stamp")}"
	key+=" ${G_EXTRAS:+$(cat "$G_EXTRAS/.lab-stamp")}"
	is_fresh "$P_BASE" "$key" ||
		with_lock "payload-$(key_of "$tree")-$name-$LAB_GUEST_SERIES" payload_base_locked "$key"
}

payload_base_locked()
{
	local key=$1 dir=$P_BASE tmp src m
	! is_fresh "$dir" "$key" || return 0
	tmp=$(begin_dir "$dir")
	mkdir -p "$tmp/bin" "$tmp/guest" "$tmp/lib/modules/$K_ABI" "$tmp/.lab/modules"
	src=$K_DIR/image/lib/modules/$K_ABI
	(
		cd "$src" || exit
		modules_closure . "${PAYLOAD_KERNEL_MODULES[@]}" |
			xargs cp --parents -t "$tmp/lib/modules/$K_ABI"
		# Unpacking takes an emulated CPU seconds, and us nothing.
		find "$tmp/lib/modules/$K_ABI" -name '*.ko.xz' -exec xz -d {} +
		# Not every series ships all of depmod's inputs.
		cp -t "$tmp/lib/modules/$K_ABI" modules.builtin modules.builtin.modinfo \
			modules.order 2>/dev/null || true
	)
	if [ -n "$B_MODULES" ]; then
		mkdir -p "$tmp/lib/modules/$K_ABI/updates"
		for m in "$B_MODULES"/*.ko; do
			[ -f "$m" ] || continue
			cp "$m" "$tmp/"
			cp "$m" "$tmp/lib/modules/$K_ABI/updates/"
		done
	fi
	in_buildroot depmod -b "$tmp" "$K_ABI" 2>"$tmp/.lab/depmod.log" ||
		die "depmod failed for $K_ABI"
	mv "$tmp/lib/modules/$K_ABI" "$tmp/.lab/modules/"
	rm -rf "${tmp:?}/lib"
	if [ -n "$B_USER" ]; then
		cp -a "$B_USER/bin/." "$tmp/bin/"
		[ ! -d "$B_USER/selftests" ] || cp -a "$B_USER/selftests" "$tmp/selftests"
	fi
	cp "$GUEST/vmlinuz" "$tmp/guest/"
	if is_debug_series "$LAB_GUEST_SERIES"; then
		echo "$GUEST_DEBUG_MEM" >"$tmp/guest/memory"
		echo "$GUEST_DEBUG_WORDS" >"$tmp/guest/append"
	fi
	guest_initrd "$G_EXTRAS" "$B_USER" "$tmp/guest/initrd"
	finish_dir "$tmp" "$dir" "$key"
}

# payload_disk RUN-DIR EXTRA-DIR COMMAND...: RUN-DIR/payload.img. An empty
# COMMAND means an interactive shell.
payload_disk()
{
	local run=$1 extra=$2 d=$1/payload
	shift 2
	cp -al "$P_BASE" "$d" 2>/dev/null || { rm -rf "$d"; cp -a "$P_BASE" "$d"; }
	install -m 755 "$LAB_DIR/machine/init" "$d/.lab/init"
	install -m 755 -t "$d/guest" "$LAB_DIR/guest/start"
	install -m 755 -t "$d/bin" "$LAB_DIR/demo-inside"
	if [ -n "$extra" ]; then
		cp -a "$extra" "$d/extra"
	fi
	if [ $# -gt 0 ]; then
		printf 'exec %s\n' "$(printf '%q ' "$@")" >"$d/.lab/command"
	else
		: >"$d/.lab/shell"
	fi
	mkdir -p "$d/out"
	make_disk "$d" "$run/payload.img" 128 "$LAB_PAYLOAD_LABEL"
	rm -rf "$d"
}

# payload_collect RUN-DIR DIR: what COMMAND wrote below /kvmx/out.
payload_collect()
{
	local run=$1 out=$2
	mkdir -p "$out"
	debugfs -R "rdump /out $run" "$run/payload.img" >/dev/null 2>&1 || true
	[ ! -d "$run/out" ] || cp -r "$run/out/." "$out/"
}
