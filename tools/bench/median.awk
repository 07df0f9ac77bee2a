# SPDX-License-Identifier: GPL-2.0-only
# Of several rounds: strings of figures with blanks between them.

function sorted(s, a,	n, i, j, t)
{
	n = split(s, a, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && a[j - 1] + 0 > a[j] + 0; j--) {
			t = a[j]; a[j] = a[j - 1]; a[j - 1] = t
		}
	return n
}

function median(s,	a, n)
{
	n = sorted(s, a)
	return a[int((n + 1) / 2)]
}

# The median, and the least and the most.
function spread(s,	a, n)
{
	n = sorted(s, a)
	return a[int((n + 1) / 2)] " (" a[1] " to " a[n] ")"
}
