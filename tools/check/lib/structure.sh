# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Checks that need nothing but the tree: includes, sizes, spdx, names. Each
# prints its findings and leaves without success when there were any. All of
# them run at the top of the tree.

MAX_FILE_LINES=500
MAX_FUNCTION_LINES=120

check_includes()
{
	local floors=tools/check/floors found files=()
	mapfile -t files < <(sources '^(module|uapi)/.*\.[ch]$')
	found=$(awk -v "floors=$floors" -f "$CHECK_DIR/lib/includes.awk" "$floors" "${files[@]}"
		check_only <"$floors")
	findings "$found"
}

# The "only" lines of the table.
check_only()
{
	local kind where pattern allowed files=() globs=() glob line file fine
	while read -r kind where pattern allowed; do
		[ "$kind" = only ] || continue
		mapfile -t files < <(sources "^$where/.*\.[ch]\$")
		[ "${#files[@]}" -gt 0 ] || continue
		# Not unquoted: the shell would put names in the patterns' place.
		read -ra globs <<<"$allowed"
		while IFS= read -r line; do
			file=${line%%:*} fine=no
			for glob in "${globs[@]}"; do
				# shellcheck disable=SC2053 # a pattern is meant
				[[ $file != $glob ]] || fine=yes
			done
			[ "$fine" = yes ] || echo "$line  (only in: $allowed)"
		done < <(awk -f "$CHECK_DIR/lib/uncomment.awk" "${files[@]}" |
			grep -P "^[^:]+:[0-9]+:.*(?:$pattern)" | tr -s '\t' ' ')
	done
}

check_sizes()
{
	local files=() n file lengths
	mapfile -t files < <(sources '\.[ch]$'; scripts)
	for file in "${files[@]}"; do
		n=$(wc -l <"$file")
		[ "$n" -le "$MAX_FILE_LINES" ] ||
			echo "$file: $n lines, at most $MAX_FILE_LINES are allowed"
	done >"$SCRATCH/sizes"
	lengths=$(awk -f "$CHECK_DIR/lib/functions.awk" "${files[@]}" | sort -n)
	awk -v "max=$MAX_FUNCTION_LINES" '
		$1 > max { print $2 ": " $3 "() has " $1 " lines, at most " max " are allowed" }
		' <<<"$lengths" >>"$SCRATCH/sizes"
	awk '
		{ all[NR] = $1; last = $3 "() with " $1 }
		END { if (NR) print "note: " NR " functions, median " all[int((NR + 1) / 2)] \
			" lines, longest " last }' <<<"$lengths"
	findings "$(cat "$SCRATCH/sizes")"
}

check_spdx()
{
	local id='SPDX-License-Identifier: GPL-2.0-only' file want found
	found=$(
		[ -s COPYING ] || echo "COPYING: is missing"
		sources | while IFS= read -r file; do
			case $file in
			uapi/*.h) want="/* $id WITH Linux-syscall-note */" ;;
			*.h | *.S | *.lds) want="/* $id */" ;;
			*.c) want="// $id" ;;
			docs/man/*.[1-9] | *.man) want=".\\\" $id" ;;
			*.sh | *.awk | *.py | *.yml | *.yaml | *Makefile | *Kbuild | .clang-format | \
			tools/check/floors | tools/check/*.conf) want="# $id" ;;
			*) head -n1 "$file" | grep -q '^#!' || continue; want="# $id" ;;
			esac
			head -n2 "$file" | grep -qxF -e "$want" ||
				echo "$file:1: wants \"$want\""
		done)
	findings "$found"
}

# Words in brackets keep this file from finding itself.
check_names()
{
	local files=() code=() found
	# What is not ours to word.
	mapfile -t files < <(sources | grep -vxF COPYING)
	mapfile -t code < <(sources '\.([chS]|awk|py|ya?ml)$'; scripts; sources '(^|/)(Makefile|Kbuild)$')
	found=$(
		grep -InE '([a-z0-9-]+[.])*(debian|ubuntu)[.](org|net|com)|(cdn|mirrors?)[.]kernel[.]org|\bmirrors?[.][a-z0-9-]+[.][a-z]+' \
			"${files[@]}" | sed 's/$/  (host name of a mirror)/'
		grep -InE '(^|[^A-Za-z0-9_.}$*-])/([w]ork|[r]oot|[h]ome)/' "${files[@]}" |
			sed 's/$/  (path of one machine)/'
		grep -InwE 'T[O]DO|F[I]XME|X[X]X|H[A]CK' "${code[@]}" |
			sed 's/$/  (unfinished)/'
		missing_pages
	)
	findings "$found"
}

missing_pages()
{
	local file page
	for file in $(sources '^tools/kvmx/cmd_[a-z0-9_]+\.c$'); do
		page=${file##*/cmd_}
		page=docs/man/kvmx-${page%.c}.1
		[ -f "$page" ] || echo "$file: has no manual page $page"
	done
}
