# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Checks that run somebody else's judge over the sources: those for patches,
# for shell, for kernel-doc, for manual pages, and the compilers.

# in_tree COMMAND ARGS...: in the lab's build root, where versions are known;
# on this host where the build root is not to be had but COMMAND is.
in_tree()
{
	if [ ! -f "$SCRATCH/where" ]; then
		# What the lab tells of its progress is no finding: past whoever
		# collects what COMMAND says.
		if [ -z "${KVMX_CHECK_HOST:-}" ] && "$CHECK_DIR/lab" run "$TREE" true 2>&3; then
			echo lab
		else
			echo host
		fi >"$SCRATCH/where"
	fi
	if [ "$(cat "$SCRATCH/where")" = lab ]; then
		"$CHECK_DIR/lab" run "$TREE" "$@"
	elif command -v "$1" >/dev/null; then
		"$@"
	else
		skip "neither the lab's build root nor $1 is to be had here"
	fi
}

# linux_src FILE: sets LINUX_SRC, in which FILE is.
linux_src()
{
	LINUX_SRC=${KVMX_LINUX_SRC:-${XDG_CACHE_HOME:-$HOME/.cache}/kvmx/linux-src}
	if [ ! -f "$LINUX_SRC/$1" ] && [ -z "${KVMX_LINUX_SRC:-}" ]; then
		LINUX_SRC=$("$CHECK_DIR/lab" linux-src) || LINUX_SRC=nowhere
	fi
	[ -f "$LINUX_SRC/$1" ] || skip "no $1 in \$KVMX_LINUX_SRC, and the lab has none"
}

# Where the build root may not see LINUX_SRC, its part that is needed goes along.
borrow()
{
	local f
	mkdir -p "$SCRATCH/linux"
	for f in "$@"; do
		[ ! -f "$LINUX_SRC/$f" ] || cp "$LINUX_SRC/$f" "$SCRATCH/linux/"
	done
}

check_checkpatch()
{
	local files=() out
	linux_src scripts/checkpatch.pl
	borrow scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch}
	mapfile -t files < <(sources '^(module|uapi|tools/kvmx)/.*\.[ch]$'
		sources '^selftests/.*\.c$')
	out=$(in_tree perl "$SCRATCH/linux/checkpatch.pl" --strict --no-tree --terse \
		--show-types --no-summary -f "${files[@]}" 2>&1) || left_out $? "$out"
	findings "$(checkpatch_filter <<<"$out")"
}

# Lets pass what checkpatch.conf knows about.
checkpatch_filter()
{
	local line file type conf_type globs=() glob fine
	local re='^([^:]+):[0-9]+: (ERROR|WARNING|CHECK):([A-Z0-9_]+):'
	while IFS= read -r line; do
		[ -n "$line" ] || continue
		if [[ $line =~ $re ]]; then
			file=${BASH_REMATCH[1]} type=${BASH_REMATCH[3]} fine=no
			while read -r conf_type glob; do
				[ "$conf_type" = "$type" ] || continue
				read -ra globs <<<"$glob"
				for glob in "${globs[@]}"; do
					# shellcheck disable=SC2053 # a pattern is meant
					[[ $file != $glob ]] || fine=yes
				done
			done < <(grep -v '^#' tools/check/checkpatch.conf)
			[ "$fine" = no ] || continue
		fi
		echo "$line"
	done
}

check_shell()
{
	local files=() out
	mapfile -t files < <(scripts)
	out=$(in_tree shellcheck -x -P SCRIPTDIR -f gcc "${files[@]}" 2>&1) || left_out $? "$out"
	findings "$out"
}

check_kerneldoc()
{
	local files=() out
	linux_src scripts/kernel-doc
	borrow scripts/kernel-doc
	mapfile -t files < <(sources '^(module|uapi)/.*\.[ch]$')
	out=$(in_tree perl "$SCRATCH/linux/kernel-doc" -none -Wall "${files[@]}" 2>&1) ||
		left_out $? "$out"
	findings "$(grep -v '^[0-9]* warnings as Errors' <<<"$out")"
}

# Every header by itself, on both sizes of a long; a hole or a length that
# depends on it would make 32-bit programs see something else.
check_abi()
{
	local header found
	found=$(
		for header in $(sources '^uapi/.*\.h$'); do
			abi_one "$header" || exit
		done) || left_out $? "$found"
	findings "$found"
}

abi_one()
{
	local header=$1 base m flags=(-Iuapi -Wall -Wextra -Wpadded -Werror -pedantic)
	# Where -m32 does not look by itself.
	flags+=(-idirafter /usr/include/x86_64-linux-gnu)
	base=$SCRATCH/abi-$(basename "$header" .h)
	{
		echo "#include \"$TREE/$header\""
		# An array of a structure's size is what nm tells it by.
		sed -nE 's/^struct ([a-z0-9_]+) \{.*/extern char size_\1[sizeof(struct \1)]; char size_\1[sizeof(struct \1)];/p' "$header"
	} >"$base.c"
	for m in 64 32; do
		in_tree gcc "-m$m" -std=c99 "${flags[@]}" -c -o "$base.$m.o" "$base.c" 2>&1
		[ ! -f "$base.$m.o" ] || in_tree nm -S "$base.$m.o" |
			awk '$4 ~ /^size_/ { print substr($4, 6), $2 }' |
			sed -E 's/ 0+/ 0x/' >"$base.$m"
	done
	[ ! -f "$base.64" ] || [ ! -f "$base.32" ] || diff "$base.64" "$base.32" | sed -n "s,^[<>],$header: size differs with -m32 and -m64:,p"
	in_tree g++ -std=c++11 "${flags[@]}" -fsyntax-only -x c++ "$TREE/$header" 2>&1 |
		grep -v 'pragma once in main file' || true
}

check_man()
{
	local pages=() out
	mapfile -t pages < <(sources '^docs/man/.*\.[1-9]$')
	[ "${#pages[@]}" -gt 0 ] || skip "there are no manual pages yet"
	if ! command -v mandoc >/dev/null; then
		"$CHECK_DIR/lab" host mandoc:mandoc || skip "no mandoc on this host"
	fi
	out=$(mandoc -Tlint -Wwarning "${pages[@]}" 2>&1) || true
	findings "$out"
}

# check_warnings SERIES
check_warnings()
{
	local log found patterns
	log=$("$CHECK_DIR/lab" warnings "$TREE" "$1") ||
		skip "the lab cannot build for $1 (see above)"
	patterns=$SCRATCH/patterns
	grep -vE '^(#|$)' tools/check/warnings.conf >"$patterns"
	found=$(grep -vE -f "$patterns" <<<"$log" |
		grep -vE "^(  [A-Z]+( \[M\])? |make(\[[0-9]+\])?: (Entering|Leaving) directory |checked )"
		awk '/^checked / && ($2 != $4 || $2 == 0) { print "sparse saw " $2 " files, objects are " $4 }' <<<"$log"
	)
	findings "$found"
}
