// SPDX-License-Identifier: GPL-2.0-only
/* Lists of CPUs, wishes, files of rules, and QEMU's command line. */
#include <stdlib.h>
#include <string.h>

#include "cpus.h"
#include "guest.h"
#include "rules.h"
#include "tap.h"

static bool list_is(const char *list, const char *again)
{
	struct cpus c;
	char *text;
	bool good;

	if (!cpus_parse(list, &c))
		return !again;
	text = cpus_text(&c);
	good = again && !strcmp(text, again);
	if (!good)
		printf("# %s: %s\n", list, text);
	free(text);
	return good;
}

static void lists_of_cpus(void)
{
	static const char * const wrong[] = {
		"", ",", "1,", ",1", "3-1", "1-", "-1", "a", "1-2-3", "1 ", " 1",
		"8192", "0-8192", "99999999999999999999", "1,,2", "0x1", "all",
	};
	struct cpus a, b, none = { { 0 } };
	unsigned int i;
	char *text;

	ok(list_is("0", "0") && list_is("7,0-3", "0-3,7") &&
	   list_is("63-64", "63-64") && list_is("8191", "8191") &&
	   list_is("1,2,3", "1-3") && list_is("5,5-5", "5") &&
	   list_is("0-8191", "0-8191"), "lists are read and written");
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ok(list_is(wrong[i], NULL), "\"%s\" is no list", wrong[i]);
	text = cpus_text(&none);
	ok(!strcmp(text, "-"), "an empty set has a sign");
	free(text);
	memset(&a, 0, sizeof(a));
	for (i = 0; i < CPUS_MAX; i += 2)
		cpus_add(&a, i);
	text = cpus_text(&a);
	ok(cpus_parse(text, &b) && cpus_equal(&a, &b) &&
	   cpus_count(&b) == CPUS_MAX / 2,
	   "the longest list of all is written and read again");
	free(text);
	cpus_parse("2-5", &a);
	cpus_parse("5-6", &b);
	ok(cpus_meet(&a, &b) && !cpus_meet(&a, &none) &&
	   !cpus_within(&b, &a) && cpus_within(&none, &a),
	   "sets are compared");
	cpus_join(&a, &b);
	ok(cpus_count(&a) == 5 && cpus_within(&b, &a), "sets are joined");
	cpus_take(&a, &b);
	ok(cpus_count(&a) == 3 && cpus_has(&a, 4) && !cpus_meet(&a, &b),
	   "and parted");
}

static const char *wrong_with(int c, const char *arg)
{
	static char text[256];
	struct wish w = { .policy = 0 };
	char *wrong = wish_take(&w, c, arg);

	snprintf(text, sizeof(text), "%s", wrong ? wrong : "");
	free(wrong);
	wish_free(&w);
	return text;
}

static void wishes(void)
{
	static const char * const maps[] = {
		"", "0", "0:", ":2", "0:2,", "0:2,,1:3", "0:x", "0:8192",
		"0:2,0:3", "0-1:2", "4294967295:1", "0:2:3", "1e9:1",
		"0000000000000000000000000000000000:1",
	};
	struct wish w = { .policy = 0 };
	unsigned int i;

	for (i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		ok(*wrong_with('M', maps[i]), "\"%s\" is no map", maps[i]);
	ok(!wish_take(&w, 'M', "1:3,0:2") && w.nr_map == 2 &&
	   w.map[0].vcpu == 1 && w.map[0].cpu == 3 && w.map[1].cpu == 2,
	   "a map is read");
	ok(!wish_take(&w, 'I', "0.5") && w.interval_ms == 500,
	   "an interval is read");
	ok(*wrong_with('I', "3601") && *wrong_with('I', "0") &&
	   *wrong_with('I', "1x"), "an interval has limits");
	ok(strstr(wrong_with('P', "scatter"), "no policy \"scatter\""),
	   "an unknown policy is told");
	ok(*wrong_with('S', "none"), "an unknown SMT word is told");
	wish_free(&w);
}

static const char text[] =
	"# all of it\n"
	"\n"
	"name=qemu* guest=db* --policy isolate --cpus 2-3 --emulator 0 # why\n"
	"\tunit=*.service --policy pack --enforce\r\n"
	"pid=77 --policy pin --map 0:1\n"
	"cgroup=/machine.slice/* --policy none\n"
	"name=* --policy=auto --interval 2";

static unsigned int line_for(const struct rules *r, const char *name,
			     const char *guest, const char *cgroup, int pid)
{
	const struct rule_vm vm = { name, guest, cgroup, pid };
	const struct rule *rule = rules_match(r, &vm);

	return rule ? rule->line : 0;
}

static void files_of_rules(void)
{
	struct rules r;
	char *errors = rules_parse(&r, "f", text);

	ok(!errors && r.nr == 5, "a file of rules is read");
	if (errors || r.nr != 5)
		return;
	ok(r.list[0].line == 3 && r.list[0].wish.policy == KVMX_POLICY_ISOLATE &&
	   r.list[0].wish.cpus.given && !r.list[0].wish.io.given,
	   "with the options of the command line");
	ok(r.list[1].wish.enforce && r.list[2].wish.nr_map == 1 &&
	   r.list[3].wish.leave && r.list[4].wish.interval_ms == 2000,
	   "each line its own");
	ok(line_for(&r, "qemu-system-x86", "db7", "/a", 1) == 3,
	   "all patterns of a line match");
	ok(line_for(&r, "qemu-system-x86", "web", "/a/x.service", 1) == 4,
	   "a unit is a part of the path");
	ok(line_for(&r, "qemu-system-x86", NULL, "/a/x.service/sub", 1) == 4,
	   "also one further up");
	ok(line_for(&r, "vmm", NULL, NULL, 77) == 5, "a pid is a pid");
	ok(line_for(&r, "vmm", NULL, "/machine.slice/m\\x2d1.scope/v", 78) == 6,
	   "a cgroup is the whole path");
	ok(line_for(&r, "vmm", NULL, "/x", 78) == 7, "the first match decides");
	rules_free(&r);
	ok(!rules_parse(&r, "f", "") && !r.nr && !line_for(&r, "x", 0, 0, 1),
	   "an empty file has no rules");
}

static bool complains(const char *line, const char *words)
{
	char *errors, *whole = NULL;
	struct rules r;
	bool good;

	if (asprintf(&whole, "name=x --policy pack\n%s\n", line) < 0)
		return false;
	errors = rules_parse(&r, "my.rules", whole);
	good = errors && !r.nr && !strncmp(errors, "my.rules:2: ", 12) &&
	       strstr(errors, words) && !strchr(errors, '\n');
	if (!good)
		printf("# %s: %s\n", line, errors ? errors : "no error");
	free(errors);
	free(whole);
	return good;
}

static void errors_in_files(void)
{
	static const struct {
		const char *line;
		const char *words;
	} wrong[] = {
		{ "--policy pack", "which VMs" },
		{ "name=x", "a policy is needed" },
		{ "nome=x --policy pack", "what is \"nome=x\"" },
		{ "x --policy pack", "what is \"x\"" },
		{ "name= --policy pack", "needs a value" },
		{ "name=x name=y --policy pack", "twice" },
		{ "pid=0 --policy pack", "no pid" },
		{ "pid=x --policy pack", "no pid" },
		{ "name=x --policy", "--policy needs a value" },
		{ "name=x --policy wild", "no policy \"wild\"" },
		{ "name=x --policy pack --cpus 3-1", "--cpus takes" },
		{ "name=x --policy pack --dry-run", "unknown option" },
		{ "name=x --policy pack -x", "unknown option" },
		{ "name=x --policy pack guest=y", "what is \"guest=y\"" },
		{ "name=x --policy pin", "needs a map" },
		{ "name=x --policy pack --map 0:1", "pin only" },
		{ "name=x --policy pack --interval 1", "auto only" },
		{ "name=x --policy pin --map 0:1 --cpus 1", "no sense" },
	};
	struct rules r;
	unsigned int i;
	char *errors;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ok(complains(wrong[i].line, wrong[i].words), "%s: %s",
		   wrong[i].line, wrong[i].words);
	errors = rules_parse(&r, "f", "a\nname=x --policy pack\nb\n");
	ok(errors && !r.nr && strstr(errors, "f:1: ") &&
	   strstr(errors, "\nf:3: "), "all errors of a file are told");
	free(errors);
}

/* "a b" as it is in /proc. */
static size_t words_of(char *words)
{
	size_t len = strlen(words) + 1;

	for (; *words; words++)
		if (*words == ' ')
			*words = '\0';
	return len;
}

static unsigned int threads_of(const char *line)
{
	char words[256];

	snprintf(words, sizeof(words), "%s", line);
	return guest_threads(words, words_of(words));
}

static bool name_is(const char *line, const char *name)
{
	char words[256], *found;
	bool good;

	snprintf(words, sizeof(words), "%s", line);
	found = guest_name(words, words_of(words));
	good = name ? found && !strcmp(found, name) : !found;
	free(found);
	return good;
}

static void command_lines(void)
{
	ok(threads_of("/usr/bin/qemu-system-x86_64 -smp 4") == 1 &&
	   threads_of("qemu-system-x86_64 -smp cpus=4,threads=2") == 2 &&
	   threads_of("qemu-kvm --smp 8,sockets=2,cores=2") == 2 &&
	   threads_of("qemu-kvm -smp 2,maxcpus=16,sockets=2,dies=2,cores=2") == 2 &&
	   threads_of("qemu-kvm -smp 8,sockets=2") == 1 &&
	   threads_of("qemu-kvm -m 1G") == 1, "threads per core as QEMU counts");
	ok(!threads_of("/usr/bin/cloud-hypervisor --cpus boot=4") &&
	   !guest_threads(NULL, 0), "of others nothing is known");
	ok(threads_of("qemu-kvm -smp") == 1 &&
	   threads_of("qemu-kvm -smp threads=0,cores=0") == 1 &&
	   threads_of("qemu-kvm -smp x,cores=,threads=z") == 1 &&
	   threads_of("qemu-kvm -smp 1,sockets=9,cores=9") == 1,
	   "nonsense does no harm");
	ok(name_is("qemu-kvm -name guest=db1,debug-threads=on", "db1") &&
	   name_is("qemu-kvm -name web,process=x", "web") &&
	   name_is("qemu-kvm -name debug-threads=on", NULL) &&
	   name_is("qemu-kvm -smp 1", NULL) &&
	   name_is("vmm -name x", NULL), "the guest's name");
}

int main(void)
{
	lists_of_cpus();
	wishes();
	files_of_rules();
	errors_in_files();
	command_lines();
	return tap_end();
}
