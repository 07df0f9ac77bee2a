# SPDX-License-Identifier: GPL-2.0-only
# A table of what pollwake wrote: medians over the rounds, and the least and the most
# of what counts. Wants median.awk.

{
	k = $1 " " $2
	if (!(k in p50))
		order[++nr] = k
	p50[k] = p50[k] " " $3; p99[k] = p99[k] " " $4
	cpu[k] = cpu[k] " " $5
	won[k] = won[k] " " $6; lost[k] = lost[k] " " $7
}

END {
	print "| every, us | polling | p50, us | p99, us | CPU per wake-up, us | polled with success | in vain |"
	print "|---|---|---:|---:|---:|---:|---:|"
	for (i = 1; i <= nr; i++) {
		k = order[i]
		split(k, name, " ")
		print "| " name[1] " | " name[2] " | " spread(p50[k]) " | " spread(p99[k]) \
			" | " spread(cpu[k]) " | " median(won[k]) " | " median(lost[k]) " |"
	}
}
