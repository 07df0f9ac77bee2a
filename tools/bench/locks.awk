# SPDX-License-Identifier: GPL-2.0-only
# A table of what lockload wrote: how often the lock was had with hints off, how many
# times as often with each way to hint, and what each of the other processes had of
# a CPU. Wants median.awk.

{
	k = $1 " " $2 " " $3
	if (!(k in known)) {
		known[k] = 1
		levels[++nr] = k
	}
	if ($4 != "off" && !($4 in ways)) {
		ways[$4] = 1
		names[++nr_names] = $4
	}
	rates[k, $4] = rates[k, $4] " " $5
	share[k, $4] = share[k, $4] " " $6
}

function others(k, way,	name)
{
	split(k, name, " ")
	return name[3] + 0 ? "; " median(share[k, way]) " %" : ""
}

# In multiples of the median with hints off.
function times(k, way,	off, a, n)
{
	off = median(rates[k, "off"])
	if (!off)
		return spread(rates[k, way]) " /s"
	n = sorted(rates[k, way], a)
	return sprintf("%.2f (%.2f to %.2f)", a[int((n + 1) / 2)] / off,
		       a[1] / off, a[n] / off)
}

END {
	head = "| lock | vCPUs | others | off, sections/s |"
	line = "|---|---:|---:|---|"
	for (j = 1; j <= nr_names; j++) {
		head = head " " names[j] " |"
		line = line "---|"
	}
	print head
	print line
	for (i = 1; i <= nr; i++) {
		k = levels[i]
		split(k, name, " ")
		row = "| " name[1] " | " name[2] " | " name[3] " | " spread(rates[k, "off"]) others(k, "off") " |"
		for (j = 1; j <= nr_names; j++)
			row = row " " times(k, names[j]) others(k, names[j]) " |"
		print row
	}
}
