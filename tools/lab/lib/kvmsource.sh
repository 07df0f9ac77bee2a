# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Upstream's KVM selftests: compiled out of Debian's linux-source, and what has
# to be known of single programs.

KVM_TESTS_DIR=$LAB_CACHE/kvm-tests

# What `make headers` and tools/testing/selftests/kvm read of the kernel's
# source; all of it would take ten times the room.
KVM_TESTS_PATHS=(
	Makefile scripts include arch/x86
	drivers/{dma/ioat,dma/idxd,net/ethernet/intel/igb}
	tools/include tools/arch/x86 tools/build tools/lib tools/scripts tools/testing/selftests
)

# What 7.x compiles against beyond the build root's packages; one that is added
# there would cost everybody a new build root.
KVM_TESTS_DEBS=(uuid-dev libuuid1)

# kvm_tests SERIES: sets KVM_TESTS, a folder with bin/ (stripped programs) and
# list (their names), and KVM_TESTS_FROM, the package they are from. The source
# is that of the very kernel, where it is on offer.
kvm_tests()
{
	local p=linux-source-$1 v key
	kernel_resolve "$1"
	buildroot
	v=$K_VERSION
	lab_apt apt-cache madison "$p" | grep -qF " $v " || v=$(apt_newest "$p")
	[ -n "$v" ] || die "no package $p on offer"
	KVM_TESTS=$KVM_TESTS_DIR/$1 KVM_TESTS_FROM="$p $v"
	key="$p $v $(buildroot_key) $(file_key kvmsource.sh)"
	is_fresh "$KVM_TESTS" "$key" ||
		with_lock "kvm-tests-$1" kvm_tests_make "$p" "$v" "$key"
}

kvm_tests_make()
{
	local p=$1 v=$2 key=$3 dir=$KVM_TESTS tmp tar src deb
	! is_fresh "$dir" "$key" || return 0
	mkdir -p "$KVM_TESTS_DIR"
	tmp=$(begin_dir "$dir")
	src=$tmp/src
	mkdir -p "$src"
	say "unpacking KVM's selftests from $p $v"
	unpack_deb "$p" "$v" "$tmp/deb"
	tar=$(find "$tmp/deb/usr/src" -name '*.tar.xz')
	# Paths in full, so that tar need not look for patterns.
	tar -C "$src" --strip-components=1 -xf "$tar" "${KVM_TESTS_PATHS[@]/#/$p/}" ||
		die "$p lacks something that KVM's selftests are compiled from"
	rm -rf "$tmp/deb"
	for deb in "${KVM_TESTS_DEBS[@]}"; do
		unpack_deb "$deb" "$(apt_newest "$deb" trixie)" "$src/extra"
	done
	quietly "$dir.headers.log" "headers of $p" \
		in_buildroot make -C "$src" ARCH=x86 "-j$(nproc)" headers
	quietly "$dir.log" "KVM's selftests of $p" \
		in_buildroot env CPATH="$src/extra/usr/include" \
		LIBRARY_PATH="$src/extra/usr/lib/x86_64-linux-gnu" \
		make -s -C "$src/tools/testing/selftests/kvm" "-j$(nproc)" \
		INSTALL_PATH="$tmp/bin" install
	in_buildroot make -s --no-print-directory -C "$src/tools/testing/selftests/kvm" \
		COLLECTION=kvm emit_tests | sed -n 's/^kvm://p' >"$tmp/list"
	[ -s "$tmp/list" ] || die "$p has no KVM selftests"
	kvm_tests_strip "$tmp/bin"
	rm -rf "$src"
	finish_dir "$tmp" "$dir" "$key"
}

kvm_tests_strip()
{
	local f
	for f in "$1"/*; do
		[ -f "$f" ] || continue
		! head -c 4 "$f" | grep -qa ELF || in_buildroot strip "$f"
	done
}

# Programs that are run with arguments: "NAME ARGUMENTS". By default they walk
# through gigabytes, page by page, and take minutes in the emulators.
KVM_TESTS_ARGS=(
	"demand_paging_test -b 128M"
	"dirty_log_page_splitting_test -b 64M"
	"dirty_log_perf_test -b 64M -i 2"
	"dirty_log_test -M clear-log -i 3"
	"kvm_page_table_test -b 128M"
	"max_guest_memory_test -c 2 -m 4 -s 1 -H"
	"memslot_modification_stress_test -b 64M"
	"memslot_perf_test -s 512 -l 1 -f 3 -e 4"
	"mmu_stress_test -c 2 -m 4 -s 1 -H"
)

# kvm_test_args: of each NAME on standard input, a line with its arguments.
kvm_test_args()
{
	local name line
	while read -r name; do
		for line in "${KVM_TESTS_ARGS[@]}"; do
			[ "${line%% *}" != "$name" ] || name=$line
		done
		echo "$name"
	done
}

# Bochs is slow: there it is what looks at the processor's own side of VMX and at
# KVM's interfaces, and ends soon. Not every series has all of them.
KVM_TESTS_INTEL=(
	cpuid_test cr4_cpuid_sync_test get_msr_index_features feature_msrs_test
	exit_on_emulation_failure_test fix_hypercall_test hyperv_cpuid kvm_pv_test
	platform_info_test set_boot_cpu_id set_sregs_test state_test sync_regs_test
	userspace_io_test userspace_msr_exit_test debug_regs triple_fault_event_test
	xapic_state_test guest_print_test kvm_binary_stats_test smm_test
	nested_exceptions_test vmx_apic_access_test vmx_close_while_nested_test
	vmx_dirty_log_test vmx_exception_with_invalid_guest_state
	vmx_invalid_nested_guest_state vmx_msrs_test vmx_preemption_timer_test
	vmx_set_nested_state_test vmx_tsc_adjust_test vmx_nested_tsc_scaling_test
	nested_close_kvm_test nested_dirty_log_test nested_set_state_test
	nested_tsc_adjust_test nested_tsc_scaling_test
)

# kvm_test_wanted VENDOR: of the names on standard input, those that run there.
kvm_test_wanted()
{
	if [ "$1" = intel ]; then
		grep -xF "$(printf '%s\n' "${KVM_TESTS_INTEL[@]}")"
	else
		cat
	fi
}

# Programs that cannot run in the emulators, without kvmx as well:
# "VENDOR[:SERIES] NAME REASON". docs/testing.md has the same list.
KVM_TESTS_CANNOT=(
	"amd hardware_disable_test ends after 512 VMs with 68 busy threads each: 355 s on a busy host"
	"amd rseq_test ends after 100000 migrations: not within 400 s"
	"intel vmx_preemption_timer_test not done after 700 s, of a boot without kvmx"
)

# kvm_test_cannot VENDOR SERIES NAME: prints the reason, if there is one.
kvm_test_cannot()
{
	local who name why
	for who in "${KVM_TESTS_CANNOT[@]}"; do
		read -r who name why <<<"$who"
		[ "$name" = "$3" ] || continue
		case $who in
		"$1" | "$1:$2") echo "$why"; return 0 ;;
		esac
	done
}
