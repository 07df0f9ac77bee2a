# SPDX-License-Identifier: GPL-2.0-only
# Lines of bench-inside to a table, or with -v json=1 to JSON. The names of
# conditions come first: lines "= NAME TEXT".

$1 == "=" {
	name = $2
	sub(/^= [^ ]+ /, "")
	text[name] = $0
	order[++rows] = name
	next
}

$2 == "unavailable" {
	name = $1
	sub(/^[^ ]+ unavailable /, "")
	why[name] = $0
	next
}

{
	if (!($2 in seen)) {
		seen[$2] = 1
		kind[++kinds] = $2
	}
	took[$1, $2] = $3
	spread[$1, $2] = $4
	exits[$2] = $5
}

function quoted(s)
{
	gsub(/["\\]/, "\\\\&", s)
	gsub(/[^ -~]/, " ", s)
	return "\"" s "\""
}

function print_json(	i, j, n, sep)
{
	printf "{\"machine\":%s,\"unit\":%s,\"exits_per_step\":{", quoted(machine),
		quoted(unit)
	for (j = 1; j <= kinds; j++)
		printf "%s%s:%s", (j > 1 ? "," : ""), quoted(kind[j]), exits[kind[j]]
	printf "},\"conditions\":["
	for (i = 1; i <= rows; i++) {
		n = order[i]
		if (!((n, kind[1]) in took) && !(n in why))
			continue
		printf "%s{\"name\":%s,\"what\":%s", sep, quoted(n), quoted(text[n])
		sep = ","
		if (n in why)
			printf ",\"unavailable\":%s", quoted(why[n])
		printf ",\"per_exit\":{"
		for (j = 1; j <= kinds; j++)
			if ((n, kind[j]) in took)
				printf "%s%s:{\"total\":%s,\"spread\":%s}",
					(j > 1 ? "," : ""), quoted(kind[j]),
					took[n, kind[j]], spread[n, kind[j]]
		printf "}}"
	}
	print "]}"
}

function print_table(	i, j, n, base)
{
	printf "%s\n%s per exit: of the bare path in the first row, added to it below\n\n",
		machine, unit
	printf "%-62s", "condition"
	for (j = 1; j <= kinds; j++)
		printf "%12s", kind[j]
	print ""
	for (i = 1; i <= rows; i++) {
		n = order[i]
		if (n in why) {
			printf "%-62s unavailable: %s\n", text[n], why[n]
			continue
		}
		if (!((n, kind[1]) in took))
			continue
		printf "%-62s", text[n]
		for (j = 1; j <= kinds; j++) {
			base = i == 1 ? 0 : took[order[1], kind[j]]
			printf(i == 1 ? "%12.1f" : "%+12.1f", took[n, kind[j]] - base)
		}
		print ""
	}
}

END {
	if (json)
		print_json()
	else
		print_table()
	exit !kinds
}
