#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A server that bounces to strangers, before and after it did what postern doctor
# says: what was bounced is refused, and no notice leaves.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
! is_sanitized || skip_all "a sanitizer sees this code in fuzz_doctor"
gate_with_responders
doveconf -n -c "$DOVECOT/dovecot.conf" >"$W/doveconf" 2>/dev/null

# The server's findings of Postfix.
doctor() {
	postern doctor --postfix "$POSTFIX/etc" --dovecot "$W/doveconf"
}

# Mail from a stranger to $1, and what became of it.
stranger() {
	provoke "stranger@elsewhere.example" "$1"
}

said=$(doctor)
like "it is seen that nobody knows the recipients" "$said" \
	"trouble: postfix-virtual-mailboxes: virtual_mailbox_domains = users.example"
like "and that strangers are told of delays" "$said" "postfix-delay-warning"
unlike "all that Postern should see it sees" "$said" \
	"trouble: postfix-(socket|smtpd|non|bounces|services|no)"

like "before: mail to nobody is taken" "$(stranger ghost@users.example)" "^250 "
ok "and bounced to a stranger" sink_message "Rcpt-Args: <stranger@elsewhere.example>"
before=$(sink_count)

# Write what is printed for main.cf.
while IFS= read -r line; do
	postfix_set "$line"
done < <(awk '/^  in / {on = / in .*main\.cf:$/; next} on && /^    / {print substr($0, 5)}
	/^[a-z]+: / {on = 0}' <<<"$said")
unlike "after: the doctor finds no trouble with recipients" "$(doctor)" \
	"trouble: postfix-(virtual|local|relay|wildcards)"

like "mail to nobody is refused" "$(stranger ghost@users.example)" "^550 5.1.1 "
like "mail to a full mailbox is refused" "$(stranger full@users.example)" "^550 "
like "mail to a forward that is refused is refused" \
	"$(stranger gone@users.example)" "^550 "
like "mail to nobody of local(8) is refused" "$(stranger ghost@local.example)" "^550 "
like "mail to somebody is taken" "$(stranger alice@users.example)" "^250 "
wait_for 5 postfix_queue_is_empty
is "it is in the mailbox" "$(dovecot_count alice@users.example)" 1
is "nothing was sent to strangers" "$(sink_count)" "$before"
done_testing
