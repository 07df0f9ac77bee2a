# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# What the tool says when something is wrong, and how it ends. Read by check.sh.

run "" --version;	is 0 "the version";	out '^kvmx [0-9]+\.[0-9]' "and is printed"
run "" --help;		is 0 "help";		out '^usage: kvmx' "and is printed"
run "" help;		is 0 "help as a command"
run "" help stat;	is 0 "help on stat";	narrow "help on stat"
run "" help ept;	is 0 "help on ept";	narrow "help on ept"
run "" help list;	is 0 "help on list"
run "" help info;	is 0 "help on info"
run "" stat --help;	is 0 "stat --help"
run "" list -h;		is 0 "list -h"
run "" info -h;		is 0 "info -h"
run "";			is 2 "no command"
run "" dance;		is 2 "an unknown command"
run "" --dance;		is 2 "an unknown option"
run "" help dance;	is 2 "help on an unknown command"
run "" help stat list;	is 2 "help on two commands"
run "" info --dance;	is 2 "an unknown option of info"
run "" info dance;	is 2 "an argument of info"
run "" list --dance;	is 2 "an unknown option of list"
run "" list dance;	is 2 "an argument of list"

for bad in 0 x -1 "" 0.0001 1e3 99999999999999999999 1.5x; do
	run "" stat -i "$bad"
	is 2 "stat -i \"$bad\""
done
for bad in 0 x -1 "" 1.5 99999999999999999999; do
	run "" stat -c "$bad"
	is 2 "stat -c \"$bad\""
done
for bad in 0 x -1 "" 99999999999; do
	run "" stat -p "$bad"
	is 2 "stat -p \"$bad\""
done
run "" stat -p 100 --id 1;	is 2 "stat with both -p and --id"
run "" stat --id 1 --id 2;	is 2 "stat with two ids"
run "" stat -i;			is 2 "stat -i without a value"
run "" stat --vcpu;		is 2 "stat --vcpu without a value"
run "" stat --vcpu x;		is 2 "stat --vcpu x"
run "" stat --sort sideways;	is 2 "an unknown order"
run "" stat --dance;		is 2 "an unknown option of stat"
run "" stat true;		is 2 "a command without --"
run "" stat --;			is 2 "-- without a command"
run "" stat -i 1 -- true;	is 2 "an interval and a command"
run "" stat -c 1 -- true;	is 2 "a count and a command"

run absent info;		is 3 "no module"
err 'install' "says that it is not installed"
run absent,installed info;	is 3 "a module that is not loaded"
err 'modprobe kvmx' "says how to load it"
run absent,nodevice info;	is 3 "a module without its device"
err '/dev/kvmx is not here' "says that the device is not here"
run absent list;		is 3 "list without the module"
run absent stat;		is 3 "stat without the module"
run absent stat -- true;	is 3 "stat -- COMMAND without the module"
run abi info;			is 4 "a module of another ABI"
err 'ABI 2, this tool ABI 1' "says which"
run oldabi stat;		is 4 "a module that does not understand us"
run denied info;		is 5 "no permission"
err 'root' "says who has"
run denied stat;		is 5 "no permission for stat"
run novm stat;			is 6 "stat without any VM"
run novm stat -i 1;		is 6 "stat -i without any VM"
run novm stat -p 100;		is 6 "stat -p of no process"
run "" stat -p 12345;		is 6 "a pid that does not exist"
err 'no process 12345' "says so"
run "" stat -p 4242;		is 6 "a process without a VM"
err 'process 4242 has no VM' "says so"
run "" stat --id 77;		is 6 "an unknown id"
run "" stat --vcpu 2;		is 6 "a vCPU that does not exist"
run twins stat -p 100;		is 7 "a process with several VMs"
err 'one of 1, 2' "lists them"
run nostats stat;		is 1 "a host that cannot be counted"
err 'kvmx info' "says where the reason is"

# shellcheck disable=SC2034 # read by is()
FAKE="" "$fake" info >/dev/full 2>"$work/err"; status=$?
is 1 "standard output that is full"
FAKE="" "$fake" stat -i 0.01 2>"$work/err" | head -n 3 >"$work/out"
# shellcheck disable=SC2034 # read by is()
status=$((PIPESTATUS[0] == 141 ? 0 : 1))
is 0 "a reader that goes away ends it quietly"
(trap '' PIPE; FAKE="" exec "$fake" stat -i 0.01 2>"$work/err") | head -n 3 >"$work/out"
that "also where SIGPIPE was ignored" [ ! -s "$work/err" ]
