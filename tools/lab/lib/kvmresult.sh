# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What became of a program, in words that can be compared, and whether the
# conditions agree. Needs nothing but grep, sed and awk: the unit test runs it
# anywhere, and the machine runs the first part.

# result_of STATUS LOG: one line without times or addresses. 124 is the time
# limit's, 4 kselftest's skip.
result_of()
{
	case $1 in
	0) echo "pass$(tap_words "$2")" ;;
	4) echo "skip $(skip_reason "$2")" ;;
	124) echo "timeout" ;;
	*) echo "fail $1 $(fail_place "$2")$(tap_words "$2")" ;;
	esac
}

# Of a program that prints TAP, how many cases went how.
tap_words()
{
	awk '
		/^ok [0-9]+/ { if (/# SKIP/) s++; else o++ }
		/^not ok [0-9]+/ { n++ }
		END {
			if (o + s + n) printf ", %d ok", o
			if (n) printf " %d not ok", n
			if (s) printf " %d skipped", s
		}' "$1"
}

skip_reason()
{
	local why
	why=$(sed -nE 's/.*# SKIP[ -]*//p' "$1" | head -n 1)
	[ -n "$why" ] || why=$(sed -nE 's/(.*[^,]),? skipping test.*/\1/p' "$1" | head -n 1)
	[ -n "$why" ] || why=$(grep . "$1" | tail -n 1)
	printf '%s\n' "${why:-without a reason}"
}

# Where it failed: the assertion's file and line, else the first case.
fail_place()
{
	local place
	place=$(sed -nE '/^==== Test Assertion Failure ====/{n;s,^ *([^ /]*/)*([^ /]+:[0-9]+):.*,\2,p}' "$1" |
		head -n 1)
	[ -n "$place" ] || place=$(sed -nE 's/^not ok [0-9]+ *-? *([^ ]+).*/\1/p' "$1" | head -n 1)
	printf '%s\n' "${place:-somewhere}"
}

# From here on: files of results, a line "CONDITION<tab>PROGRAM<tab>RESULT" per
# try, in any order.

# unsettled FILE: programs of which not all tries had one and the same result.
unsettled()
{
	awk -F'\t' '
		!($2 in first) { first[$2] = $3; order[++n] = $2 }
		first[$2] != $3 { varied[$2] = 1 }
		END { for (i = 1; i <= n; i++) if (order[i] in varied) print order[i] }' "$1"
}

# steady_in CONDITION FILE: programs that vary, but not in this condition.
steady_in()
{
	awk -F'\t' -v "condition=$1" '
		!($2 in first) { first[$2] = $3; order[++n] = $2 }
		first[$2] != $3 { varied[$2] = 1 }
		$1 != condition { next }
		!($2 in here) { here[$2] = $3 }
		here[$2] != $3 { here_too[$2] = 1 }
		END {
			for (i = 1; i <= n; i++)
				if (order[i] in varied && !(order[i] in here_too)) print order[i]
		}' "$2"
}

# judge FILE CONDITION...: "VERDICT<tab>PROGRAM<tab>WORDS" per program.
#   same      every try of every condition had this result
#   unsteady  tries differ, in the first condition too, but the best result of
#             each condition is the same
#   differs   the best results differ, or one condition has none, or in the first
#             one all tries were alike
#   died      the machine did not outlive it, in the first condition already
# The best of several tries: pass, skip, fail, timeout, died, in this order; of
# several failures, all conditions must have one in common.
judge()
{
	local file=$1
	shift
	awk -F'\t' -v "conditions=$*" '
		function rank(r) { sub(/[ ,].*/, "", r); return index("pass skip fail timeout died ", r " ") }
		function agree(p,    i, r) {
			for (i = 2; i <= nc; i++)
				if (best[p, cond[i]] != best[p, cond[1]]) return 0
			for (r in result) {
				if (rank(r) != best[p, cond[1]]) continue
				for (i = 1; i <= nc && (p, cond[i], r) in times; i++);
				if (i > nc) return 1
			}
			return 0
		}
		function kinds(p, c,    r, k) {
			for (r in result) if ((p, c, r) in times) k++
			return k
		}
		function words(p,    i, j, s) {
			for (i = 1; i <= nc; i++) {
				s = s (i > 1 ? "; " : "") cond[i] ":"
				if (!((p, cond[i]) in best)) s = s " nothing"
				for (j = 1; j <= nr; j++)
					if ((p, cond[i], list[j]) in times)
						s = s " " times[p, cond[i], list[j]] " x " list[j] ","
				sub(/,$/, "", s)
			}
			return s
		}
		BEGIN { nc = split(conditions, cond, " ") }
		{
			if (!($2 in first)) { first[$2] = $3; order[++np] = $2 }
			if ($3 != first[$2]) varied[$2] = 1
			if (!($3 in result)) { result[$3] = 1; list[++nr] = $3 }
			times[$2, $1, $3]++
			if (!(($2, $1) in best) || rank($3) < best[$2, $1]) best[$2, $1] = rank($3)
		}
		END {
			for (k = 1; k <= np; k++) {
				p = order[k]
				missing = 0
				for (i = 1; i <= nc; i++) if (!((p, cond[i]) in best)) missing = 1
				if (best[p, cond[1]] == rank("died")) print "died\t" p "\t" words(p)
				else if (missing) print "differs\t" p "\t" words(p)
				else if (!(p in varied)) print "same\t" p "\t" first[p]
				else if (agree(p) && kinds(p, cond[1]) > 1) print "unsteady\t" p "\t" words(p)
				else print "differs\t" p "\t" words(p)
			}
		}' "$file"
}

# splat_programs CONSOLE: programs during which the kernel complained; "none"
# before the first one. Wants splat.sh.
splat_programs()
{
	local line name=none
	splat_clean "$1" | sed "0,/$SPLAT_START/d" |
		grep -aE "kvm-test: [^ ]+ begins|$(splat_regex)" |
		while IFS= read -r line; do
			if [[ $line =~ kvm-test:\ ([^ ]+)\ begins ]]; then
				name=${BASH_REMATCH[1]}
			else
				echo "$name"
			fi
		done | uniq
}
