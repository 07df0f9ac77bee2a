# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# One run: a machine, a command in it, its output, its status.

# How many folders of failed runs are kept.
LAB_KEEP_RUNS=20

# machine_prepare VENDOR SERIES TREE
machine_prepare()
{
	need_host_tools
	buildroot
	rootimage
	case $1 in
	amd) qemu_find ;;
	intel) bochs_find ;;
	esac
	payload_base "$3" "$2"
	# payload_base looked at the guest's kernel last but one.
	kernel_image "$2"
	boot_initrd
	[ "$1" != intel ] || bochs_media "$2"
}

# run_machine VENDOR SERIES CPUS MB TIMEOUT OUT EXTRA COMMAND...
run_machine()
{
	local vendor=$1 series=$2 cpus=$3 mb=$4 limit=$5 out=$6 extra=$7 status
	shift 7
	mkdir -p "$LAB_CACHE/runs"
	RUN=$(mktemp -d "$LAB_CACHE/runs/$vendor-$series-XXXXXX")
	trap run_abort EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	payload_disk "$RUN" "$extra" "$@"
	: >"$RUN/console.log"
	: >"$RUN/output.log"
	local t=$SECONDS
	case $vendor in
	amd) qemu_start "$RUN" "$cpus" "$mb" 0 ;;
	intel) bochs_start "$RUN" "$series" "$cpus" "$mb" ;;
	esac
	tail -q -s 0.2 -c +1 -f --pid="$MACHINE_PID" "$RUN/output.log" &
	local tail_pid=$!
	watch_machine "$limit"
	# tail ends by itself once the machine is gone and all is read.
	wait "$tail_pid" || true
	MACHINE_SECONDS=$((SECONDS - t))
	judge_run "$vendor" "$series" "$limit" && status=0 || status=$?
	[ -z "$out" ] || run_results "$out"
	trap - EXIT INT TERM HUP
	run_tidy "$status"
	return "$status"
}

run_abort()
{
	local status=$?
	[ -z "${MACHINE_PID:-}" ] || kill -9 "$MACHINE_PID" 2>/dev/null || true
	rm -rf "${RUN:?}"
	exit "$status"
}

# watch_machine LIMIT: waits until the machine is off. Sets RUN_END to off,
# timeout or panic.
watch_machine()
{
	local limit=$1 start=$SECONDS dying=0
	RUN_END=off
	while kill -0 "$MACHINE_PID" 2>/dev/null; do
		if [ $((SECONDS - start)) -ge "$limit" ]; then
			RUN_END=timeout
			kill -9 "$MACHINE_PID" 2>/dev/null || true
			break
		fi
		# An emulator that resets after a panic would start all over, and
		# one that cannot switch off would stay: a grace of ten looks
		# (about three seconds), for the last words.
		if machine_is_done; then
			dying=$((dying + 1))
			if [ "$dying" -gt 10 ]; then
				kill -9 "$MACHINE_PID" 2>/dev/null || true
				break
			fi
		fi
		sleep 0.3
	done
	wait "$MACHINE_PID" 2>/dev/null || true
	if grep -qa 'Kernel panic' "$RUN/console.log"; then
		RUN_END=panic
	fi
	MACHINE_PID=''
}

machine_is_done()
{
	tail -c 4096 "$RUN/console.log" | grep -qaE 'kvmx-lab: power off|Kernel panic - not syncing|end Kernel panic'
}

# judge_run: says in words what went wrong and returns the status.
judge_run()
{
	local vendor=$1 series=$2 limit=$3 status splats before
	before=$(splat_before "$RUN/console.log")
	if [ -n "$before" ]; then
		say "note: before the command started, the emulated kernel had already said:"
		head -n 5 <<<"$before" | sed 's/^/    /' >&2
	fi
	splats=$(splat_after "$RUN/console.log")
	status=$(sed -nE 's/.*kvmx-lab: command ended, status ([0-9]+).*/\1/p' "$RUN/console.log" | tail -n1)
	if splat_is_stale "$RUN/console.log"; then
		say "EMULATOR FAULT on $vendor $series: an int3 that is not in memory was executed"
		head -n 3 <<<"$splats" | sed 's/^/    /' >&2
		return "$EX_STALE"
	fi
	if [ -n "$splats" ] || [ "$RUN_END" = panic ]; then
		say "KERNEL SPLAT on $vendor $series:"
		head -n 10 <<<"${splats:-$before}" | sed 's/^/    /' >&2
		return "$EX_SPLAT"
	fi
	if [ "$RUN_END" = timeout ]; then
		if grep -qa "$SPLAT_START" "$RUN/console.log"; then
			say "TIME LIMIT: the command did not end within $limit s on $vendor $series; machine killed"
		else
			say "TIME LIMIT: the machine did not come up within $limit s on $vendor $series; machine killed"
		fi
		return "$EX_TIMEOUT"
	fi
	if [ -z "$status" ]; then
		say "the machine ($vendor $series) ended without saying how the command did"
		tail -n 3 "$RUN/emulator.log" | sed 's/^/    /' >&2
		return "$EX_NOSTATUS"
	fi
	return "$status"
}

run_results()
{
	payload_collect "$RUN" "$1"
	cp "$RUN/console.log" "$RUN/output.log" "$1/" 2>/dev/null || true
}

# Disks go in any case, logs stay where the run failed.
run_tidy()
{
	rm -rf "$RUN"/{payload.img,payload,out,*.iso}
	if [ "$1" -eq 0 ]; then
		rm -rf "$RUN"
		return 0
	fi
	say "console log kept: $RUN/console.log"
	local old
	while read -r old; do
		rm -rf "$LAB_CACHE/runs/${old:?}"
	done < <(cd "$LAB_CACHE/runs" && find . -mindepth 2 -maxdepth 2 -name console.log \
		! -newermt '-1 hour' -printf '%T@ %h\n' | sort -rn | tail -n +$((LAB_KEEP_RUNS + 1)) | cut -d' ' -f2-)
}
