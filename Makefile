# SPDX-License-Identifier: GPL-2.0-only
# kvmx: `make help` lists what can be made here.

KDIR	?= /lib/modules/$(shell uname -r)/build
PREFIX	?= /usr/local
DESTDIR	?=
VENDOR	?= amd
LAB	:= tools/lab
COUNTS	:= build/counts
# What test-long runs, LANES at a time: what takes longest comes first.
LONG	:= test-churn
LONG	+= test-debug
LONG	+= test-kvm
LONG	+= test-guards
LANES	?= 2

all: modules tools

help:
	@echo 'On a KVM host:'
	@echo '  make                 modules for the running kernel (host, guest), and the tool'
	@echo '  make install         both, the man pages and the header (root)'
	@echo '  make uninstall       takes them away again'
	@echo '  make clean           removes what was built here'
	@echo 'In test machines, on any Debian 12 or 13 (root):'
	@echo '  make demo            a real guest is counted; VENDOR=amd|intel'
	@echo '  make test            style, unit tests, self-tests on a subset of machines'
	@echo '  make test-matrix     the same on every machine of the matrix'
	@echo '  make test-debug      the self-tests on kernels that check themselves'
	@echo '  make test-guards     planted faults: do those kernels find them?'
	@echo '  make test-churn      loads, lives and everything at once, for long; no memory'
	@echo '  make test-long       all that takes long, hours: $(LONG)'
	@echo '  make test-kvm        upstream'"'"'s KVM selftests end alike with and without kvmx'
	@echo '  make bench           what an exit costs, beside other tools; VENDOR=amd|intel'
	@echo '  make check           style and structure only'
	@echo '  make unit            unit tests only'
	@echo 'Variables: KDIR, PREFIX, DESTDIR, VENDOR; LANES: machines at a time in test-long.'

modules:
	@test -d "$(KDIR)" || { echo "kvmx: no kernel headers in $(KDIR):" \
		"apt-get install linux-headers-$$(uname -r), or set KDIR=" >&2; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools:
	$(MAKE) -C tools/kvmx

install: modules_install tools_install

modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) modules_install
# Kbuild leaves it out where the headers have no System.map, as Debian's.
	test -n "$(DESTDIR)" || depmod

tools_install:
	$(MAKE) -C tools/kvmx install PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/linux uapi/linux/*.h
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include tools/guest/kvmx-hint.h

uninstall:
	$(MAKE) -C tools/kvmx uninstall PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/include/linux/,$(notdir $(wildcard uapi/linux/*.h)))
	rm -f $(DESTDIR)$(PREFIX)/include/kvmx-hint.h
	find $(DESTDIR)/lib/modules/$$(uname -r) \( -name 'kvmx.ko*' -o -name 'kvmx_guest.ko*' \) -delete
	test -n "$(DESTDIR)" || depmod

clean:
	test ! -d "$(KDIR)" || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tools/kvmx clean
	rm -rf build

demo:
	VENDOR=$(VENDOR) $(LAB)/demo

# Style and unit tests leave their counts for the closing line of the machines.
# They run first because they take seconds; a failure there does not keep the
# machines from being tried.
test test-matrix:
	@mkdir -p build && rm -f $(COUNTS)
	-@$(MAKE) -k --no-print-directory check unit
	@$(LAB)/test $(if $(filter test-matrix,$@),matrix,subset) --add $(COUNTS)

test-debug:
	@$(LAB)/test debug

test-guards:
	@$(LAB)/guards

test-churn:
	@$(LAB)/churn

# Each is a target of its own that ends with a line "N passed, N failed,
# N skipped"; one that fails does not keep the next from being tried.
test-long:
	@$(LAB)/long -j $(LANES) $(LONG)

test-kvm:
	@$(LAB)/kvm-tests

bench:
	@tools/bench/bench --vendor $(VENDOR)

check:
	@mkdir -p build
	@tools/check/check --counts $(COUNTS)

unit:
	@mkdir -p build
	@$(LAB)/unit --counts $(COUNTS)

.PHONY: all help modules tools install modules_install tools_install uninstall \
	bench clean demo test test-matrix test-debug test-guards test-churn test-kvm \
	test-long check unit
