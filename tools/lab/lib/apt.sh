# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Packages: the host's few tools, and a private apt set-up that sees
# bookworm, trixie and trixie-backports whatever this host runs.

# What the host itself must have; all else lives in the build root.
HOST_TOOLS=(
	"mmdebstrap:mmdebstrap" "mke2fs:e2fsprogs" "cpio:cpio" "xz:xz-utils"
	"zstd:zstd" "flock:util-linux" "rsync:rsync"
)

need_host_tools()
{
	local pair tool missing=()
	for pair in "${HOST_TOOLS[@]}" "$@"; do
		tool=${pair%%:*}
		command -v "$tool" >/dev/null || missing+=("${pair#*:}")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0
	say "installing on this host: ${missing[*]}"
	with_lock host-apt install_host_packages "${missing[@]}"
}

install_host_packages()
{
	local get=(env DEBIAN_FRONTEND=noninteractive apt-get
		-o DPkg::Lock::Timeout=300 -y --no-install-recommends)
	"${get[@]}" install "$@" >&2 && return 0
	say "package lists look old: apt-get update"
	apt-get update >&2
	"${get[@]}" install "$@" >&2 || die "could not install: $*"
}

# Prints "URI KEYRING" of each source this host has configured, from both
# formats, deb-src and disabled entries left out. KEYRING is - where none is
# named.
apt_configured()
{
	local etc f
	etc=${LAB_APT_ETC:-/etc/apt}
	for f in "$etc/sources.list" "$etc"/sources.list.d/*.list; do
		[ -f "$f" ] || continue
		awk '$1 == "deb" {
			key = "-"; i = 2
			if ($2 ~ /^\[/) {
				opts = ""
				for (; i <= NF; i++) {
					opts = opts " " $i
					if ($i ~ /\]$/) { i++; break }
				}
				gsub(/[][]/, " ", opts)
				n = split(opts, o, " ")
				for (j = 1; j <= n; j++)
					if (o[j] ~ /^signed-by=/)
						key = substr(o[j], 11)
			}
			print $i, key
		}' "$f"
	done
	for f in "$etc"/sources.list.d/*.sources; do
		[ -f "$f" ] || continue
		# Paragraphs are separated by blank lines; comment lines may
		# stand anywhere.
		grep -v '^#' "$f" | awk -v RS= -F'\n' '{
			uri = ""; key = "-"; deb = 0; on = 1; field = ""
			for (i = 1; i <= NF; i++) {
				line = $i
				if (match(line, /^[A-Za-z-]+:/)) {
					field = tolower(substr(line, 1, RLENGTH - 1))
					line = substr(line, RLENGTH + 1)
				}
				gsub(/^[ \t]+|[ \t]+$/, "", line)
				if (field == "types" && line ~ /(^| )deb( |$)/) deb = 1
				if (field == "uris") uri = uri " " line
				if (field == "signed-by" && line ~ /^\//) key = line
				if (field == "enabled" && tolower(line) ~ /^(no|false|0)$/) on = 0
			}
			n = split(uri, u, " ")
			for (i = 1; deb && on && i <= n; i++) print u[i], key
		}'
	done
}

# The archive's address as this host's apt knows it: the first configured
# source that carries a Debian suite. A third-party source is told apart by
# its path: Debian's archive always ends in /debian, security's in
# /debian-security. A "mirror+file:" entry is followed.
apt_find_mirror()
{
	local uri key
	LAB_MIRROR='' LAB_SECURITY='' LAB_KEYRING=''
	while read -r uri key; do
		case $uri in
		mirror+file:*)
			uri=$(awk '!/^#/ && NF { print $1; exit }' "${uri#mirror+file:}" 2>/dev/null) || continue
			;;
		esac
		case ${uri%/} in
		*/debian-security)
			LAB_SECURITY=${LAB_SECURITY:-${uri%/}}
			;;
		*/debian)
			[ -z "$LAB_MIRROR" ] || continue
			LAB_MIRROR=${uri%/}
			[ "$key" = - ] || LAB_KEYRING=${key%% *}
			;;
		esac
	done < <(apt_configured)
	[ -n "$LAB_MIRROR" ] ||
		die "apt on this host has no source of Debian's archive (see /etc/apt)"
	if [ -z "$LAB_KEYRING" ] || [ ! -r "$LAB_KEYRING" ]; then
		LAB_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
	fi
	[ -r "$LAB_KEYRING" ] || die "no keyring of Debian's archive: install debian-archive-keyring"
}

# apt_sources SUITE...: lines of a sources.list.
apt_sources()
{
	local suite uri
	for suite in "$@"; do
		uri=$LAB_MIRROR
		case $suite in
		*-security)
			[ -n "$LAB_SECURITY" ] || continue
			uri=$LAB_SECURITY
			;;
		esac
		printf 'deb [arch=amd64 signed-by=%s] %s %s main\n' \
			"$LAB_KEYRING" "$uri" "$suite"
	done
}

LAB_SUITES=(bookworm bookworm-security trixie trixie-security trixie-backports)

# The private apt: its own lists, state and package cache below the cache.
# The host's other settings (a proxy, say) stay in force.
lab_apt()
{
	local tool=$1 a=$LAB_CACHE/apt
	shift
	APT_CONFIG=$a/apt.conf "$tool" -o Dir::Cache::pkgcache=pkgcache.bin \
		-o Dir::Cache::srcpkgcache=srcpkgcache.bin "$@"
}

# Sets LAB_OFFLINE=1 where the mirror does not answer but lists of an earlier
# run are there. Lists younger than two hours are taken as they are.
apt_prepare()
{
	[ -z "${LAB_APT_READY:-}" ] || return 0
	apt_find_mirror
	with_lock apt apt_update
	LAB_APT_READY=1
	LAB_OFFLINE=$(cat "$LAB_CACHE/apt/offline" 2>/dev/null || echo 0)
}

apt_update()
{
	local a=$LAB_CACHE/apt new
	mkdir -p "$a/state/lists/partial" "$a/cache/archives/partial" "$a/empty" "$LAB_CACHE/debs"
	# Other lab commands read what is here without the lock: never half a file.
	[ -f "$a/status" ] || : >"$a/status"
	cat >"$a/apt.conf.new" <<-CONF
		Dir::Etc::sourcelist "$a/sources.list";
		Dir::Etc::sourceparts "$a/empty";
		Dir::Etc::preferences "$a/status";
		Dir::Etc::preferencesparts "$a/empty";
		Dir::State "$a/state";
		Dir::State::status "$a/status";
		Dir::Cache "$a/cache";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "3";
	CONF
	mv "$a/apt.conf.new" "$a/apt.conf"
	new=$(apt_sources "${LAB_SUITES[@]}")
	if [ -f "$a/updated" ] && [ "$(cat "$a/sources.list" 2>/dev/null)" = "$new" ] &&
	   [ -n "$(find "$a/updated" -mmin -120)" ]; then
		return 0
	fi
	printf '%s\n' "$new" >"$a/sources.list"
	say "reading package lists: ${LAB_SUITES[*]}"
	rm -f "$a/offline"
	if lab_apt apt-get update -o APT::Update::Error-Mode=any >&2; then
		touch "$a/updated"
	elif [ -f "$a/updated" ]; then
		say "the mirror cannot be reached: going on with what the cache has"
		echo 1 >"$a/offline"
	else
		die "the mirror cannot be reached and the cache is empty"
	fi
}

# apt_versions REGEX: "package version" of every version of packages whose
# name matches, from one pass over the lists.
apt_versions()
{
	lab_apt apt-cache dumpavail | awk -v re="$1" '
		/^Package: / { p = $2; hit = p ~ re }
		/^Version: / && hit { print p, $2 }' | sort -u
}

# apt_newest PACKAGE [SUITE-REGEX]: highest version on offer.
apt_newest()
{
	lab_apt apt-cache madison "$1" |
		awk -F' *[|] *' -v re="${2:-.}" '$3 ~ re { print $2 }' |
		sort -uV | tail -n1
}

# fetch_deb PACKAGE VERSION: prints the path of the .deb in the cache.
fetch_deb()
{
	local p=$1 v=$2 file
	file=$LAB_CACHE/debs/${p}_${v//:/%3a}.deb
	if [ ! -s "$file" ]; then
		say "downloading $p $v"
		with_lock "deb-$p" fetch_deb_locked "$p" "$v" "$file"
	fi
	printf '%s\n' "$file"
}

fetch_deb_locked()
{
	local p=$1 v=$2 file=$3 dir
	[ ! -s "$file" ] || return 0
	dir=$(mktemp -d "$LAB_CACHE/debs/.get.XXXXXX")
	(cd "$dir" && lab_apt apt-get download "$p=$v" >&2) ||
		{
			rm -rf "$dir"
			# Perhaps the mirror has moved on since its lists were read.
			touch -d '1 day ago' "$LAB_CACHE/apt/updated"
			die "could not download $p $v (lists will be read anew next time)"
		}
	mv "$dir"/*.deb "$file"
	rm -rf "$dir"
}

# unpack_deb PACKAGE VERSION DIR: each package is wanted once.
unpack_deb()
{
	local deb
	deb=$(fetch_deb "$1" "$2")
	mkdir -p "$3"
	dpkg-deb -x "$deb" "$3"
	# What is kept is what was unpacked; it carries the version's stamp.
	rm -f "$deb"
}
