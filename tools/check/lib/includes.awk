# SPDX-License-Identifier: GPL-2.0-only
# Judges includes by tools/check/floors, which is the first file; the others
# are sources below module/ and uapi/, named as seen from the top of the tree.

function to_re(glob)
{
	gsub(/\./, "\\.", glob)
	gsub(/\*/, "[^/]*", glob)
	return "^" glob "$"
}

# The row of a name below module/ that has lost its ending; 0: none.
function row_of(name,    i)
{
	for (i = 1; i <= rows; i++)
		if (name ~ row_re[i])
			return i
	return 0
}

function never(row, name,    n, word, i)
{
	n = split(row_never[row], word, " ")
	for (i = 1; i <= n; i++) {
		if (substr(word[i], 1, 1) == "=") {
			if (name ~ to_re(substr(word[i], 2)))
				return 0
		} else if (name ~ to_re(word[i])) {
			return 1
		}
	}
	return 0
}

function bad(words)
{
	print FILENAME ":" FNR ": " words
}

function judge(target,    name, to)
{
	name = target
	sub(/\.[a-z]+$/, "", name)
	to = row_of(name)
	if (!to)
		bad(target " has no row in tools/check/floors")
	else if (to == row)
		return
	else if (row_floor[row] == "-" || row_floor[to] == "-")
		bad(target ": " row_name[row] " and the others stand apart")
	else if (row_floor[to] + 0 > row_floor[row] + 0)
		bad(target " is on floor " row_floor[to] ", this file on " row_floor[row])
	else if (row_floor[to] == row_floor[row] && to > row)
		bad(target " stands below this file on floor " row_floor[row])
	else if (never(row, name))
		bad(target " must never be included by " row_name[row])
}

FILENAME == floors && $1 == "row" {
	rows++
	row_floor[rows] = $2
	row_name[rows] = $3
	row_re[rows] = to_re($3)
	for (i = 4; i <= NF; i++)
		row_never[rows] = row_never[rows] " " $i
	next
}

FILENAME == floors && $1 == "system" {
	for (i = 3; i <= NF; i++)
		allowed[$2, $i] = 1
	next
}

FILENAME == floors { next }

FNR == 1 {
	top = FILENAME
	sub(/\/.*/, "", top)
	row = 0
	if (top == "module") {
		self = substr(FILENAME, 8)
		sub(/\.[a-z]+$/, "", self)
		row = row_of(self)
		if (!row)
			bad("has no row in tools/check/floors")
	}
}

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
	quoted = /include[ \t]*"/
	target = $0
	sub(/^[^<"]*[<"]/, "", target)
	sub(/[>"].*/, "", target)
	if (top == "uapi") {
		if (quoted || !((top, target) in allowed))
			bad(target ": uapi includes only what tools/check/floors names")
		next
	}
	if (!row)
		next
	# Not the folders, but what is ours: quotes decide nothing.
	if (!quoted && (getline line < ("module/" target)) < 0)
		next
	close("module/" target)
	if (quoted && target ~ /\.\./)
		bad(target ": paths are given from module/")
	else
		judge(target)
}
