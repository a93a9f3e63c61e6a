# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# scenario -- what each test of test/scenario begins with: a limit of time, a
# workspace, the real MTAs, and TAP.  `make check` runs the tests; one alone:
#   srcdir=$PWD builddir=$PWD/build test/scenario/postfix_actions.t
# KEEP_WORKSPACE=1 leaves $W for a look.

set -u
: "${srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}" "${builddir:=$srcdir/build}"
export srcdir builddir LC_ALL=C
scenario=$(basename "$0" .t)

# MTAs want root.
if [ -z "${SCENARIO_STARTED-}" ]; then
	become=(env SCENARIO_STARTED=1 PATH="$PATH:/usr/sbin:/sbin")
	[ "$(id -u)" = 0 ] || [ -z "${POSTERN_SUDO-}" ] ||
		become=("$POSTERN_SUDO" "${become[@]}" "srcdir=$srcdir"
			"builddir=$builddir" "SENDMAIL_ROOT=${SENDMAIL_ROOT-}" LC_ALL=C)
	exec "${become[@]}" bash "$0" "$@"
fi

library=$srcdir/test/scenario/lib
. "$library/run.sh"
. "$library/sink.sh"
. "$library/smtp.sh"
. "$library/postfix.sh"
. "$library/sendmail.sh"
. "$library/posternd.sh"
. "$library/dovecot.sh"
. "$library/responders.sh"
clean_up_always
watch_clock "${SCENARIO_TIME:-150}"

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

# needs THING...: skip the whole test where something is missing.
needs() {
	local thing
	for thing; do
		case $thing in
		root) [ "$(id -u)" = 0 ] || skip_all "needs root" ;;
		postfix) needs root postfix_program smtp-sink saslpasswd2 ;;
		postfix_program) [ -x /usr/lib/postfix/sbin/master ] ||
			skip_all "needs Postfix (scripts/check installs it)" ;;
		dovecot) needs root dovecot_program ;;
		dovecot_program) [ -x "$DOVECOT_LIBEXEC/lmtp" ] &&
			[ -e "$DOVECOT_LIBEXEC/modules/lib90_sieve_plugin.so" ] ||
			skip_all "needs Dovecot with LMTP and Sieve (scripts/check installs it)" ;;
		sendmail) needs root smtp-sink saslpasswd2 m4
			[ -x "$SENDMAIL_ROOT/usr/libexec/sendmail/sendmail" ] ||
			skip_all "needs Sendmail (scripts/check unpacks it)" ;;
		*) command -v "$thing" >/dev/null || skip_all "needs $thing" ;;
		esac
	done
}

tests=0 failures=0

# One result: $1 the exit status, $2 what was claimed, then lines that help.
result() {
	local status=$1 claim=$2
	shift 2
	tests=$((tests + 1))
	if [ "$status" = 0 ]; then
		echo "ok $tests - $claim"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $tests - $claim"
	[ $# = 0 ] || printf '%s\n' "$@" | head -c 4000 | sed 's/^/#   /'
	[ $failures -gt 1 ] || logs_show
}

# The ends of all logs, at the first failure.
logs_show() {
	local log
	for log in "$W"/log/* "${POSTFIX-}/maillog" "${SENDMAIL-}/maillog"; do
		[ -s "$log" ] || continue
		echo "# -- ${log#"$W"/}"
		tail -n 15 "$log" | cut -c 1-240 | sed 's/^/# /'
	done
}

# ok CLAIM COMMAND...
ok() {
	local claim=$1 status
	shift
	"$@" >"$W/said" 2>&1
	status=$?
	result $status "$claim" "failed: $*" "$(cat "$W/said")"
}

# is CLAIM GOT WANTED
is() {
	[ "$2" = "$3" ]
	result $? "$1" "got    [$2]" "wanted [$3]"
}

# like CLAIM GOT REGEX, unlike CLAIM GOT REGEX
like() {
	[[ $2 =~ $3 ]]
	result $? "$1" "got     [$2]" "no match for [$3]"
}

unlike() {
	! [[ $2 =~ $3 ]]
	result $? "$1" "got   [$2]" "match for [$3]"
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# A mail server with posternd before the world: what most tests begin with.
# The arguments are lines of postern.conf.
gate_with_postfix() {
	needs postfix
	sink_start && posternd_configure "$@" && postfix_configure &&
		postfix_user alice && posternd_start && postfix_start ||
		bail "Postfix, posternd and a sink start"
}

gate_with_sendmail() {
	needs sendmail
	sink_start && posternd_configure "$@" && sendmail_configure &&
		sendmail_user alice && posternd_start && sendmail_start ||
		bail "Sendmail, posternd and a sink start"
	SMTP_PORT=$SENDMAIL_PORT
}

bail() {
	result 1 "$1"
	done_testing
}

# The last result, and the plan: a sanitizer's report is a failure anywhere.
done_testing() {
	if [ -s "$W/log/posternd" ]; then
		process_patience=30 posternd_stop
		is "posternd ended without a complaint" "$(grep -aE -A 30 -m 1 \
			'Sanitizer|runtime error:|Assertion|\(\): (invalid|corrupt)' \
			"$W/log/posternd")" ""
	fi
	echo "1..$tests"
	[ $failures = 0 ] || exit "${exit_of_failure:-0}"
	exit 0
}

workspace_new "$scenario"
