# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# posternd -- the milter under test, in $W/postern, with the programs of the
# build folder.

POSTERND=${POSTERND:-$builddir/posternd}
POSTERN_PROGRAM=${POSTERN_PROGRAM:-$builddir/postern}
POSTERND_USER=${POSTERND_USER:-nobody}

# posternd_configure [LINE...]: a configuration for tests, the lines after it.
# Nobody is asked unless $DNS, the value of the option dns, says who.
# Rules are those of test/scenario/rules; MILTER is how an MTA reaches it.
# shellcheck disable=SC2120
posternd_configure() {
	local dns=${DNS:-'{"off"}'}
	POSTERN=$W/postern
	CONF=$POSTERN/postern.conf
	MILTER=unix:$POSTERN/milter.sock
	mkdir -p "$POSTERN/rules" "$POSTERN/state"
	cp "$srcdir"/test/scenario/rules/*.cf "$POSTERN/rules/"
	chown -R "$POSTERND_USER" "$POSTERN"
	chmod 700 "$POSTERN/state"
	chmod 755 "$POSTERN" "$POSTERN/rules"
	cat >"$CONF" <<-X
	socket = "$MILTER"
	socket-mode = 0660
	socket-group = postfix
	control-socket = "$POSTERN/control.sock"
	pid-file = "$POSTERN/posternd.pid"
	user = $POSTERND_USER
	log = stderr
	state-dir = "$POSTERN/state"
	rules = {"$POSTERN/rules"}
	login-domain = "mail.test.example"
	dns = $dns
	$(printf '%s\n' "$@")
	X
	HELD=$POSTERN/state/quarantine
}

# posternd_start [OPTION...]: in the foreground of a session of its own.
posternd_start() {
	[ -n "${POSTERN-}" ] || posternd_configure
	[ -z "${SMTP_PORT-}" ] || grep -q ^release-via "$CONF" ||
		echo "release-via = \"smtp:127.0.0.1:$SMTP_PORT\"" >>"$CONF"
	local known=$srcdir/test/scenario/lib
	LSAN_OPTIONS=suppressions=$known/lsan.supp:print_suppressions=0 \
		TSAN_OPTIONS=suppressions=$known/tsan.supp:print_suppressions=0 \
		process_start posternd "$POSTERND" -f -c "$CONF" "$@"
	POSTERND_PID=$process
	wait_for "${posternd_patience:-20}" posternd_answers && is_alive "$POSTERND_PID"
}

posternd_answers() {
	is_gone "$POSTERND_PID" || socket_is_open "${MILTER#unix:}"
}

posternd_stop() {
	process_stop "$POSTERND_PID"
}

# A thread may outlive the first one, and the socket with it: who looks then
# whether the next posternd answers hears the old one.
posternd_kill() {
	kill -9 "$POSTERND_PID"
	wait_for 10 is_gone "$POSTERND_PID"
	wait_for 20 posternd_is_silent
}

posternd_is_silent() {
	! socket_is_open "${MILTER#unix:}"
}

# postern(1) with this configuration.
postern() {
	"$POSTERN_PROGRAM" -c "$CONF" "$@"
}

# logged REGEX [SECONDS]: wait for a line of posternd's log; it is printed.
logged() {
	wait_for "${2:-5}" grep -qaE -- "$1" "$W/log/posternd"
	grep -aE -- "$1" "$W/log/posternd" | tail -n 1
}

# The log line of the message that got the reply $1: by queue id, or by the
# lookup id in a refusal.
verdict_of() {
	local id
	id=$(sed -nE 's/.*queued as ([0-9A-Za-z]+).*/\1/p; s/.*2\.0\.0 ([0-9A-Za-z]{14}) Message accepted.*/\1/p' <<<"$1")
	if [ -n "$id" ]; then
		logged "(^| )$id: "
	else
		id=$(grep -oE '[0-9A-Za-z]{16}' <<<"$1" | tail -n 1)
		logged "id=${id:-none}"
	fi
}

# Ids of what the quarantine holds.
held_ids() {
	postern quarantine list --json | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p'
}

held_count() {
	find "$HELD/new" "$HELD/cur" -type f 2>/dev/null | wc -l
}
