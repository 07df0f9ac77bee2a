# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Intel machines: Bochs with VMX.

BOCHSROOT=$LAB_CACHE/bochsroot
BOCHS_SUITE=bookworm
BOCHS_PACKAGES=(bochs bochsbios vgabios)

# bochs_model SERIES CPUS: the CPU model with which that kernel boots, and the
# shape (sockets:cores:threads) that the kernel takes without a warning; nothing
# where it does not boot.
bochs_model()
{
	case ${1%-debug} in
	6.1 | 6.12 | 7.2 | 7.3) ;;
	*) return 0 ;;
	esac
	case $2 in
	1) echo "broadwell_ult 1" ;;
	2) echo "broadwell_ult 1:1:2" ;;
	esac
}

bochs_find()
{
	local key
	key=$(key_of 1 "$BOCHS_SUITE" "${BOCHS_PACKAGES[@]}")
	is_fresh "$BOCHSROOT" "$key" || with_lock bochsroot bochs_root_make "$key"
}

bochs_root_make()
{
	local key=$1 tmp
	! is_fresh "$BOCHSROOT" "$key" || return 0
	need_host_tools
	apt_prepare
	say "making Bochs' own root ($BOCHS_SUITE)"
	tmp=$(begin_dir "$BOCHSROOT")
	bootstrap_root "$tmp" essential "$BOCHS_SUITE" "${BOCHS_PACKAGES[@]}"
	finish_dir "$tmp" "$BOCHSROOT" "$key"
	say "Bochs is ready"
}

# bochs_media SERIES: sets BOCHS_ISO, a CD that boots the kernel and mounts
# the root image.
bochs_media()
{
	local key
	BOCHS_APPEND="console=ttyS0 loglevel=5 panic=-1 oops=panic nokaslr mitigations=off tsc=reliable printk.devkmsg=on $LAB_QUICK_BOOT ${LAB_APPEND:-}"
	key="$K_ABI $K_VERSION $(key_of "$BOCHS_APPEND" "$(cat "$K_DIR/boot/.lab-stamp")")"
	BOCHS_ISO=$K_DIR/bochs/boot.iso
	is_fresh "$K_DIR/bochs" "$key" ||
		with_lock "bochs-media-$1" bochs_media_make "$key"
}

bochs_media_make()
{
	local key=$1 dir=$K_DIR/bochs tmp
	! is_fresh "$dir" "$key" || return 0
	tmp=$(begin_dir "$dir")
	mkdir -p "$tmp/iso/boot/grub"
	cp "$BOOT_INITRD" "$tmp/iso/initrd"
	cp "$K_DIR/image/vmlinuz" "$tmp/iso/vmlinuz"
	cat >"$tmp/iso/boot/grub/grub.cfg" <<-CFG
		set timeout=0
		linux /vmlinuz $BOCHS_APPEND
		initrd /initrd
		boot
	CFG
	in_buildroot grub-mkrescue -o "$tmp/boot.iso" "$tmp/iso" >"$tmp/log" 2>&1 ||
		{ cat "$tmp/log" >&2; die "grub-mkrescue failed"; }
	rm -rf "$tmp/iso" "$tmp/log"
	finish_dir "$tmp" "$dir" "$key"
}

# bochs_start RUN-DIR SERIES CPUS MB: starts the machine in the background and
# sets MACHINE_PID.
bochs_start()
{
	local run=$1 model shape
	read -r model shape < <(bochs_model "$2" "$3") || true
	[ -n "${shape:-}" ] || die "kernel $2 with $3 CPU(s) does not boot on Bochs"
	# A later run may replace the CD while this one uses it.
	ln "$BOCHS_ISO" "$run/boot.iso" 2>/dev/null || cp "$BOCHS_ISO" "$run/boot.iso"
	cat >"$run/bochsrc" <<-RC
		display_library: rfb, options="timeout=0"
		megs: $4
		cpu: model=$model, count=$shape, ips=100000000, reset_on_triple_fault=0
		romimage: file=/usr/share/bochs/BIOS-bochs-latest
		vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
		ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
		ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
		ata0-master: type=disk, path=$ROOTIMAGE/root.img, mode=volatile, journal=$run/root.redolog
		ata0-slave: type=disk, path=$run/payload.img, mode=flat
		ata1-master: type=cdrom, path=$run/boot.iso, status=inserted
		boot: cdrom
		com1: enabled=1, mode=file, dev=$run/console.log
		com2: enabled=1, mode=file, dev=$run/output.log
		clock: sync=none
		log: $run/bochs.log
		panic: action=fatal
		error: action=ignore
		info: action=ignore
		sound: waveoutdrv=dummy
	RC
	# The packaged Bochs starts in its debugger.
	echo c >"$run/rc"
	# No network: the display server that this Bochs insists on would
	# listen for anyone.
	LAB_EXEC="exec" in_root "$BOCHSROOT" unshare -n \
		bochs -q -f "$run/bochsrc" -rc "$run/rc" \
		</dev/null >"$run/emulator.log" 2>&1 &
	MACHINE_PID=$!
}
