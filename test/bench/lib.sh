# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# lib -- what the benchmarks share: figures of one milter, and their medians.

# measure NAME SOCKET PID CONNECTIONS: a line "NAME CONNECTIONS figures".
# More arguments of mclient stand in $measure_args.
measure() {
	printf '%s %s ' "$1" "$4"
	"$MCLIENT" --bench --login alice "${measure_args[@]}" --connections "$4" --repeat 20 \
		--total "$messages" --pid "$3" "$2" "$mail_dir"
}

# median NAME CONNECTIONS KEY
median() {
	sed -n "s/^$1 $2 .*\b$3=\([0-9.]*\).*/\1/p" "$W/figures" | sort -n |
		awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}

bench_machine() {
	echo "machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(
		awk '/^MemTotal/ {printf "%.0f GB", $2 / 1048576}' /proc/meminfo)"
}
