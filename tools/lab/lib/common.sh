# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Words for people, exit statuses, the cache, locks and stamps.

# Exit statuses of the lab itself. COMMAND's own status is passed through
# otherwise, so these are values that tests do not use.
EX_USAGE=2		# bad command line
EX_SPLAT=99		# the kernel complained while or after COMMAND ran
EX_STALE=96		# the emulator executed code that had been patched away
EX_LAB=97		# the lab itself failed: download, build, no machine
EX_NOSTATUS=98		# the machine ended without saying how COMMAND did
EX_TIMEOUT=124		# time limit reached, machine killed

LAB_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/kvmx

say()
{
	printf '[lab %5ds] %s\n' "$SECONDS" "$*" >&2
}

die()
{
	printf 'lab: %s\n' "$*" >&2
	exit "$EX_LAB"
}

usage_error()
{
	printf "lab: %s (see 'lab help')\n" "$*" >&2
	exit "$EX_USAGE"
}

# For "trap unexpected ERR": a failure that nobody foresaw gets a line and the
# lab's own status, one that was explained already passes in silence.
unexpected()
{
	local status=$?
	[ "$status" -eq "$EX_LAB" ] ||
		printf 'lab: unexpected failure (status %s) in %s, line %s\n' \
			"$status" "${FUNCNAME[1]}" "${BASH_LINENO[0]}" >&2
	exit "$EX_LAB"
}

# Everything below needs root: chroots, mounts, apt-get.
become_root()
{
	[ "$(id -u)" -ne 0 ] || return 0
	command -v sudo >/dev/null ||
		die "needs root (chroot, mount, apt-get), and there is no sudo"
	exec sudo --preserve-env=XDG_CACHE_HOME,KVMX_QEMU,KVMX_BOCHS,CI \
		HOME="$HOME" "$0" "$@"
}

# with_lock NAME COMMAND...: one at a time per NAME, over all lab commands.
# A subshell holds the lock, so it is gone with it, however it ends. Children
# inherit the descriptor on purpose: a lock outlives a killed parent until
# the work it guards has stopped too.
with_lock()
{
	local name=$1
	shift
	mkdir -p "$LAB_CACHE/locks"
	(
		if ! flock -n 9; then
			say "waiting for another lab command ($name)"
			flock 9
		fi
		"$@"
	) 9>"$LAB_CACHE/locks/$name"
}

# A folder of the cache is complete when it has a stamp with the key it was
# made for. Things are made under a temporary name and renamed, so that an
# interrupted command leaves nothing that looks complete.
is_fresh()
{
	local dir=$1 key=$2
	[ -f "$dir/.lab-stamp" ] && [ "$(cat "$dir/.lab-stamp")" = "$key" ]
}

# begin_dir DIR: prints the temporary name to build in.
begin_dir()
{
	local tmp=$1.tmp.$$
	rm -rf "$1".tmp.*
	mkdir -p "$tmp"
	printf '%s\n' "$tmp"
}

finish_dir()
{
	local tmp=$1 dir=$2 key=$3
	printf '%s\n' "$key" >"$tmp/.lab-stamp"
	rm -rf "$dir"
	mv -T "$tmp" "$dir"
}

# Key of a set of words and files: used in stamps.
key_of()
{
	printf '%s\n' "$@" | sha256sum | cut -c1-16
}

# file_key FILE...: of files of the lab itself, named from lib/. What a script
# makes is made anew when the script changes.
file_key()
{
	(cd "$LAB_DIR/lib" && sha256sum "$@") | sha256sum | cut -c1-16
}
