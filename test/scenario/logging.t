#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One line a message, whatever the message tries.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'log-format = json'

said=$(mail "hold me" | send -l alice)
line=$(logged '"action":"hold"')
like "JSON: a line is an object" "${line#*{}" '"score":.*"rules":.*"id":.*}$'
is "with the queue id" "$(sed -E 's/.*"queue_id":"([^"]*)".*/\1/' <<<"$line")" \
	"${said##* }"

sed -i '/^log-format/d' "$CONF"
postern reload >/dev/null 2>&1
lines() {
	grep -vc " prefilter: " "$W/log/posternd" # comes when it is made
}
before=$(lines)
from=$(printf '"a\033[31mb action=accept"@test.example')
mail "hold me" | send -l alice -f "$from" >/dev/null
line=$(logged 'action=hold')
unlike "a control character of an address does not reach the log" "$line" $'\033'
is "nor does a blank: the keys are ours" "$(grep -o 'action=[a-z]*' <<<"${line%% from=*}")" "action=hold"
is "and it is one line" "$(lines)" $((before + 1))
done_testing
