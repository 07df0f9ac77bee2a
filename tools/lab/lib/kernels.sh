# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Kernels by series: which is newest, its image, its modules, its headers.
# Debian's cloud kernels here, those of the lab's own making in debug.sh.

# The series that the lab knows. To add one: a word here, and its CPU model
# in bochs.sh where it boots there.
LAB_SERIES=(6.1 6.12 7.2 7.3)
# Those that it compiles itself (debug.sh).
LAB_DEBUG_SERIES=(6.12-debug 7.3-debug)

known_series()
{
	local s
	for s in "${LAB_SERIES[@]}" "${LAB_DEBUG_SERIES[@]}"; do
		[ "$s" != "$1" ] || return 0
	done
	return 1
}

is_debug_series()
{
	case $1 in *-debug) ;; *) return 1 ;; esac
}

# kernel_resolve SERIES: sets K_ABI (what uname -r prints), K_VERSION (of the
# packages), K_IMAGE (package), K_MODULES (package or empty), K_DIR.
kernel_resolve()
{
	local series=$1 all re line
	K_SERIES=$series
	apt_prepare
	if is_debug_series "$series"; then
		debug_resolve "$series"
		return 0
	fi
	all=$(kernel_list kernels '^linux-(headers|image|binary|modules)-.*cloud-amd64')
	re="^linux-headers-${series//./\\.}\\.[0-9][^ ]*-cloud-amd64 "
	line=$(grep -E "$re" <<<"$all" | sort -k2,2V | tail -n1) || true
	[ -n "$line" ] || die "no cloud kernel of series $series on offer"
	K_VERSION=${line#* }
	K_ABI=${line%% *}
	K_ABI=${K_ABI#linux-headers-}
	K_IMAGE='' K_MODULES=''
	local p
	# Where there is a linux-binary, linux-image is an empty package.
	for p in "linux-binary-$K_ABI" "linux-binary-unsigned-$K_ABI" \
		 "linux-image-$K_ABI" "linux-image-$K_ABI-unsigned"; do
		if grep -qxF "$p $K_VERSION" <<<"$all"; then
			K_IMAGE=$p
			break
		fi
	done
	[ -n "$K_IMAGE" ] || die "no image package for kernel $K_ABI $K_VERSION"
	if grep -qxF "linux-modules-$K_ABI $K_VERSION" <<<"$all"; then
		K_MODULES=linux-modules-$K_ABI
	fi
	K_DIR=$LAB_CACHE/kernels/$series
	K_HEADERS=$K_DIR/headers/usr/src/linux-headers-$K_ABI
}

# kernel_list NAME REGEX: packages and versions. The lists are read once per
# update, and what was found is kept under NAME.
kernel_list()
{
	local f=$LAB_CACHE/apt/$1
	if [ ! -s "$f" ] || [ "$LAB_CACHE/apt/updated" -nt "$f" ]; then
		apt_versions "$2" >"$f.$$"
		mv "$f.$$" "$f"
	fi
	cat "$f"
}

# kernel_headers SERIES: unpacked headers below K_DIR/headers, their
# /usr/src rewritten to where they lie.
kernel_headers()
{
	kernel_resolve "$1"
	if is_debug_series "$1"; then
		debug_kernel "$1"
		return 0
	fi
	is_fresh "$K_DIR/headers" "$K_ABI $K_VERSION" ||
		with_lock "headers-$1" kernel_headers_make
}

kernel_headers_make()
{
	local dir=$K_DIR/headers key="$K_ABI $K_VERSION" tmp dep v
	! is_fresh "$dir" "$key" || return 0
	tmp=$(begin_dir "$dir")
	unpack_deb "linux-headers-$K_ABI" "$K_VERSION" "$tmp"
	while read -r dep v; do
		unpack_deb "$dep" "${v:-$(apt_newest "$dep")}" "$tmp"
	done < <(kernel_header_deps)
	# Absolute paths in the makefiles and links point to the installed
	# place; the cache is that place for us.
	sed -i "s,/usr/src/,$dir/usr/src/,g;s,/usr/lib/linux-kbuild,$dir/usr/lib/linux-kbuild,g" \
		"$tmp/usr/src/linux-headers-$K_ABI/Makefile"
	local l t
	while IFS= read -r l; do
		t=$(readlink "$l")
		ln -sfn "$dir$t" "$l"
	done < <(find "$tmp/usr/src" -type l -lname '/usr/*')
	finish_dir "$tmp" "$dir" "$key"
	say "headers of $K_ABI are ready"
}

# Packages that the headers need to build with: the common part and kbuild.
kernel_header_deps()
{
	lab_apt apt-cache show "linux-headers-$K_ABI=$K_VERSION" |
		sed -n 's/^Depends: //p' | head -n1 | tr ',' '\n' |
		sed -nE 's/^ *(linux-(headers|kbuild)-[^ ]+)( \((>=|=) ([^)]+)\))?.*/\1 \4 \5/p' |
		while read -r p op v; do
			if [ "$op" = "=" ]; then
				echo "$p $v"
			else
				# kbuild of the same source where there is one
				# (built together, so it fits best).
				if lab_apt apt-cache madison "$p" | grep -qF " $K_VERSION "; then
					echo "$p $K_VERSION"
				else
					echo "$p"
				fi
			fi
		done
}

# kernel_image SERIES: K_DIR/image/vmlinuz and K_DIR/image/lib/modules/ABI.
kernel_image()
{
	kernel_resolve "$1"
	if is_debug_series "$1"; then
		debug_kernel "$1"
		return 0
	fi
	is_fresh "$K_DIR/image" "$K_ABI $K_VERSION" ||
		with_lock "image-$1" kernel_image_make
}

kernel_image_make()
{
	local dir=$K_DIR/image key="$K_ABI $K_VERSION" tmp raw
	! is_fresh "$dir" "$key" || return 0
	tmp=$(begin_dir "$dir")
	raw=$tmp/raw
	unpack_deb "$K_IMAGE" "$K_VERSION" "$raw"
	[ -z "$K_MODULES" ] || unpack_deb "$K_MODULES" "$K_VERSION" "$raw"
	# There, what depmod wants to know of built-in code is a package too.
	[ -z "$K_MODULES" ] || unpack_deb "linux-base-$K_ABI" "$K_VERSION" "$raw"
	# 7.x keeps the image with the modules.
	local f
	for f in "$raw/boot/vmlinuz-$K_ABI" "$raw"/usr/lib/modules/"$K_ABI"/vmlinuz{,.unsigned}; do
		[ ! -f "$f" ] || cp "$f" "$tmp/vmlinuz"
	done
	[ -f "$tmp/vmlinuz" ] || die "no vmlinuz in $K_IMAGE $K_VERSION"
	mkdir -p "$tmp/modules"
	for f in "$raw/usr/lib/modules/$K_ABI" "$raw/lib/modules/$K_ABI"; do
		[ ! -d "$f" ] || cp -a "$f/." "$tmp/modules/"
	done
	rm -rf "$raw" "$tmp"/modules/{vmlinuz*,build,source}
	# depmod wants the usual tree, and the package comes without its lists.
	buildroot
	mkdir -p "$tmp/lib/modules"
	mv "$tmp/modules" "$tmp/lib/modules/$K_ABI"
	in_buildroot depmod -b "$tmp" "$K_ABI"
	finish_dir "$tmp" "$dir" "$key"
	say "kernel $K_ABI is ready"
}
