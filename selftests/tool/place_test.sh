# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# kvmx place: what it asks the module for, and what it says. Read by check.sh.

export FAKE_LOG=$work/log

# asked REGEX NAME: the last run asked the module for that.
asked() { grep -Eq -- "$1" "$FAKE_LOG"; ok $? "$2"; }
# not_asked REGEX NAME
not_asked() { ! grep -Eq -- "$1" "$FAKE_LOG"; ok $? "$2"; }
# place FAKE ARGS...: run, with a fresh log.
place() { : >"$FAKE_LOG"; run "$1" place "${@:2}"; }

run "" help place;		is 0 "help on place";	narrow "help on place"
run "" place -h;		is 0 "place -h"

place "" -p 100 --policy isolate --cpus 2-3 --emulator 0 --io 1 --smt isolate
is 0 "place"
asked '^place vm=1 policy=5 smt=2 flags=0 cpus=2-3 emulator=0 io=1$' "asks for what was wished"
[ "$(sed -n 2p "$FAKE_LOG")" = "commit vm=1" ] && rc=0 || rc=1
ok "$rc" "and commits when it is placed"
out '^VM 1: pid 100, qemu-system-x86: policy isolate, SMT isolate: 5 threads' "says so"
! grep -q 'CPU 0/KVM' "$work/out"
ok $? "without --explain no thread is told"
narrow "place"

place "" --id 1 --policy pin --map 0:2,1:3 --enforce --replace
asked '^place vm=1 policy=1 smt=0 flags=6 pin=0:2 pin=1:3$' "a map and flags are asked for"
place "" -p 100 --policy auto --interval 0.25
asked 'policy=6 .*interval=250' "an interval is asked for"
place "" -p 100 --policy numa
asked 'policy=4 .*node0=106496 node1=28672' "the VM's memory is told in pages"
place "" -p 100 --policy spread
not_asked 'node' "no memory is read where it does not matter"
place noproc -p 100 --policy numa
not_asked 'node' "memory that cannot be read is not made up"

place notes -p 100 --policy pack --dry-run --explain
is 0 "place --dry-run"
asked '^place vm=1 policy=2 smt=0 flags=1$' "asks for a dry run"
not_asked '^commit' "and commits nothing"
out 'nothing was changed' "says that nothing was changed"
out '^ +101 vcpu +0 2 +planned +CPU 0/KVM +a core of its own$' "--explain tells each thread"
out '^ +110 io +- 1 .*born later$' "and which were born later"
out '^ +- vcpu +2 6 +not-run +- ' "a vCPU that has not run yet is told"
out '^note: 2 vCPUs on CPU 3$' "notes are told"
! grep -q $'\x1b' "$work/out"
ok $? "a thread's name cannot steer the terminal"
narrow "--explain"

place "" -p 100 --policy isolate --json
json "place --json is JSON" "placed isolate 5 2-7 vcpu 2 own-core 2 true 40 cron cd /sys/fs/cgroup" \
	vms/0/result vms/0/policy vms/0/threads vms/0/isolated_cpus vms/0/threads/0/class \
	vms/0/threads/0/cpus vms/0/threads/0/why vms/0/threads/1/drifts \
	vms/0/threads/3/born_later vms/0/foreign_allowed vms/0/foreign/0/name \
	vms/0/keep_out/0/command
place crowd -p 100 --policy isolate
out 'may run on CPUs 2-7: 40; that ran there last: 12$' "isolate names those who run there"
out '^ +700 +700 +2 - +cron$' "one by one"
out '^ +and 2 more$' "as many as a screen takes"
out '^ +echo 101 > .*cgroup' "and what would keep them out"
place scattered -p 100 --policy isolate
out '^ +echo 1,3,5,[0-9,]*,121,123,125,127 > kvmx-1/cpuset\.cpus' "a command is one line"
out '^1,3,5,[0-9,]*,121,123,125,127:$' "a long word is told in full"
place foreign -p 100 --policy isolate
out '^ +700 +700 +2 runs +cron$' "what the module saw run is marked"
! grep -q '^note: thread 700' "$work/out"
ok $? "and not told twice"
place alone -p 100 --policy isolate
! grep -q 'cgroup' "$work/out"
ok $? "nobody there: nothing to be kept out"
out 'the guest sees 2 threads per core .*' "the guest's cores are compared"
place "alone" -p 100 --policy spread --json
json "and say where they are known from" "2 1 -smp of QEMU's command line" \
	vms/0/guest_topology/threads_per_core vms/0/guest_topology/mismatches \
	vms/0/guest_topology/from
place two --id 2 --policy spread
! grep -q 'guest sees' "$work/out"
ok $? "of another VMM nothing is claimed"

place many -p 100 --policy pack --json
json "1500 threads are all told" "1500" vms/0/threads
[ "$(grep -c '^place' "$FAKE_LOG")" -eq 1 ] && rc=0 || rc=1
ok "$rc" "and placed once"
place many -p 100 --policy pack --dry-run --json
json "also in a dry run" "1500" vms/0/threads

place refuse,notes -p 100 --policy spread --explain;	is 8 "a plan that is refused"
not_asked '^commit' "is not committed"
err 'policy spread is refused, and nothing was changed: CPU 7 is wished' "says why"
out '^refused: CPU 7' "and on the screen"
[ "$(grep -nE '^(refused|note): ' "$work/out" | cut -d: -f2 | paste -sd' ')" = "refused note" ] && rc=0 || rc=1
ok "$rc" "what refuses comes first"
place refuse -p 100 --policy spread --json
json "a refusal is JSON, too" "refused offline true overcommit" vms/0/result \
	vms/0/notes/0/kind vms/0/notes/0/refuses vms/0/notes/1/kind

place placed -p 100 --policy pack;		is 9 "a VM that is placed already"
err 'by policy isolate: .*--replace.*--clear' "says by what, and what to do"
place placed -p 100 --policy pack --replace;	is 0 "place --replace"
place held -p 100 --policy pack --replace;	is 9 "a VM that another program holds"
err 'another program' "says so"
place eperm -p 100 --policy pack;		is 5 "no CAP_SYS_NICE"
err 'CAP_SYS_NICE' "says so"
place readonly -p 100 --policy pack;		is 5 "a node that cannot be written to"
place readonly -p 100 --show;			is 0 "--show only reads"
place enotuniq -p 100 --policy pack;		is 7 "a process with several VMs"
err 'several VMs \(1\)' "lists them"
place twins -p 100 --policy pack;		is 7 "a pid that is not enough"
place eopnotsupp -p 100 --policy pack;		is 1 "a host without placement"
err "place: no way to set a task's CPUs" "has the feature's reason"
place enotty -p 100 --policy pack;		is 4 "a module without placement"
place e2big -p 100 --policy pack;		is 4 "a module that knows less"
place enotty -p 100 --show;			is 4 "--show without placement"
place einval -p 100 --policy pack;		is 1 "wishes that the module does not accept"
place enomem -p 100 --policy pack;		is 1 "a module without memory"
place enodev -p 100 --policy pack;		is 6 "a VM that has just ended"
place "" -p 12345 --policy pack;		is 6 "no such process"
place absent -p 100 --policy pack;		is 3 "place without the module"

place placed --all --show;		is 0 "--show"
out '^In force for +1m01s$' "tells how long it has been in force"
out '^It stays +until' "and how long it stays"
out '^Births +4$' "and births";		out '^ +at most +250us$' "with their times"
out '^Drifts +2$' "and drifts";		out '^Refusals +1$' "and refusals"
out 'changed by$' "and what others did"
out '^Classes +vcpu: KVM says' "and by what rule threads are classed"
narrow "--show"
place placed -p 100 --show --json
json "--show --json is JSON" "placed true 100000 9" vms/0/result vms/0/committed \
	vms/0/birth_ns_mean vms/0/moves
place placed,autonote -p 100 --show --json
json "what policy auto did has a name" "auto false" vms/0/notes/0/kind vms/0/notes/0/refuses
place two --all --show --json
json "a VM without a placement is no failure" "2 none none" vms vms/0/result vms/1/result
place novm --all --show;		is 0 "--show without any VM"
place "" -p 100 --clear;		is 1 "--clear of nothing"
err 'no placement' "says so"
place placed -p 100 --clear;		is 0 "--clear"
asked '^clear vm=1$' "is asked for"
place two --all --clear;		is 0 "--all --clear where there is nothing"

place "" -p 100 --policy pack -- sh -c 'exit 7';	is_command=$status
that "the command's status is the tool's" [ "$is_command" -eq 7 ]
not_asked '^commit' "while a command runs nothing is committed"
place refuse -p 100 --policy pack -- touch "$work/ran";	is 8 "a refusal with a command"
that "the command has not run" [ ! -e "$work/ran" ]
place "" -p 100 --policy pack -- "$work/nothing";	is 127 "a command that is not there"

for bad in "" "--policy pack" "-p 100" "-p 100 --policy wild" "-p 100 --policy none" \
	"-p 100 --policy pack --cpus 3-1" "-p 100 --policy pack --io x" \
	"-p 100 --policy pin" "-p 100 --policy pin --map 0" "-p 100 --policy pack --map 0:1" \
	"-p 100 --policy pack --interval 1" "-p 100 --policy auto --interval 0" \
	"-p 100 --policy pack --smt never" "-p 100 --policy pack --show" "--show --clear -p 100" \
	"--show" "--clear" "--all --policy pack" "--all --show -p 100" "-p 100 --id 1 --show" \
	"-p 0 --show" "-p 100 --show --dry-run" "-p 100 --show -- true" "--watch x -p 100" \
	"--watch x --policy pack" "--watch x --all" "-p 100 --policy pack true" \
	"-p 100 --policy pack --" "--dance" "-p" "-p 100 --policy pack --dry-run -- true" \
	"-p 100 --enforce"; do
	# shellcheck disable=SC2086 # words
	place "" $bad
	is 2 "place $bad"
done

rules=$work/rules
# background NAME FAKE ARGS...: --watch that goes on; its output in $work/watch.
background()
{
	: >"$FAKE_LOG"
	FAKE=$1,stay "$fake" place --watch "$rules" "${@:2}" >"$work/watch" 2>"$work/watch.err" &
	watch=$!
}

# soon REGEX NAME: the watch says that within ten seconds.
soon()
{
	local i
	for ((i = 0; i < 100; i++)); do
		cat "$work/watch" "$work/watch.err" >"$work/out"
		# Long lines are wrapped.
		tr '\n' ' ' <"$work/out" | grep -Eq -- "$1" && break
		sleep 0.1
	done
	[ "$i" -lt 100 ]
	ok $? "$2"
}

# soon_asked REGEX NAME: the watch asks the module for that within ten seconds.
soon_asked()
{
	for _ in {1..100}; do
		! grep -Eq -- "$1" "$FAKE_LOG" || break
		sleep 0.1
	done
	asked "$1" "$2"
}

stop_watch() { kill "$watch"; wait "$watch" 2>/dev/null; }

printf 'guest=db* --policy isolate --cpus 2-3\nunit=vmm.service --policy spread\n' >"$rules"
place arrives,drift,lost,dies --watch "$rules"
is 1 "a module that ends ends --watch"
out 'VM 1: placed by .*rules:1$' "--watch places those that are there"
out 'VM 2: placed by .*rules:2$' "and those born later"
out 'thread 102 \(CPU.*' "a drift is told"
out '17 events were lost' "and lost events"
out 'VM 1 has ended' "and the end of a VM"
[ "$(grep -c '^commit' "$FAKE_LOG")" -eq 2 ] && rc=0 || rc=1
ok "$rc" "each was placed and committed once"
asked '^events mask=676$' "events that nobody wants are not asked for"
place arrives,drift,lost,dies --watch "$rules" --json
json "each decision is a line of JSON" \
	"placed placed drift lost vm-died" event
place "" --watch "$rules" --json
json "with the rule and the threads" "1 1 5" vm rule vms/0/threads
place dies --watch "$rules" --explain
out '^ +101 vcpu' "--explain tells each thread"
asked '^events mask=67e$' "and asks for births"

printf 'name=x --policy pack\nname=y --policy wild\nname=z\n' >"$rules"
place "" --watch "$rules"
that "a file with errors" [ "$status" -eq 2 ]
err "rules:2: there is no policy" "has them told by line";	err "rules:3: " "all of them"
that "and nothing is done" [ ! -s "$FAKE_LOG" ]
place "" --watch "$work/no/rules";	is 1 "a folder that is not there"
place "" --watch "$work/norules";	is 1 "a file that is not there"
: >"$rules"
place denied --watch "$rules";		is 5 "--watch without permission"
place enotty --watch "$rules";		is 4 "--watch with an old module"

echo 'name=* --policy spread' >"$rules"
background two
soon 'VM 2: placed' "--watch goes on"
sed 's/spread/wild/' "$rules" >"$work/new"; mv "$work/new" "$rules"
soon 'rules:1: there is no policy' "an error in the file that changed is told"
soon 'the rules of before stay' "and the old rules stay"
printf 'pid=200 --policy spread\nname=* --policy pack --enforce\n' >"$rules"
soon 'VM 1: placed by .*rules:2' "a changed rule is carried out"
soon 'has changed: 2 rules' "and told"
[ "$(grep -c '^place vm=2' "$FAKE_LOG")" -eq 1 ] && rc=0 || rc=1
ok "$rc" "a VM whose rule says the same is left alone"
asked '^place vm=1 policy=2 smt=0 flags=6$' "what we placed ourselves is replaced"
: >"$FAKE_LOG"
rm "$rules"
{ sleep 0.5; echo 'name=* --policy pack'; } >"$rules"
soon_asked '^place vm=2 policy=2' "a file that is made anew is read"
not_asked '^clear' "when it has been written"
echo 'name=* --policy spread' >"$work/other"
rm "$rules"; ln "$work/other" "$rules"
soon_asked '^place vm=2 policy=3' "a link is read at once"
echo 'name=* --policy numa' >"$work/another"
rm "$rules"; ln -s another "$rules"
soon_asked '^place vm=2 policy=4' "and so is a symbolic one"
rm "$rules"; echo 'pid=100 --policy none' >"$rules"
soon 'VM 2: cleared: no rule' "a VM without a rule is cleared"
soon 'VM 1: cleared: no rule' "and one that is to be left alone"
stop_watch

echo 'name=* --policy spread' >"$rules"
background refuse2
soon 'refused, and nothing was changed: .*; trying' "what is refused is told"
soon 'VM 1: placed' "and tried again"
[ "$(grep -c trying "$work/out")" -eq 1 ] && rc=0 || rc=1
ok "$rc" "told once"
[ "$(grep -c '^place' "$FAKE_LOG")" -eq 3 ] && rc=0 || rc=1
ok "$rc" "until it works"
stop_watch
background placed
soon 'VM 1 is placed already' "somebody else's placement is left alone"
stop_watch
unset FAKE_LOG
