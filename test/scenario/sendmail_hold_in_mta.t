#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# hold-in = mta with Sendmail: its quarantine, which shows our reason.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_sendmail 'hold-in = mta'

said=$(mail "hold me" | send -l alice)
like "held mail looks taken" "$said" "^250 "
line=$(verdict_of "$said")
like "and is logged" "$line" "action=hold score=7/6 .*id="
like "mailq -qQ shows it with our id and the rules" "$(sendmail_queue -qQ)" \
	"QUARANTINE: postern ${line##*id=} score 7 TEST_HOLD"
is "nothing left" "$(sink_count)" 0
queue_id=${line#*] }
queue_id=${line%%: action=*}
queue_id=${queue_id##* }
sendmail_run -C "$SENDMAIL/daemon.cf" -qQ "-qI$queue_id" -Q >/dev/null 2>&1
sendmail_queue_run >/dev/null 2>&1
ok "out of quarantine, it leaves" sink_message "hold me"
is "and it is not filtered again" "$(grep -c action= "$W/log/posternd")" 1
done_testing
