#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The disk of the quarantine, of the spool and of what is remembered is full or
# read-only: mail is judged on, and all is as before when there is room again.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/bounce.sh"
needs root mount
posternd_configure "${bounce_options[@]}" 'class submission { hold = 6 reject = 10 }' \
	'memory-limit = 64K'
mount -t tmpfs -o "size=3m,mode=700,uid=$(id -u "$POSTERND_USER")" tmpfs \
	"$POSTERN/state" 2>/dev/null || skip_all "cannot mount a tmpfs here"
at_exit "umount -l $POSTERN/state"
posternd_start || bail "posternd starts with 3 MB"
mail "hold me" >"$W/hold"
mail "good" >"$W/good"
{
	mail "large"
	head -c 2000000 /dev/urandom | base64
} >"$W/large"

# judged CLAIM ANSWER-TO-HELD: small mail is answered as it should be.
judged() {
	is "$1: good mail passes" \
		"$(mclient_files "$W/good" -- --login alice | answers)" accept
	is "$1: what would be held" \
		"$(mclient_files "$W/hold" -- --login alice | answers)" "$2"
}

judged "room" discard
is "and mail that comes in is known" "$(came a@good.example 1@good
	bounced a@good.example 1@good)" $'accept\naccept'

# A few thousand senders: more than there is room for.
mclient --bench --client 198.51.100.9:99 --connections 4 --total 4000 >"$W/said"
like "mail comes in without end: each is accepted" "$(cat "$W/said")" "errors=0 .*accept=4000"
cat /dev/zero >"$POSTERN/state/fill" 2>/dev/null
judged "full" tempfail
is "full: a message that needs the spool is deferred" \
	"$(mclient_files "$W/large" -- --login alice | answers)" tempfail
ok "posternd lives" is_alive "$POSTERND_PID"
rm "$POSTERN/state/fill"
judged "room again" discard
came a@good.example 2@good >/dev/null
ok "and it remembers again" wait_for 20 eval \
	'came a@good.example 2@good >/dev/null; [ "$(bounced a@good.example 2@good)" = accept ]'

posternd_stop
mount -o remount,ro "$POSTERN/state" || bail "the state is made read-only"
posternd_start
judged "read-only" tempfail
like "read-only: the log says why" "$(logged 'action=defer would=hold')" "Read-only"
ok "read-only: what is remembered cannot be written, and that is said" \
	wait_for 10 grep -qa "nothing will be remembered.*Read-only" "$W/log/posternd"
posternd_stop
mount -o remount,rw "$POSTERN/state"
posternd_start
judged "written again" discard
is "what was known is known" "$(bounced a@good.example 2@good)" accept
done_testing
