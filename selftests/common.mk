# SPDX-License-Identifier: GPL-2.0-only
#
# What the collections have in common. Each Makefile names its folder in HERE,
# its COLLECTION and its programs, and includes this; KSFT_ROOT, OUTPUT and
# INSTALL_PATH are explained in Makefile.

TOP := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
KSFT_ROOT ?= $(wildcard /lib/modules/$(shell uname -r)/source/tools/testing/selftests)
OUTPUT ?= $(HERE)

ifeq ($(filter clean,$(MAKECMDGOALS)),)
ifeq ($(wildcard $(KSFT_ROOT)/lib.mk),)
$(error KSFT_ROOT has to be tools/testing/selftests of a Linux source)
endif
endif

ifeq ($(filter install,$(MAKECMDGOALS))$(NESTED),install)
# The layout that run_kselftest.sh wants: a folder per collection, and a list.
install: install-collection
install-collection:
ifndef INSTALL_PATH
	$(error set INSTALL_PATH to use install)
endif
	mkdir -p $(abspath $(OUTPUT))
	$(MAKE) -C $(HERE) NESTED=1 KSFT_ROOT=$(abspath $(KSFT_ROOT)) \
		OUTPUT=$(abspath $(OUTPUT)) \
		INSTALL_PATH=$(abspath $(INSTALL_PATH))/$(COLLECTION) install
	install -d $(INSTALL_PATH)/kselftest $(INSTALL_PATH)/$(COLLECTION)/lib
	cp $(wildcard $(TOP)/lib/*.sh) $(INSTALL_PATH)/$(COLLECTION)/lib/
	cp $(KSFT_ROOT)/run_kselftest.sh $(INSTALL_PATH)/
	cp $(KSFT_ROOT)/kselftest/*.sh $(KSFT_ROOT)/kselftest/*.pl \
		$(INSTALL_PATH)/kselftest/
	$(MAKE) -s -C $(HERE) NESTED=1 KSFT_ROOT=$(abspath $(KSFT_ROOT)) \
		OUTPUT=$(abspath $(OUTPUT)) COLLECTION=$(COLLECTION) emit_tests \
		>$(INSTALL_PATH)/kselftest-list.txt
.PHONY: install install-collection
else

CFLAGS += -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	  -Wno-missing-field-initializers -O2 -g
# longjmp() in the harness's own code
CFLAGS += -Wno-clobbered
CFLAGS += -std=gnu11 -pthread -I$(TOP)/lib -I$(TOP)/../uapi -I$(KSFT_ROOT)

EXTRA_CLEAN := $(OUTPUT)/lib/*.o $(OUTPUT)/header/*.o

include $(KSFT_ROOT)/lib.mk

LIB := $(patsubst $(TOP)/%.c,$(OUTPUT)/%.o,$(wildcard $(TOP)/lib/*.c))
LIB += $(OUTPUT)/lib/guest.o

$(OUTPUT)/lib/%.o: $(TOP)/lib/%.c $(wildcard $(TOP)/lib/*.h $(TOP)/../uapi/linux/*.h)
	$(call msg,CC,,$@)
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) $(CFLAGS) -c $< -o $@
$(OUTPUT)/lib/%.o: $(TOP)/lib/%.S $(TOP)/lib/vmm.h
	$(call msg,AS,,$@)
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) $(CFLAGS) -c $< -o $@

# The rule that compiles them is lib.mk's.
$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED): $(LIB)

endif
