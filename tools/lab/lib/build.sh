# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Compiles the tree: modules per kernel, user space once. Works on copies in
# the cache, so the tree stays clean and only what changed is compiled anew.

# tree_files TREE: names of the sources, relative to TREE.
tree_files()
{
	if command -v git >/dev/null && [ -e "$1/.git" ]; then
		git -C "$1" -c safe.directory='*' ls-files -co --exclude-standard |
			while IFS= read -r f; do
				[ ! -f "$1/$f" ] || printf '%s\n' "$f"
			done
	else
		(cd "$1" && find . \( -name .git -o -path ./build \) -prune -o -type f \
			! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' \
			! -name '.*.cmd' ! -name '*.order' ! -name 'Module.symvers' -printf '%P\n')
	fi | LC_ALL=C sort -u
}

# tree_place TREE: folder of the cache for builds of that tree.
tree_place()
{
	printf '%s/build/%s-%s\n' "$LAB_CACHE" "$(basename "$1")" "$(key_of "$1")"
}

# tree_copy TREE DIR: brings DIR's copy up to date, keeping what was compiled
# there. A file that is gone from the tree makes for a fresh start, since make
# would not notice.
tree_copy()
{
	local tree=$1 dir=$2
	tree_files "$tree" >"$dir.files.new"
	if [ -f "$dir.files" ] &&
	   [ -n "$(LC_ALL=C comm -23 "$dir.files" "$dir.files.new")" ]; then
		rm -rf "$dir"
	fi
	mkdir -p "$dir"
	rsync -a --checksum --files-from="$dir.files.new" "$tree/" "$dir/"
	mv "$dir.files.new" "$dir.files"
	# Builds of trees that nobody has asked for in two weeks go.
	touch "$(tree_place "$tree")"
	find "$LAB_CACHE/build" -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} +
}

# tree_key TREE [SUBTREE-REGEX]: a hash over names and content.
tree_key()
{
	local re=${2:-.}
	(cd "$1" && tree_files "$1" | grep -E "$re" | tr '\n' '\0' |
		xargs -0r sha256sum) | sha256sum | cut -c1-16
}

# quietly LOG WHAT COMMAND...: output to LOG, shown only where it failed.
quietly()
{
	local log=$1 what=$2 t=$SECONDS
	shift 2
	if "$@" >"$log" 2>&1; then
		say "$what: done in $((SECONDS - t)) s"
	else
		cat "$log" >&2
		die "$what failed (log: $log)"
	fi
}

# What modules are made from. The rest of the tree may change without
# compiling them again.
MODULE_SOURCES='^(Kbuild$|Makefile$|module/|uapi/|selftests/layout/)'
USER_SOURCES='^(Makefile$|uapi/|tools/kvmx/|tools/guest/|tools/bench/|selftests/|module/(core|place|stats)/)'

# The fault that modules are built with, on purpose (module/plant.c); as a rule
# none. Builds with one have places of their own.
LAB_PLANT=''

# build_modules TREE SERIES: sets B_MODULES, a folder with the .ko files.
build_modules()
{
	local tree=$1 name=$2${LAB_PLANT:+-$LAB_PLANT}
	kernel_headers "$2"
	buildroot
	B_MODULES=$(tree_place "$tree")/$name/out
	[ -f "$tree/Kbuild" ] || { B_MODULES=''; return 0; }
	with_lock "build-$(key_of "$tree")-$name" build_modules_locked "$tree" "$name"
}

build_modules_locked()
{
	local tree=$1 place src key tmp
	place=$(tree_place "$tree")/$2
	src=$place/src
	mkdir -p "$place"
	key="$K_ABI $K_VERSION $(tree_key "$tree" "$MODULE_SOURCES") $(buildroot_key) $(file_key build.sh)"
	! is_fresh "$place/out" "$key" || return 0
	# Objects of another kernel version must not be reused.
	if [ "$(cat "$place/for" 2>/dev/null)" != "$K_ABI $K_VERSION $(buildroot_key)" ]; then
		rm -rf "$src"
	fi
	tree_copy "$tree" "$src"
	echo "$K_ABI $K_VERSION $(buildroot_key)" >"$place/for"
	local cmd=(make -C "$src" KDIR="$K_HEADERS" modules)
	grep -qs '^modules:' "$tree/Makefile" ||
		cmd=(make -C "$K_HEADERS" M="$src" modules)
	cmd+=(KVMX_TESTS=1)
	[ -z "$LAB_PLANT" ] || cmd+=("KVMX_PLANT=$LAB_PLANT")
	quietly "$place/build.log" "modules for $K_ABI" \
		in_buildroot "${cmd[@]}" "-j$(nproc)"
	grep -E 'warning:' "$place/build.log" >&2 || true
	tmp=$(begin_dir "$place/out")
	find "$src" -name '*.ko' -exec cp -t "$tmp" {} +
	finish_dir "$tmp" "$place/out" "$key"
}

# build_user TREE: sets B_USER: bin/kvmx and, unless LAB_BARE is set, selftests/
# as installed; with LAB_BENCH, what measures, in bin/.
user_place()
{
	echo "$(tree_place "$1")/user${LAB_BARE:+-bare}${LAB_BENCH:+-bench}"
}

build_user()
{
	local tree=$1
	buildroot
	B_USER=$(user_place "$tree")/out
	[ -d "$tree/tools/kvmx" ] || [ -d "$tree/selftests" ] || { B_USER=''; return 0; }
	[ -n "${LAB_BARE:-}" ] || linux_source
	with_lock "build-$(key_of "$tree")-user" build_user_locked "$tree"
}

build_user_locked()
{
	local tree=$1 place src key tmp
	place=$(user_place "$tree")
	src=$place/src
	mkdir -p "$place"
	key="$(tree_key "$tree" "$USER_SOURCES") $(buildroot_key) $(file_key build.sh)"
	[ -n "${LAB_BARE:-}" ] || key+=" $(cat "$LINUX_SRC/.lab-stamp")"
	! is_fresh "$place/out" "$key" || return 0
	tree_copy "$tree" "$src"
	tmp=$(begin_dir "$place/out")
	mkdir -p "$tmp/bin"
	if grep -qs '^tools:' "$src/Makefile"; then
		quietly "$place/tools.log" "tools" \
			in_buildroot make -C "$src" tools "-j$(nproc)"
		if [ -x "$src/tools/kvmx/kvmx" ]; then
			cp "$src/tools/kvmx/kvmx" "$tmp/bin/"
		fi
	fi
	[ ! -d "$src/tools/guest" ] || build_example "$src" "$place" "$tmp/bin"
	[ -z "${LAB_BENCH:-}" ] || build_bench "$src" "$place" "$tmp/bin"
	[ -n "${LAB_BARE:-}" ] || [ ! -f "$src/selftests/Makefile" ] ||
		build_selftests "$src" "$place" "$tmp/selftests"
	finish_dir "$tmp" "$place/out" "$key"
}

# What a program in the guest does.
build_example()
{
	local src=$1 place=$2 to=$3
	quietly "$place/guest.log" "example for guests" \
		in_buildroot make -C "$src/tools/guest" OUTPUT="$place"
	cp "$place/hint-example" "$to/"
	[ -d "$src/selftests/guest" ] || return 0
	quietly "$place/guest.log" "tests for guests" \
		in_buildroot make -C "$src/selftests/guest" OUTPUT="$place"
	cp "$place/hint-check" "$place/hint-fail" "$place/hint-latency" "$to/"
}

build_bench()
{
	local src=$1 place=$2 to=$3
	mkdir -p "$place/bench"
	quietly "$place/bench.log" "bench" \
		in_buildroot make -C "$src/tools/bench" "-j$(nproc)" OUTPUT="$place/bench"
	find "$place/bench" -type f -perm -u+x -exec cp -t "$to" {} +
	cp "$src"/tools/bench/{bench-inside,latency-inside,peers.sh} "$to/"
}

build_selftests()
{
	local src=$1 place=$2 to=$3 ksft=$LINUX_SRC/tools/testing/selftests
	quietly "$place/selftests.log" "selftests" \
		in_buildroot make -C "$src/selftests" "-j$(nproc)" \
		KSFT_ROOT="$ksft" INSTALL_PATH="$to" install
	grep -E 'warning:' "$place/selftests.log" >&2 || true
	[ ! -x "$to/run_kselftest.sh" ] || return 0
	# lib.mk alone installs the programs; the runner and its list are what
	# kselftest's top Makefile would add.
	mv "$to" "$to.kvmx"
	mkdir -p "$to/kselftest"
	mv "$to.kvmx" "$to/kvmx"
	cp "$ksft"/kselftest/* "$to/kselftest/"
	cp "$ksft/run_kselftest.sh" "$to/"
	in_buildroot make -s --no-print-directory -C "$src/selftests" KSFT_ROOT="$ksft" \
		COLLECTION=kvmx emit_tests >"$to/kselftest-list.txt"
}

# Parts of the kernel's own source that builds and checks use: kselftest's
# headers and runner, checkpatch. Any version does; the newest of a fixed
# series keeps results steady.
LINUX_SRC=$LAB_CACHE/linux-src
LINUX_SRC_SERIES=6.12
LINUX_SRC_PATHS=(
	tools/testing/selftests/{lib.mk,kselftest.h,kselftest_harness.h}
	tools/testing/selftests/{kselftest_module.h,run_kselftest.sh}
	tools/testing/selftests/{kselftest_install.sh,gen_kselftest_tar.sh}
	tools/testing/selftests/{kselftest,Makefile,kselftest_deps.sh}
	tools/scripts scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch}
	scripts/{kernel-doc,subarch.include,Makefile.compiler} .clang-format
	Documentation/dev-tools/checkpatch.rst
)

linux_source()
{
	apt_prepare
	local p=linux-source-$LINUX_SRC_SERIES v key
	v=$(apt_newest "$p" trixie)
	[ -n "$v" ] || die "no package $p on offer"
	key="$p $v $(key_of "${LINUX_SRC_PATHS[@]}")"
	is_fresh "$LINUX_SRC" "$key" ||
		with_lock linux-source linux_source_make "$p" "$v" "$key"
}

linux_source_make()
{
	local p=$1 v=$2 key=$3 tmp tar
	! is_fresh "$LINUX_SRC" "$key" || return 0
	tmp=$(begin_dir "$LINUX_SRC")
	say "unpacking kselftest and checkpatch from $p $v"
	unpack_deb "$p" "$v" "$tmp/deb"
	tar=$(find "$tmp/deb/usr/src" -name '*.tar.xz')
	# Not every series has every path.
	tar -C "$tmp" --strip-components=1 -xf "$tar" --wildcards --no-anchored \
		"${LINUX_SRC_PATHS[@]/#/linux-source-$LINUX_SRC_SERIES/}" 2>"$tmp/tar.log" || true
	[ -f "$tmp/tools/testing/selftests/lib.mk" ] ||
		{ cat "$tmp/tar.log" >&2; die "$p holds no kselftest"; }
	rm -rf "$tmp/deb" "$tmp/tar.log"
	finish_dir "$tmp" "$LINUX_SRC" "$key"
}
