# SPDX-License-Identifier: GPL-2.0-only
# A table of what latency-inside wrote: medians over the rounds, and the least and
# the most of what counts. Wants median.awk.

{
	k = $2 " " $1
	if (!(k in p50))
		order[++nr] = k
	p50[k] = p50[k] " " $4; p90[k] = p90[k] " " $5
	p99[k] = p99[k] " " $6; max[k] = max[k] " " $7
	share[k] = share[k] " " $8
}

END {
	print "| guest | hints | p50, us | p90, us | p99, us | max, us | the other, % |"
	print "|---|---|---:|---:|---:|---:|---:|"
	for (i = 1; i <= nr; i++) {
		k = order[i]
		split(k, name, " ")
		print "| " name[1] " | " name[2] " | " median(p50[k]) " | " spread(p90[k]) \
			" | " spread(p99[k]) " | " median(max[k]) " | " median(share[k]) " |"
	}
}
