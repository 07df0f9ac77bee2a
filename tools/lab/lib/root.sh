# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Two trixie trees made by mmdebstrap: the build root, in which everything is
# compiled and QEMU runs, and the root of the test machines.

BUILDROOT=$LAB_CACHE/buildroot
BUILDROOT_PACKAGES=(
	gcc gcc-12 g++ make libc6-dev pahole libelf-dev libssl-dev bc perl kmod flex bison
	sparse libjson-c-dev libncurses-dev pkgconf rsync cpio xz-utils zstd
	e2fsprogs file grub-pc-bin grub-common xorriso mtools shellcheck
	qemu-system-x86 busybox-static bsdextrautils procps python3-minimal
)

# The machine's root: no daemon, no systemd, what tests and people want.
MACHINE_PACKAGES=(
	bash coreutils kmod util-linux mount procps busybox-static strace
	trace-cmd linux-perf bpftool numactl perl-base libjson-c5 libncursesw6
	qemu-system-x86 libelf1t64 iproute2 jq gawk xz-utils
)

# What `make bench` measures beside kvmx, on a root image of its own: no test
# needs it, and it is large.
PEER_PACKAGES=(bpftrace)

# Nothing of a package's documentation is ever read here.
LEAN_DPKG=(
	--dpkgopt='path-exclude=/usr/share/man/*'
	--dpkgopt='path-exclude=/usr/share/doc/*'
	--dpkgopt='path-exclude=/usr/share/info/*'
	--dpkgopt='path-exclude=/usr/share/locale/*'
	--dpkgopt='path-exclude=/usr/share/lintian/*'
	--dpkgopt='path-exclude=/usr/share/bug/*'
)

bootstrap_root()
{
	local tmp=$1 variant=$2 suite=$3 list
	shift 3
	list=$(IFS=,; printf '%s' "$*")
	apt_sources "$suite" "$suite-security" |
		mmdebstrap --mode=root --variant="$variant" --include="$list" \
			--aptopt='Acquire::Retries "3"' "${LEAN_DPKG[@]}" \
			--skip=cleanup/reproducible \
			"$suite" "$tmp" - >&2 || die "mmdebstrap failed (see above)"
	rm -rf "$tmp"/var/cache/apt/* "$tmp"/var/lib/apt/lists/*
}

buildroot_key()
{
	key_of 1 trixie "${BUILDROOT_PACKAGES[@]}"
}

buildroot()
{
	! is_fresh "$BUILDROOT" "$(buildroot_key)" || return 0
	with_lock buildroot buildroot_make
}

buildroot_make()
{
	local tmp key
	key=$(buildroot_key)
	! is_fresh "$BUILDROOT" "$key" || return 0
	need_host_tools
	apt_prepare
	say "making the build root (trixie, about a minute)"
	tmp=$(begin_dir "$BUILDROOT")
	bootstrap_root "$tmp" minbase trixie "${BUILDROOT_PACKAGES[@]}"
	finish_dir "$tmp" "$BUILDROOT" "$key"
	say "build root is ready"
}

# in_root ROOT [-b PATH]... COMMAND...: runs COMMAND in ROOT; the cache and each
# PATH are seen there under the same name as outside. The mounts live in a
# mount namespace of their own and vanish with it. No process stays between:
# with LAB_EXEC=exec, a background job's pid is COMMAND's own.
in_root()
{
	local root=$1 binds=("$LAB_CACHE")
	shift
	while [ "${1:-}" = -b ]; do
		binds+=("$2")
		shift 2
	done
	# shellcheck disable=SC2016 # expanded by the inner shell
	${LAB_EXEC:-} unshare -m --propagation private bash -ec '
		root=$1 n=$2; shift 2
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/tmp"
		for ((; n > 0; n--)); do
			mkdir -p "$root$1"
			mount --bind "$1" "$root$1"
			shift
		done
		exec chroot "$root" "$@"
	' in_root "$root" "${#binds[@]}" "${binds[@]}" \
		env -i HOME=/root LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"$@"
}

in_buildroot()
{
	in_root "$BUILDROOT" "$@"
}
