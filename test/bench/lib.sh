# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# lib -- what the benchmarks share: a posternd of one's own, figures of one
# milter, and their medians.

milters=()

# gate NAME LINE...: a posternd with these lines of postern.conf, in $W/NAME.
gate() {
	local name=$1
	shift
	posternd_configure "$@"
	mv "$W/postern" "$W/$name"
	sed -i "s|$W/postern/|$W/$name/|g" "$W/$name/postern.conf"
	POSTERN=$W/$name CONF=$W/$name/postern.conf MILTER=unix:$W/$name/milter.sock
	posternd_start || bail "posternd starts"
	milters+=("$name=$MILTER,$POSTERND_PID")
}

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

# The processes below $1, a line each.
pids_below() {
	local child
	for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
		echo "$child"
		pids_below "$child"
	done
}

# Milliseconds of processor that the processes named have worked, and those of
# their children that have ended.
worked_ms() {
	local pid
	for pid; do
		sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null
	done | awk -v tick=$((1000 / $(getconf CLK_TCK))) \
		'{n += $12 + $13 + $14 + $15} END {print n * tick}'
}

# What they keep in memory, kB: a page that several share counts in parts.
kept_kb() {
	local pid
	for pid; do
		cat "/proc/$pid/smaps_rollup" 2>/dev/null
	done | awk '/^Pss:/ {n += $2} END {print n + 0}'
}

bench_machine() {
	echo "machine: $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(
		awk '/^MemTotal/ {printf "%.0f GB", $2 / 1048576}' /proc/meminfo)"
}
