# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Counts the cases in what the kselftest runner prints.

# tap_count FILE: one line "F program: case" per failure, one line
# "S program: case" per skip, and at the end "T passed failed skipped".
# Cases are the lines nested one level down; a program without any counts as
# one case. A program that ended badly although none of its cases failed is a
# failure of its own, and so is one that was promised but never ran.
tap_count()
{
	awk '
		function note(kind, what) { print kind " " program ": " what }
		function close_program(ok, words,    missing) {
			ended++
			missing = ok && (planned > nested || (nested > 0 && !planned))
			if (nested == 0) {
				if (missing) { failed++; note("F", "ended before all its cases had run") }
				else if (words ~ /# SKIP/) { skipped++; note("S", "all of it" (reason != "" ? ": " reason : "")) }
				else if (ok) passed++
				else { failed++; note("F", words) }
			} else if ((!ok && !bad) || missing) {
				failed++
				note("F", ok ? "ended before all its cases had run" : "ended badly: " words)
			}
			nested = bad = planned = 0
			reason = ""
		}
		{ sub(/\r$/, "") }
		/^1\.\.[0-9]+/ { promised += substr($1, 4) }
		/^# selftests: / { program = $NF; running = program; nested = bad = planned = 0; reason = "" }
		/^# 1\.\.[0-9]+/ {
			planned = substr($2, 4) + 0
			if (match($0, /# SKIP.*/)) { reason = substr($0, RSTART + 7) }
		}
		/^# (not )?ok [0-9]+/ {
			nested++
			what = $0
			sub(/^# (not )?ok [0-9]+ *-? */, "", what)
			if (what ~ /# (SKIP|XFAIL)/) { skipped++; note("S", what) }
			else if ($2 == "not") { failed++; bad++; note("F", what) }
			else passed++
		}
		/^(not )?ok [0-9]+ selftests: / {
			words = $0
			program = words
			sub(/^(not )?ok [0-9]+ selftests: [^:]*: /, "", program)
			sub(/ .*/, "", program)
			sub(/^(not )?ok [0-9]+ selftests: [^:]*: [^ ]* ?/, "", words)
			close_program($1 == "ok", words)
			running = ""
		}
		END {
			if (running != "") {
				program = running
				failed++
				ended++
				note("F", "never ended")
			}
			if (promised > ended) {
				program = "runner"
				failed += promised - ended
				note("F", promised - ended " programs never ran")
			}
			printf "T %d %d %d\n", passed, failed, skipped
		}' "$1"
}
