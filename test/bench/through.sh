# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154 # what run has read before
# through -- the same mail through a private Postfix, once for each milter: every
# one has an SMTP service of its own, all else is shared.

through_each=${BENCH_THROUGH:-20} # of how many messages so many each
declare -A through_port

# Of $W/mail, so many of even steps in size; smtp-source cannot send larger ones
# as fast as they come.
through_mail() {
	mkdir -p "$W/mail-through"
	find "$W/mail" -type f -size -1024k -printf '%s %p\n' | sort -n |
		awk -v n="$through_each" '{line[NR] = $0}
			END {for (i = 0; i < n; i++) print line[int((i + 0.5) * NR / n) + 1]}' |
		cut -d ' ' -f 2- | xargs -d '\n' cp --backup=numbered -t "$W/mail-through"
}

through_service() {
	port_free
	through_port[$1]=$port
	echo "127.0.0.1:$port inet n - n - - smtpd -o smtpd_milters=$2" \
		>>"$POSTFIX/etc/master.cf"
}

through_start() {
	local name
	port_free
	SINK_PORT=$port
	process_start sink smtp-sink -u postfix "127.0.0.1:$SINK_PORT" 1024
	MILTER='' postfix_configure
	through_service none ''
	for name in "${peers[@]}"; do
		[[ $name != spamd* ]] || continue
		through_service "$name" "${socket_of[$name]}"
		chmod 0666 "${socket_of[$name]#unix:}"
	done
	postfix_start
}

# Milliseconds that all processors of the machine have worked.
machine_worked_ms() {
	awk -v tick=$((1000 / $(getconf CLK_TCK))) \
		'/^cpu / {print ($2 + $3 + $4 + $7 + $8) * tick}' /proc/stat
}

# What milter NAME has worked, and the whole machine.
through_worked() {
	local pids=()
	[ -z "${pid_of[$1]-}" ] ||
		mapfile -t pids < <(echo "${pid_of[$1]}" && pids_below "${pid_of[$1]}")
	echo "$(worked_ms "${pids[@]}") $(machine_worked_ms)"
}

# through_measure NAME: a line of figures.  The clock stops when all of it has
# been delivered.
through_measure() {
	local file start worked refused=0
	worked=$(through_worked "$1")
	start=$EPOCHREALTIME
	for file in "$W"/mail-through/*; do
		smtp-source -s 10 -m "$through_each" -F "$file" \
			-f alice@test.example -t bob@remote.example \
			"127.0.0.1:${through_port[$1]}" 2>>"$W/log/through" ||
			refused=$((refused + 1))
	done
	wait_for 600 postfix_queue_is_empty || refused=$((refused + 1))
	echo "through $1 10 $start $EPOCHREALTIME $refused $worked $(through_worked "$1")" |
		awk -v n=$((through_each * through_each)) '{
			printf "%s %s %s messages=%d errors=%d rate=%.3f cpu_ms=%.3f all_ms=%.3f\n",
				$1, $2, $3, n, $6, n / ($5 - $4), ($9 - $7) / n, ($10 - $8) / n}'
}

# Which is first changes from round to round.
through_round() {
	local name names=(none "${peers[@]}") i
	for ((i = 0; i < ${#names[@]}; i++)); do
		name=${names[(i + $1) % ${#names[@]}]}
		[ -z "${through_port[$name]-}" ] || through_measure "$name"
	done
}

part_through() {
	if [ ! -x /usr/lib/postfix/sbin/master ] || ! command -v smtp-source >/dev/null; then
		echo "through: left out, Postfix is not installed" >&2
		return
	fi
	through_mail
	through_start && rounds_of through_round
	postfix_stop
}
