# SPDX-License-Identifier: GPL-2.0-only
# Lengths of functions in C and shell, in the one style that this tree has: the
# braces of a body stand in the first column. Prints "lines file:line name".

FNR == 1 { start = 0; name = "" }

# A line that may be the head of a function: the last one before "{" counts.
!start && /^[A-Za-z_].*\(/ {
	name = $0
	sub(/\(.*/, "", name)
	sub(/.*[ \t*]/, "", name)
}

!start && (/^\{[ \t]*$/ || /^[A-Za-z_][A-Za-z0-9_]*[ \t]*\(\)[ \t]*\{[ \t]*$/) {
	start = FNR
	next
}

start && /^\}/ {
	if (name != "")
		print FNR - start - 1, FILENAME ":" start, name
	start = 0
	name = ""
}
