# SPDX-License-Identifier: GPL-2.0-only
# Prints C sources as "file:line:text" without their comments.

FNR == 1 { inside = 0 }

{
	out = ""
	rest = $0
	while (rest != "") {
		if (inside) {
			i = index(rest, "*/")
			if (!i)
				break
			rest = substr(rest, i + 2)
			inside = 0
		} else if (match(rest, /^"([^"\\]|\\.)*"/) || match(rest, /^'([^'\\]|\\.)*'/)) {
			out = out substr(rest, 1, RLENGTH)
			rest = substr(rest, RLENGTH + 1)
		} else if (substr(rest, 1, 2) == "//") {
			break
		} else if (substr(rest, 1, 2) == "/*") {
			rest = substr(rest, 3)
			inside = 1
		} else {
			out = out substr(rest, 1, 1)
			rest = substr(rest, 2)
		}
	}
	print FILENAME ":" FNR ":" out
}
