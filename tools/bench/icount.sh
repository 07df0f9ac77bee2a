# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For benches of what hints are worth: one boot of an AMD machine on whose clock each
# instruction takes one tick, so that what else this host does is not in it.

BENCH_DIR=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
LAB=$BENCH_DIR/../lab/lab
# shellcheck source=../lab/lib/common.sh
. "$BENCH_DIR/../lab/lib/common.sh"

# measure RESULTS FILE KERNEL CPUS COMMAND...: writes what COMMAND left in
# /kvmx/out/FILE to RESULTS.
measure()
{
	local results=$1 file=$2 kernel=$3 cpus=$4
	shift 4
	rm -rf "${results:?}"
	mkdir -p "$results"
	"$LAB" run --bench --vendor amd --kernel "$kernel" --icount --cpus "$cpus" \
		--timeout 5400 --out "$results" -- "$@"
	[ -s "$results/$file" ] || die "the machine has measured nothing"
}

# table FILE NAME: by NAME.awk.
table()
{
	awk -f "$BENCH_DIR/median.awk" -f "$BENCH_DIR/$2.awk" "$1"
}
