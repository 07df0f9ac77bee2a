# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# AMD machines: QEMU's emulator with SVM.

# QEMU before 10 gives double faults on machines with several CPUs.
QEMU_OLDEST=10

# Sets QEMU_CMD: the build root's QEMU, or the one of KVMX_QEMU.
qemu_find()
{
	local v said
	buildroot
	if [ -n "${KVMX_QEMU:-}" ]; then
		QEMU_CMD=("$KVMX_QEMU")
	else
		QEMU_CMD=(in_buildroot qemu-system-x86_64)
	fi
	said=$(LAB_EXEC='' "${QEMU_CMD[@]}" --version 2>&1) || true
	v=$(sed -nE 's/^QEMU emulator version ([0-9.]+).*/\1/p' <<<"$said")
	[ -n "$v" ] || die "cannot run ${KVMX_QEMU:-QEMU of the build root}, or it is no QEMU: ${said:-no output}"
	[ "${v%%.*}" -ge "$QEMU_OLDEST" ] ||
		die "QEMU $v is too old: before $QEMU_OLDEST, machines with several CPUs die of double faults (unset KVMX_QEMU to use the build root's)"
	QEMU_VERSION=$v
}

# A host thread for each emulated CPU (multi), or one for all (single)? With
# multi, a store to code can slip past a CPU that translates that code just
# then, and a patched instruction is executed in its old form for good: "Oops:
# int3" at the site of a static key that was flipped long before, twice in runs
# of a test that attaches and detaches probes on a busy two-core host. With
# single, a Linux guest with two vCPUs hangs in its boot, without kvmx as well
# (3 of 3). So what flips keys all the time runs with single, what needs a real
# guest with multi.
QEMU_THREADS=multi

# With QEMU_ICOUNT the clock does not run by itself: it advances by one tick with
# each instruction and leaps over idle time. A run then repeats to the tick, and
# a difference of two time stamps is a number of instructions.
qemu_clock()
{
	QEMU_CPU='max,la57=off' QEMU_CLOCK=() QEMU_APPEND=''
	[ -n "${QEMU_ICOUNT:-}" ] || return 0
	# shellcheck disable=SC2054 # QEMU's own commas
	QEMU_CLOCK=(-icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm -seed 1)
	QEMU_CPU+=',-rdrand,-rdseed'
	# Each byte of a string instruction would count as an instruction. A
	# processor that is not fast at bytes is given eight of them at a time.
	QEMU_CPU+=',-erms,-fsrm,-fzrm,-fsrs'
	QEMU_APPEND='nokaslr norandmaps random.trust_cpu=off mitigations=off'
}

# qemu_topology CPUS MB: sets QEMU_SMP. Eight CPUs come as two sockets, two
# cores and two threads, on two nodes; any other number is flat.
qemu_topology()
{
	local cpus=$1 mb=$2
	if [ "$cpus" = 8 ]; then
		QEMU_SMP=(
			-smp "8,sockets=2,cores=2,threads=2"
			-object "memory-backend-ram,id=m0,size=$((mb / 2))M"
			-object "memory-backend-ram,id=m1,size=$((mb - mb / 2))M"
			-numa "node,nodeid=0,cpus=0-3,memdev=m0"
			-numa "node,nodeid=1,cpus=4-7,memdev=m1"
		)
	else
		QEMU_SMP=(-smp "$cpus")
	fi
}

# qemu_start RUN-DIR CPUS MB SHELL: starts the machine in the background and
# sets MACHINE_PID, or runs it in the foreground for a shell.
qemu_start()
{
	local run=$1 cpus=$2 mb=$3 shell=$4 args
	qemu_topology "$cpus" "$mb"
	qemu_clock
	# shellcheck disable=SC2054 # QEMU's own commas
	args=(
		-nodefaults -no-user-config -display none -no-reboot
		-M q35 -cpu "$QEMU_CPU" -m "${mb}M" "${QEMU_SMP[@]}" "${QEMU_CLOCK[@]}"
		# An own /dev/kvm would not have what is tested here.
		-accel "tcg,thread=$QEMU_THREADS,tb-size=512"
		-kernel "$K_DIR/image/vmlinuz"
		-initrd "$BOOT_INITRD"
		-append "console=ttyS0 loglevel=5 panic=-1 oops=panic tsc=reliable printk.devkmsg=on $LAB_QUICK_BOOT $QEMU_APPEND ${LAB_APPEND:-}"
		-drive "if=none,id=root,file=$ROOTIMAGE/root.img,format=raw,snapshot=on"
		-device "virtio-blk-pci,drive=root"
		-drive "if=none,id=pay,file=$run/payload.img,format=raw,cache=unsafe"
		-device "virtio-blk-pci,drive=pay"
		-serial "file:$run/console.log"
	)
	if [ "$shell" = 1 ]; then
		LAB_EXEC='' "${QEMU_CMD[@]}" "${args[@]}" -serial mon:stdio || return
		return 0
	fi
	LAB_EXEC="exec" "${QEMU_CMD[@]}" "${args[@]}" -serial "file:$run/output.log" \
		</dev/null >"$run/emulator.log" 2>&1 &
	MACHINE_PID=$!
}
