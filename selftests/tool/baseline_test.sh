# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# Before and after: --save and --baseline of stat and ept, and what is wrong with
# files for all that have them. What sched compares is in sched_test.sh. Read by
# check.sh.

run "" stat --save "$work/stat"; is 0 "stat --save"
"$get" subcommand vms/0/exits/0/count/value <"$work/stat" >"$work/out" 2>"$work/err"
that "saves JSON, and whose it is" [ "$(paste -sd' ' "$work/out")" = "stat 200" ]
run hogged,odd stat --baseline "$work/stat"; is 0 "stat --baseline"
out '^VM 1, compared with the baseline \(VM 1, pid 100\)$' "finds the VM in it"
out '^all +halted +30\.0% +15\.0% +-15\.0 points$' "has classes of time"
out '^all +all exits +2000/s +2010/s +\+0%$' "all exits"
out '^all +HLT +200\.0/s +200\.0/s +\+0%$' "exits by reason, per second"
out '^all +HLT, mean +3\.00ms +3\.00ms +\+0%$' "and what they cost"
out '^all +code 0x4d +0\.0/s +10\.0/s +new$' "a reason that is new"
! grep -q '^all *code 0x4d, mean\|^all *TRIPLE_FAULT' "$work/out"
ok $? "but no mean of nothing, and not what never happened"
narrow "stat --baseline"
run odd stat --per-vcpu --save "$work/odd"; is 0 "stat --per-vcpu --save"
run "" stat --per-vcpu --baseline "$work/odd"; is 0 "stat --per-vcpu --baseline"
out '^all +code 0x4d +10\.0/s +0\.0/s +-100%$' "shows a reason that is no more"
out '^1 +CPUID +700\.0/s +700\.0/s +\+0%$' "and each vCPU"
run odd stat --json --baseline "$work/stat"; is 0 "the same as JSON"
json "has both sides" "guest 0.500000 0.500000" compared/0/figures/0/figure \
	compared/0/figures/0/before compared/0/figures/0/now
run "" stat -i 0.01 -c 3 --save "$work/stat"
that "saves each interval in a line" [ "$(wc -l <"$work/stat")" -eq 3 ]
run "" stat --baseline "$work/stat" --save "$work/stat"; is 0 "the same file for both"
that "is read before it is written" [ "$(wc -l <"$work/stat")" -eq 1 ]
run "" stat --baseline "$work/stat" -- true; is 0 "stat --baseline -- COMMAND"
out '^VM 1, compared ' "compares what happened meanwhile"

run "" ept --save "$work/ept"; is 0 "ept --save"
run busy ept --baseline "$work/ept"; is 0 "ept --baseline"
out '^all +cause not_present +360\.0/s +720\.0/s +\+100%$' "has violations"
out '^all +access write +300\.0/s +300\.0/s +\+0%$' "each way to look at them"
out '^all +handling, mean +10\.0us +10\.0us +\+0%$' "what they cost"
out '^all +mapped pages +250\.0/s +500\.0/s +\+100%$' "operations on mappings"
out '^all +4K pages +1000 +1000 +\+0%$' "what is mapped"
out '^all +in huge pages +60\.6% +60\.6% +\+0\.0 points$' "the share of huge pages"
out '^all +page tables +80 KiB +80 KiB +\+0%$' "the tables"
out '^all +ports +60\.0/s +60\.0/s ' "exits for ports"
out '^all +mmio, mean +5\.00us +5\.00us ' "and what those for MMIO cost"
out '^all +in THP +400 MiB +400 MiB ' "and what backs it"
! grep -q '^all *1G' "$work/out"
ok $? "not pages that there are none of"
narrow "ept --baseline"
run busy ept --vcpu 1 --save "$work/one"
run "" ept --vcpu 1 --baseline "$work/one"; is 0 "ept --vcpu --baseline"
out '^1 +cause not_present +720\.0/s +360\.0/s +-50%$' "compares that vCPU"
! grep -q '^all ' "$work/out"
ok $? "and nothing else"
run two ept --baseline "$work/ept"
out '^VM 2 is not in the baseline$' "tells which VM is not in it"

for cmd in stat ept sched; do
	run "" "$cmd" --baseline "$work/none"; is 1 "$cmd: a baseline that does not exist"
	err "cannot read .*/none: No such file" "is told by name"
	run "" "$cmd" --baseline "$work"; is 1 "$cmd: a folder as a baseline"
	echo '{"a":1}' >"$work/broken"
	run "" "$cmd" --baseline "$work/broken"; is 1 "$cmd: JSON of somebody else"
	err 'not what --save' "is told from ours"
	{ cat "$work/ept"; echo 'well, well'; } >"$work/broken"
	run "" "$cmd" --baseline "$work/broken"; is 1 "$cmd: a file that is no JSON"
	err 'broken is broken: line 2 is not JSON' "says which line"
	head -c 100 "$work/ept" >"$work/broken"
	run "" "$cmd" --baseline "$work/broken"; is 1 "$cmd: half a file"
	err 'broken is broken: line 1 is not JSON .*end of data' "says what is wrong"
	: >"$work/broken"
	run "" "$cmd" --baseline "$work/broken"; is 1 "$cmd: an empty file"
	err 'broken is empty$' "says so"
	run "" "$cmd" --save /dev/null/x; is 1 "$cmd: a file that cannot be written"
	run "" "$cmd" --save "$work/full" --baseline "$work/none"
	that "$cmd: nothing is written where nothing is compared" [ ! -e "$work/full" ]
	run "" "$cmd" --save;		is 2 "$cmd: --save without a file"
done
run "" stat --baseline "$work/ept"; is 1 "a baseline of another subcommand"
err 'ept is from kvmx ept, and has nothing for kvmx stat$' "says whose it is"
run "" stat --raw --save "$work/x"; is 2 "--raw and --save"
run "" stat --raw --baseline "$work/ept"; is 2 "--raw and --baseline"
