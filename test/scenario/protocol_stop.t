#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# SIGTERM in the middle of a load of held mail: what was kept was answered.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
gate_alone 'class submission { hold = 6 reject = 10 }' 'drain-time = 5s'
mail "hold me" >"$W/hold"
mclient_files "$W/hold" -- --login alice --connections 20 --repeat 400 --timeout 3000 \
	>"$W/answers" 2>/dev/null &
load=$!
wait_for 10 eval '[ "$(held_count)" -gt 100 ]'
kill -TERM "$POSTERND_PID"
wait $load
ok "posternd is gone" wait_for 20 is_gone "$POSTERND_PID"
is "each message that is kept was answered once" "$(held_count)" \
	"$(grep -c 'reply=discard' "$W/answers")"
done_testing
