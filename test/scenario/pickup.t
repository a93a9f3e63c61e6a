#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Mail of programs (sendmail(1), pickup) is never refused: Postfix would try it
# again every second, or bounce it.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'class local { defer = 5 hold = 6 reject = 10 }'

submit() {
	mail "$1" | postfix_sendmail -i -f "$2@test.example" bob@remote.example
}

submit "reject me" rejected
like "what should be rejected is held" "$(logged 'from=<rejected@')" \
	"action=hold score=20/10 .*class=local"
submit "defer me" deferred
like "what should be deferred is held" "$(logged 'from=<deferred@')" \
	"action=hold score=5.5/5 .*class=local"
submit "hold me" held
like "what should be held is held" "$(logged 'from=<held@')" "action=hold "
is "three files in the quarantine" "$(held_count)" 3

rm -rf "$HELD" && touch "$HELD"
submit "reject me" unkept
like "without a quarantine" "$(logged 'from=<unkept@')" "action=hold .*quarantine:"
wait_for 5 eval 'postfix_queue | grep -q unkept@'
like "Postfix's own hold queue keeps it" "$(postfix_queue)" '"queue_name": "hold"'

sleep 2
ok "nothing waits in maildrop" postfix_queue_is_empty
is "each message was judged once" "$(grep -c class=local "$W/log/posternd")" 4
like "Postfix told all that was asked of it" "$(postern status --json)" \
	'"macros_missing":\{\}'
is "nothing was refused" "$(postfix_logged 'milter-reject')" ""
is "nothing left" "$(sink_count)" 0
done_testing
