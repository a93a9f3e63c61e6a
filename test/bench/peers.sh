# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# peers -- what a message is handed to: each of them private, in $W/NAME, on a
# unix socket.  A start function takes a name and folders of rules; it sets
# peer_socket and peer_pid, or fails when the program is missing.

null_start() {
	peer_socket=unix:$W/$1.sock
	process_start "$1" "$builddir/test/tool/null_milter" "${@:2}" "$peer_socket"
	peer_pid=$process
	wait_for 10 socket_is_open "${peer_socket#unix:}"
}

null_replies_start() {
	null_start "$1" --replies
}

# Scoring only: a held message waits for the disk, not for us.
postern_start() {
	local name=$1 folder folders=''
	shift
	for folder; do
		folders+="${folders:+, }\"$folder\""
	done
	posternd_patience=900 gate "$name" 'observe = yes' "rules = {$folders}"
	mv "$W/log/posternd" "$W/log/$name"
	peer_socket=$MILTER peer_pid=$POSTERND_PID
	peers_to_wait_for+=("postern $name")
}

# Its prefilter is made while it works already, more slowly.
postern_is_ready() {
	CONF=$W/$1/postern.conf postern status | grep ' rules=' | grep -v prefilter=making
}

# Names do not exist: no filter waits for an answer, nor asks the world.
rspamd_dns_start() {
	[ -n "${LIAR-}" ] || liar_start
}

# rspamd's own configuration; ours is what it is told beside it.
rspamd_configure() {
	local folder=$1 rules=$2 module
	mkdir -p "$folder/db" "$folder/run" "$folder/log"
	cp -r /etc/rspamd "$folder/conf" || return
	cat >"$folder/conf/local.d/worker-proxy.inc" <<-X
	bind_socket = "$folder/milter.sock mode=0666";
	count = $(nproc);
	upstream "local" { default = yes; self_scan = yes; }
	X
	for module in worker-normal.inc worker-controller.inc \
		rbl.conf fuzzy_check.conf asn.conf greylist.conf; do
		echo 'enabled = false;' >"$folder/conf/local.d/$module"
	done
	cat >"$folder/conf/local.d/options.inc" <<-X
	dns { nameserver = ["127.0.0.1:$LIAR_PORT"]; }
	task_timeout = 600s;
	max_message = 200M;
	tempdir = "$folder/run";
	X
	echo 'type = "console";' >"$folder/conf/local.d/logging.inc"
	[ -z "$rules" ] ||
		echo "ruleset = \"$rules/*.cf\";" >"$folder/conf/local.d/spamassassin.conf"
	chown -R _rspamd:_rspamd "$folder"
}

rspamd_start() {
	local name=$1 folder=$W/$1 place places=()
	command -v rspamd >/dev/null || return
	rspamd_dns_start
	rspamd_configure "$folder" "${2-}" || return
	for place in CONFDIR=conf LOCAL_CONFDIR=conf DBDIR=db RUNDIR=run LOGDIR=log; do
		places+=("--var=${place%=*}=$folder/${place#*=}")
	done
	process_start "$name" rspamd -f -u _rspamd -g _rspamd \
		-c "$folder/conf/rspamd.conf" "${places[@]}"
	peer_socket=unix:$folder/milter.sock peer_pid=$process
	wait_for 60 socket_is_open "$folder/milter.sock" || return
	peers_to_wait_for+=("rspamd $name")
}

# Its helper compiles the patterns while it works already, more slowly.
rspamd_is_ready() {
	[ "$(grep -a '(rspamd_proxy).* hyperscan database of .* loaded' "$W/log/$1" |
		wc -l)" -ge "$(nproc)" ]
}

# Local tests only, no Bayes.  As many children as there are processors.
spamd_start() {
	local name=$1 folder=$W/$1
	command -v spamd >/dev/null || return
	mkdir -p "$folder/site" "$folder/home"
	cp /etc/spamassassin/*.pre "$folder/site" || return
	printf '%s\n' 'use_bayes 0' 'use_learner 0' 'skip_rbl_checks 1' \
		'dns_available no' 'time_limit 0' >"$folder/site/local.cf"
	chown -R nobody "$folder"
	process_start "$name" spamd --local --nouser-config --username=nobody \
		--configpath="$2" --siteconfigpath="$folder/site" \
		--helper-home-dir="$folder/home" --syslog=stderr \
		--socketpath="$folder/spamd.sock" --max-conn-per-child=1000000 \
		--min-children="$(nproc)" --max-children="$(nproc)" --timeout-child=3600
	peer_socket=unix:$folder/spamd.sock peer_pid=$process
	wait_for 120 socket_is_open "$folder/spamd.sock"
}

# $peers_to_wait_for: "KIND NAME" of those that compile something yet.
declare -A socket_of pid_of
peers=() peers_to_wait_for=()

# peer_start NAME KIND FOLDER...: a row of the table, or a word why there is none.
peer_start() {
	local name=$1 kind=$2
	shift 2
	if ! "${kind}_start" "$name" "$@"; then
		echo "$name: left out, $kind is not installed or does not start" >&2
		return
	fi
	socket_of[$name]=$peer_socket pid_of[$name]=$peer_pid
	peers+=("$name")
}

# Until all have compiled what they compile.
peers_are_ready() {
	local kind name
	while read -r kind name; do
		[ -n "$kind" ] || continue
		wait_for 1800 "${kind}_is_ready" "$name" ||
			echo "$name: its patterns are not compiled after half an hour" >&2
	done < <(printf '%s\n' "${peers_to_wait_for[@]}")
	peers_to_wait_for=()
}

# load NAME CONNECTIONS MESSAGES FOLDER: hand it so many messages; the figures.
load() {
	case $1 in
	spamd*) "$srcdir/test/bench/spamd_load" --connections "$2" --total "$3" \
		"${socket_of[$1]#unix:}" "$4" ;;
	*) "$MCLIENT" --bench --login alice --connections "$2" --repeat 20 \
		--total "$3" "${socket_of[$1]}" "$4" ;;
	esac
}

# peer_measure PART NAME X CONNECTIONS MESSAGES FOLDER: a line "PART NAME X
# figures", with the work and the memory of all of its processes.
peer_measure() {
	local before after line root=${pid_of[$2]}
	before=$(worked_ms "$root" $(pids_below "$root"))
	line=$(load "$2" "$4" "$5" "$6" 2>>"$W/log/load")
	sleep 0.2
	after=$(worked_ms "$root" $(pids_below "$root"))
	[ -n "$line" ] || return
	line=$(sed 's/ *cpu_ms=.*//' <<<"$line")
	echo "$1 $2 $3 $line cpu_ms=$(awk -v ms=$((after - before)) -v n="$5" \
		'BEGIN {printf "%.4f", ms / n}') kept_kb=$(kept_kb "$root" $(pids_below "$root"))"
}
