# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Debug kernels: compiled from Debian's linux-source with tools/lab/debug.config,
# once per version, recipe and configuration. What is kept is what the stock
# kernels have as well: an image, modules, headers to build modules with.

# To be raised when something below changes what comes out.
DEBUG_RECIPE=1
DEBUG_CONFIG=$LAB_DIR/debug.config

# debug_resolve SERIES: sets what kernel_resolve sets. K_VERSION carries the
# configuration and the recipe, so that whatever was made for another one is
# stale.
debug_resolve()
{
	local series=${1%-debug} v upstream
	DEBUG_SOURCE=linux-source-$series
	v=$(kernel_list linux-source '^linux-source-[0-9.]+$' |
		sed -n "s/^$DEBUG_SOURCE //p" | sort -V | tail -n1)
	DEBUG_SOURCE_VERSION=$v
	[ -n "$v" ] || die "no package $DEBUG_SOURCE on offer"
	upstream=${v%%-*}
	# A series' first release has no third number in its name.
	[[ $upstream == *.*.* ]] || upstream+=.0
	K_ABI=$upstream-kvmx-debug
	K_VERSION=$v+$(debug_fragment "$series" | sha256sum | cut -c1-8).$DEBUG_RECIPE
	K_IMAGE='' K_MODULES=''
	K_DIR=$LAB_CACHE/kernels/$1
	K_HEADERS=$K_DIR/headers/usr/src/linux-headers-$K_ABI
}

# debug_fragment SERIES: the options for that series; comments are left out, so
# that a word changed there does not cost a build.
debug_fragment()
{
	sed "s/^#$1 //" "$DEBUG_CONFIG" | grep -E '^(CONFIG_|# CONFIG_.* is not set$)'
}

# debug_kernel SERIES: image and headers, after kernel_resolve.
debug_kernel()
{
	debug_is_fresh || with_lock "debug-$1" debug_kernel_make "${1%-debug}"
}

debug_is_fresh()
{
	is_fresh "$K_DIR/image" "$K_ABI $K_VERSION" &&
		is_fresh "$K_DIR/headers" "$K_ABI $K_VERSION"
}

debug_kernel_make()
{
	local series=$1 work src t=$SECONDS
	! debug_is_fresh || return 0
	buildroot
	mkdir -p "$K_DIR"
	work=$(begin_dir "$K_DIR/work")
	src=$work/linux
	say "debug kernel $K_ABI: to be compiled once, about 15 minutes on two free cores"
	debug_unpack "$work" "$src"
	debug_configure "$series" "$src" "$work/fragment"
	debug_compile "$src"
	debug_install_headers "$src"
	debug_install_image "$src"
	rm -rf "$work"
	say "debug kernel $K_ABI is ready ($((SECONDS - t)) s)"
}

debug_unpack()
{
	local work=$1 src=$2 tar
	unpack_deb "$DEBUG_SOURCE" "$DEBUG_SOURCE_VERSION" "$work/deb"
	tar=$(find "$work/deb/usr/src" -name '*.tar.xz')
	say "unpacking $DEBUG_SOURCE $DEBUG_SOURCE_VERSION"
	mkdir "$src"
	tar -C "$src" --strip-components=1 -xf "$tar"
	rm -rf "$work/deb"
}

debug_configure()
{
	local series=$1 src=$2 fragment=$3 log=$K_DIR/debug-config.log got
	debug_fragment "$series" >"$fragment"
	debug_make "$src" tinyconfig >"$log" 2>&1
	cat "$fragment" >>"$src/.config"
	debug_make "$src" olddefconfig >>"$log" 2>&1 || { cat "$log" >&2; die "no configuration"; }
	debug_verify "$fragment" "$src/.config"
	debug_make "$src" include/config/kernel.release >>"$log" 2>&1 || true
	got=$(cat "$src/include/config/kernel.release")
	[ "$got" = "$K_ABI" ] || die "this source makes a kernel $got, not $K_ABI"
}

# debug_verify FRAGMENT CONFIG: each option is what the fragment wants.
debug_verify()
{
	local line name wrong=()
	while IFS= read -r line; do
		case $line in
		CONFIG_*) grep -qxF -- "$line" "$2" || wrong+=("$line") ;;
		*)
			name=${line#\# }
			name=${name% is not set}
			! grep -qE "^$name=" "$2" || wrong+=("$line")
			;;
		esac
	done <"$1"
	[ "${#wrong[@]}" -eq 0 ] ||
		die "$(printf 'debug.config: not in force:'; printf '\n    %s' "${wrong[@]}")"
}

# Beside whatever else this host does.
debug_make()
{
	in_buildroot nice make -s -C "$@"
}

debug_compile()
{
	local log=$K_DIR/debug-build.log status=0
	in_buildroot nice make -C "$1" "-j$(nproc)" bzImage modules 2>&1 |
		debug_watch "$log" || status=$?
	[ "$status" -eq 0 ] || {
		grep -E 'error:|Error [0-9]|\*\*\*' "$log" | head -n 20 >&2
		die "the debug kernel did not compile (log: $log)"
	}
}

# debug_watch LOG: keeps what make says, and tells every two minutes how far it is.
debug_watch()
{
	local line n=0 last=$SECONDS
	while IFS= read -r line; do
		printf '%s\n' "$line"
		case $line in *' CC '*) n=$((n + 1)) ;; esac
		if [ $((SECONDS - last)) -ge 120 ]; then
			last=$SECONDS
			say "debug kernel $K_ABI: $n files compiled"
		fi
	done >"$1"
}

# What external modules are built with, by the kernel's own script.
debug_install_headers()
{
	local src=$1 tmp to
	tmp=$(begin_dir "$K_DIR/headers")
	to=$tmp/usr/src/linux-headers-$K_ABI
	mkdir -p "$to"
	# shellcheck disable=SC2016 # expanded by make
	debug_make "$src" run-command \
		KBUILD_RUN_COMMAND='$(srctree)/scripts/package/install-extmod-build '"$to" >&2
	[ -s "$to/Module.symvers" ] || die "no Module.symvers among the headers"
	finish_dir "$tmp" "$K_DIR/headers" "$K_ABI $K_VERSION"
}

debug_install_image()
{
	local src=$1 tmp
	tmp=$(begin_dir "$K_DIR/image")
	debug_make "$src" INSTALL_MOD_PATH="$tmp" modules_install >&2
	rm -f "$tmp/lib/modules/$K_ABI"/{build,source}
	cp "$src/arch/x86/boot/bzImage" "$tmp/vmlinuz"
	cp "$src/.config" "$tmp/config"
	cp "$src/System.map" "$tmp/System.map"
	finish_dir "$tmp" "$K_DIR/image" "$K_ABI $K_VERSION"
}
