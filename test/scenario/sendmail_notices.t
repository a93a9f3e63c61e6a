#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Sendmail's own bounces and delay warnings pass posternd when they leave by the
# port of etc/sendmail-notices.mc.snippet, and wait there while it is away.
. "$(dirname "$0")/lib/scenario.sh"
needs sendmail
sink_start && posternd_configure || bail "posternd and a sink start"
port_free; hop=$port

# World is at 127.0.0.1; these two refuse every recipient, for good or for now.
unwilling() {
	process_start "sink$2" smtp-sink -u postfix "$2" rcpt "$1:$SINK_PORT" 64
}
unwilling 127.0.0.4 -f
unwilling 127.0.0.5 -r

# The snippet, with ports of ours.
mapfile -t lines < <(
	sed "s/2526/$hop/; s/?r25/?r$SINK_PORT/" \
		"$srcdir/etc/sendmail-notices.mc.snippet"
	cat <<-X
	Cw local.example
	define(\`confTO_QUEUEWARN', \`1s')dnl
	define(\`ALIAS_FILE', \`$W/aliases')dnl
	LOCAL_RULE_0
	R\$* <@ refuses.example. > \$*	\$#relay \$@ [127.0.0.4] \$: \$1<@refuses.example>\$2
	R\$* <@ slow.example. > \$*	\$#relay \$@ [127.0.0.5] \$: \$1<@slow.example>\$2
	X
)
sendmail_configure "${lines[@]}"
cat >"$W/aliases" <<-X
	gone: gone@refuses.example
	late: "|exit 67"
X
sendmail_run -C "$SENDMAIL/daemon.cf" -bi >"$W/log/newaliases" 2>&1
posternd_start && sendmail_start || bail "Sendmail and posternd start"
SMTP_PORT=$SENDMAIL_PORT

# Messages that posternd saw with a null sender.
notices() {
	grep -cE "class=notice .*from=<> nrcpt=1" "$W/log/posternd"
}

# seen NAME FORM TO...: mail to TO provokes a notice that posternd sees.
seen() {
	local name=$1 form=$2 victim=victim$((tests + 1))@elsewhere.example
	local before said to=()
	before=$(notices)
	shift 2
	for said; do
		to+=(-t "$said")
	done
	like "$name: mail is taken" \
		"$(mail "for $*" | send -f "$victim" "${to[@]}")" "^250 "
	[[ $form != *delayed* ]] || { sleep 2; sendmail_queue_run; }
	ok "$name: a notice leaves" sink_message "X-Rcpt-Args: <$victim>"
	like "$name: it is what it should be" "$(tr -d '\r' <"$got")" "$form"
	is "$name: posternd saw it" "$(notices)" $((before + 1))
}

seen "a relay that refuses" "Args: <>.*Action: failed" gone@refuses.example
seen "an alias to elsewhere that is refused" "Args: <>.*Action: failed" \
	gone@local.example
seen "a program that knows no such user" "Args: <>.*Status: 5.1.1" \
	late@local.example
seen "one of two, with a connection to the world still open" \
	"Args: <>.*Action: failed" ok@world.example gone@refuses.example
seen "a delay" "Args: <>.*Action: delayed" somebody@slow.example

mail "no daemon" | sendmail_run -Am -C "$SENDMAIL/daemon.cf" -i \
	-f direct@test.example bob@world.example
ok "mail of sendmail -Am leaves" sink_message "no daemon"
like "and is seen as well" "$(logged 'from=<direct@')" "action=accept .*class=local"

posternd_stop
mail "while it is away" | sendmail_run -Am -C "$SENDMAIL/daemon.cf" -i \
	-f away@test.example gone@refuses.example
sleep 1
like "without posternd it waits" "$(sendmail_queue)" \
	"<?away@test.example>?.*Deferred: 451 4.3.2 "
posternd_start
sendmail_queue_run
ok "and so does not get lost: the notice leaves later" \
	sink_message "X-Rcpt-Args: <away@test.example>"
like "seen" "$(grep class=notice "$W/log/posternd" | tail -n 1)" "from=<> "
is "no message went round in a loop" "$(sendmail_logged 'Too many hops|loops back')" ""
done_testing
