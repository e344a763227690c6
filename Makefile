# Undervisor. make help lists the targets. The host must be x86-64: guest memory is little-endian host memory, and the FPU is
# the host's own.

B      ?= build
ifeq ($(origin CC),default)
CC     := gcc
endif
PREFIX ?= /usr/local
VERSION = 0.1

.PHONY: all help deps demo walk-demo walk-demo-arm test test-units san cov fmt install clean
.DEFAULT_GOAL := all

# Another compiler or MODE builds everything anew; B=build/clang keeps its objects apart, as make san and make cov do.
WARN  := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla -Wundef
MODE  ?= opt
# clang makes shifts by vectors out of floating-point conversions, which would leave their flags in the guest's MXCSR (src/cpu_x86/vec.h).
NO_VEC := $(shell $(CC) -fno-slp-vectorize -E -x c /dev/null >/dev/null 2>&1 && echo -fno-vectorize -fno-slp-vectorize)
# Guests access memory unaligned, and the host can: no alignment check.
FLAGS_opt := -O2 $(NO_VEC)
FLAGS_san := -O1 -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DENGINE_LOOP
FLAGS_fuzz := $(FLAGS_san) -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp
FLAGS_cov := -O1 --coverage -DENGINE_LOOP
CFLAGS ?= -g

ifneq ($(shell uname -m),x86_64)
$(error Undervisor builds on x86-64 hosts only)
endif

PKG_CONFIG ?= pkg-config
has = $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes)
CAPSTONE := $(call has,capstone)
ZLIB     := $(call has,zlib)
SLIRP    := $(call has,slirp)
SDL2     := $(call has,sdl2)
LIBELF   := $(call has,libelf)
LIBDW    := $(if $(LIBELF),$(call has,libdw))
LIBEDIT  := $(call has,libedit)
JANSSON  := $(call has,jansson)
# libfdt has no pkg-config file.
FDT      := $(shell printf '\043include <libfdt.h>\n' | $(CC) -E -x c - >/dev/null 2>&1 && echo yes)
LIBNBD   := $(call has,libnbd)

OPTIONAL_CPP  := $(if $(CAPSTONE),-DHAVE_CAPSTONE) $(if $(ZLIB),-DHAVE_ZLIB) $(if $(SLIRP),-DHAVE_SLIRP) $(if $(SDL2),-DHAVE_SDL2 $(shell $(PKG_CONFIG) --cflags sdl2))
OPTIONAL_CPP  += $(if $(LIBELF),-DHAVE_LIBELF) $(if $(LIBDW),-DHAVE_LIBDW) $(if $(LIBEDIT),-DHAVE_LIBEDIT) $(if $(JANSSON),-DHAVE_JANSSON) $(if $(LIBNBD),-DHAVE_LIBNBD)
OPTIONAL_CPP  += $(if $(FDT),-DHAVE_FDT)
OPTIONAL_LIBS := $(if $(FDT),-lfdt) $(if $(CAPSTONE),-lcapstone) $(if $(ZLIB),-lz) $(if $(SLIRP),-lslirp) $(if $(SDL2),$(shell $(PKG_CONFIG) --libs sdl2))
OPTIONAL_LIBS += $(if $(LIBDW),-ldw) $(if $(LIBELF),-lelf) $(if $(LIBEDIT),-ledit) $(if $(JANSSON),-ljansson) $(if $(LIBNBD),-lnbd)

ALL_CFLAGS = -std=gnu11 $(FLAGS_$(MODE)) -fno-strict-aliasing $(WARN) -Isrc -I$(B)/gen -DUNDERVISOR_VERSION='"$(VERSION)"' $(OPTIONAL_CPP) $(CFLAGS)
LDLIBS     = $(OPTIONAL_LIBS) -lxxhash -lm
TEST_LIBS  = -lcheck -lsubunit -lrt -lm -lpthread

# For targets that build on their own account: all host CPUs, unless make was told otherwise.
PARALLEL = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# make V=1 shows the commands.
Q   := $(if $(V),,@)
say  = $(if $(V),@:,@printf '  %-4s %s\n')

# ---- the program: everything in the rooms, as a library that tests link too ----

ROOMS := base mmu cpu_x86 cpu_arm svm devices machine loader debug ui
OBJS  := $(foreach r,$(ROOMS),$(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/$r/*.c)))
OBJS  += $(B)/obj/debug/walk_page.o
LIB   := $(B)/libundervisor.a

# The inline handlers once more, as templates of host code (src/cpu_x86/template.h). The loop engine of other modes has none.
TEMPLATES_opt := alu mov shift branch fused trampoline
TEMPLATES     := $(TEMPLATES_$(MODE):%=$(B)/gen/%.o)
# gcc would make one handler jump to its equal.
NO_ICF := $(shell $(CC) -fno-ipa-icf -E -x c /dev/null >/dev/null 2>&1 && echo -fno-ipa-icf)
FLAGS_TEMPLATE := -O2 -DX86_TEMPLATE -fno-pic -fno-pie -mcmodel=small -fcf-protection=none -fno-stack-protector \
	-fno-asynchronous-unwind-tables -ffunction-sections $(NO_ICF) -fno-jump-tables -falign-functions=1 -falign-loops=1
OBJS += $(B)/gen/templates.o

$(B)/gen/%.o: src/cpu_x86/%.c $(B)/obj/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(FLAGS_TEMPLATE) -g0 -MMD -MP -c -o $@ $<
$(B)/gen/extract: src/cpu_x86/gen/extract.c $(B)/obj/flags
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O1 -g $(WARN) -o $@ $<
$(B)/gen/templates.c: $(B)/gen/extract $(TEMPLATES)
	$(say) GEN $@
	$(Q)$(B)/gen/extract $(TEMPLATES) >$@
$(B)/gen/templates.o: $(B)/gen/templates.c
	$(Q)$(CC) $(ALL_CFLAGS) -g0 -c -o $@ $<
-include $(TEMPLATES:.o=.d)

all: $(B)/undervisor

$(B)/undervisor: $(B)/obj/main.o $(LIB)
	$(say) LD $@
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIB): $(OBJS)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/obj/%.o: src/%.c $(B)/obj/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The page of walks: its text, style and script as lines of C strings.
WALK_PAGE := $(foreach e,html css js,src/debug/walk.$e)

$(B)/obj/debug/walk_page.o: $(B)/obj/debug/walk_page.c $(B)/obj/flags
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/debug/walk_page.c: $(WALK_PAGE) Makefile
	@mkdir -p $(@D)
	$(say) GEN $@
	$(Q)( echo '#include "debug/walk_page.h"'; echo '#include <stddef.h>'; for f in $(WALK_PAGE); do \
		echo "const char *const walk_page_$${f##*.}[] = {"; \
		sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n",/' $$f; echo "NULL};"; done ) >$@

# Other flags or another compiler: everything again.
$(B)/obj/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS)' >$@
.PHONY: FORCE
FORCE:

# Firmware pieces that are part of the program: bytes for an #include (firmware/Makefile.inc).
$(B)/obj/loader/acpi_tables.o: $(B)/gen/dsdt.inc
$(B)/obj/loader/kernel_rom.o: $(B)/gen/kernel_rom.inc

-include $(OBJS:.o=.d) $(B)/obj/main.d

include firmware/Makefile.inc
include bench/Makefile.inc
include tests/Makefile.inc

# ---- what is needed ----

DEPS := gcc libc6-dev make cpio binutils pkg-config acpica-tools libxxhash-dev libcapstone-dev zlib1g-dev libsdl2-dev libslirp-dev check
DEPS += libelf-dev libdw-dev libedit-dev libjansson-dev libnbd-dev libfdt-dev libunicorn-dev seabios
# For make test-guests: what boots.
DEPS_GUESTS := qemu-system-x86 qemu-utils grub-pc-bin grub-common xorriso mtools e2fsprogs
DEPS_MORE := $(DEPS_GUESTS) gdb-multiarch clang clang-format xvfb xdotool imagemagick

# Only what is missing; as root, or with sudo.
deps:
	@command -v dpkg >/dev/null || { echo "not Debian: please install what 'make -n deps' names"; exit 0; }; \
	missing=; for p in $(DEPS); do dpkg -s $$p 2>/dev/null | grep -q '^Status: install ok' || missing="$$missing $$p"; done; \
	[ -z "$$missing" ] && exit 0; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	echo "installing:$$missing"; \
	$$sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qy --no-install-recommends $$missing

# Guests for the Integrator/CP, and Linux for it from Debian's sources.
DEPS_ARM := gcc-arm-linux-gnueabi linux-source-6.1 flex bison bc xz-utils patch
DEPS_MORE += $(DEPS_ARM) qemu-system-arm

# The page of walks is tested in a browser.
DEPS_MORE += chromium python3

# For make CC=clang, make fmt, make bench beside QEMU.
.PHONY: deps-more
deps-more:
	@$(MAKE) --no-print-directory deps DEPS="$(DEPS) $(DEPS_MORE)"

# ---- seeing it ----

DEMO = $(B)/undervisor -bios none -kernel $(FW)/tvmm.elf -append debug-exit -initrd '$(FW)/hello.elf mode=long expect=NPF' -m 256 \
	-serial stdio -display none -device isa-debug-exit,iobase=0xf4,iosize=0x4

# tvmm leaves with status (0 << 1) | 1 when its guest ended as expected.
demo:
	@$(MAKE) -s --no-print-directory deps
	@$(MAKE) -s --no-print-directory $(PARALLEL) all firmware
	@echo "---- The serial port: tvmm, a small hypervisor, and its guest ----"
	@$(DEMO) -d explain=NPF -D $(B)/demo.log </dev/null; status=$$?; \
	echo; echo "---- Undervisor: why that #VMEXIT happened (-d explain=NPF) ----"; cat $(B)/demo.log; [ $$status = 1 ]

# Two guests one after the other: an access through all 24 references, then pages that the VMM takes away and gives back.
WALK_PAGE_FILE = $(B)/walks.html
WALK_DEMO = $(B)/undervisor walk --html $(WALK_PAGE_FILE) 0xffff908080605000@fills=3,guest,cold 0x1f0000@fills=8,guest --walk-stat \
	-bios none -kernel $(FW)/tvmm.elf -append debug-exit -initrd '$(FW)/walk24.elf mode=long,$(FW)/npf.elf mode=long' -m 256 -display none \
	-device isa-debug-exit,iobase=0xf4,iosize=0x4

# WALK_OPEN=no writes the page only.
define open_page
	@echo "The page of walks: $(abspath $(1))"
	@if [ "$(WALK_OPEN)" = no ]; then :; elif command -v xdg-open >/dev/null && [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then \
		xdg-open $(abspath $(1)); else echo "Open it in a browser: there is no xdg-open, or no display, here."; fi
endef

walk-demo:
	@$(MAKE) -s --no-print-directory deps
	@$(MAKE) -s --no-print-directory $(PARALLEL) all firmware
	@$(WALK_DEMO) </dev/null >$(B)/walks.txt; [ $$? = 1 ] || { cat $(B)/walks.txt; exit 1; }
	$(call open_page,$(WALK_PAGE_FILE))

# ARM: a subpage that User may not write, a page that comes when it is asked for, two processes.
walk-demo-arm:
	@$(MAKE) -s --no-print-directory deps DEPS="$(DEPS) gcc-arm-linux-gnueabi"
	@$(MAKE) -s --no-print-directory $(PARALLEL) all $(TG)/arm/walks.elf
	@$(B)/undervisor walk --html $(B)/walks-arm.html 0x501400@fills=1 0x502018@fills 0x800000@fills --walk-stat -machine integratorcp \
		-kernel $(TG)/arm/walks.elf --semihosting none </dev/null >$(B)/walks.txt || { cat $(B)/walks.txt; exit 1; }
	$(call open_page,$(B)/walks-arm.html)

# ---- sanitizers, coverage ----

san:
	$(MAKE) B=build/san MODE=san test

cov:
	$(MAKE) B=build/cov MODE=cov test
	@for f in $$(find build/cov/obj -name '*.gcda'); do gcov -n -o $$(dirname $$f) $$f 2>/dev/null; done | \
		awk "/^File 'src/ { f = \$$2 } /^Lines executed/ && f { print f, \$$0; f = \"\" }" | tr -d "'" | sort

fmt:
	clang-format -i $$(git ls-files 'src/*.[ch]' 'tests/*.[ch]')

install: all
	install -D -m 755 $(B)/undervisor $(DESTDIR)$(PREFIX)/bin/undervisor
	install -D -m 644 docs/undervisor.1 $(DESTDIR)$(PREFIX)/share/man/man1/undervisor.1

clean:
	rm -rf build

help:
	@echo "make               build/undervisor"
	@echo "make deps          install what is missing (apt-get)"
	@echo "make demo          boot a hypervisor and see one of its exits explained"
	@echo "make walk-demo     a guest's page walks as a page to step through (WALK_OPEN=no only writes it)"
	@echo "make walk-demo-arm the same for ARM"
	@echo "make test          all tests; the last line counts them"
	@echo "make test-guests   only those that run guests, Debian's Linux among them"
	@echo "make demo-linux    fetch Debian's kernel and boot it to a shell"
	@echo "make demo-arm      build Linux for ARM's Integrator/CP and boot it to a shell"
	@echo "make oracle        random instructions on the host CPU and on ours, 30 million cases"
	@echo "make fuzz          the CPU under libFuzzer and the sanitizers, a minute each (clang)"
	@echo "make san           all tests under AddressSanitizer and UBSan"
	@echo "make cov           all tests with coverage by file"
	@echo "make bench         speed, beside QEMU when it is installed (make deps-more)"
	@echo "make firmware      tvmm and its guests"
	@echo "make fmt           clang-format"
	@echo "make install       PREFIX=$(PREFIX), DESTDIR="
