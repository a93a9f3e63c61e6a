#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The systemd units allow what posternd, the nightly purge and the digest do: with
# their system calls and no others (any other kills), without privileges, mail is
# judged, held, spooled, asked about, remembered, told of; and no shell is ever run.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/dns.sh"
filter=$builddir/test/tool/syscall_filter
needs root setpriv systemd-analyze nsd
[ -x "$filter" ] || skip_all "needs libseccomp-dev"
! is_sanitized || skip_all "a sanitizer makes system calls of its own"

# The system calls of the groups and names given.
calls() {
	local name
	for name; do
		case $name in
		@*) calls $(systemd-analyze syscall-filter "$name" |
			sed -n 's/^    \([@a-z0-9_-]*\)$/\1/p') ;;
		*) echo "$name" ;;
		esac
	done
}

# What the unit $1 allows: its lines one after the other, as systemd.exec(5) says.
calls_of_unit() {
	local line
	calls @default >"$W/calls"
	while IFS= read -r line; do
		case $line in
		"~"*) calls ${line#\~} | grep -vxFf - "$W/calls" >"$W/fewer"
			mv "$W/fewer" "$W/calls" ;;
		*) calls $line >>"$W/calls" ;;
		esac
	done < <(sed -n 's/^SystemCallFilter=//p' "$srcdir/etc/$1")
	sort -u "$W/calls"
}

# as_unit UNIT PROGRAM WORD...: in the place of this shell.
as_unit() {
	local unit=$1
	shift
	exec setpriv --reuid "$POSTERND_USER" --regid "$(id -gn "$POSTERND_USER")" \
		--clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
		"$filter" $(calls_of_unit "$unit") -- "$@"
}

mkdir -p "$W/dns"
echo '@ TXT "v=spf1 -all"' >"$W/dns/sender.example.zone"
dns_start || bail "nsd starts"
DNS="{\"$DNS\"}"
posternd_configure 'egress-addresses = {"9.9.9.25"}' 'memory-limit = 64K' \
	'socket-group = ""' 'metrics-socket = "'"$W"'/postern/metrics.sock"' \
	'alert-command = "/bin/true"' 'alert-webhook = "http://127.0.0.1:1/"' \
	'alert-delay = 1s' 'alert-least = 1' 'alert-via = "smtp:127.0.0.1:1"' \
	'class submission { hold = 6 reject = 10 }'
ok "a call that is not allowed kills" eval \
	'(as_unit postern.service mount -t tmpfs none "$W") 2>/dev/null; [ $? -gt 128 ]'
(as_unit postern.service true)
is "true is allowed" $? 0

as_unit postern.service "$POSTERND" -f -c "$CONF" </dev/null >>"$W/log/posternd" 2>&1 &
POSTERND_PID=$!
process_list+=("$POSTERND_PID")
wait_for 20 posternd_answers
ok "posternd starts with what its unit allows" is_alive "$POSTERND_PID"
is "with a filter and no way back" "$(sed -nE \
	's/^(NoNewPrivs|Seccomp|CapBnd):\s*//p' "/proc/$POSTERND_PID/status" | xargs)" \
	"0000000000000000 1 2"
mail "good" >"$W/good"
mail "hold me" >"$W/hold"
mail "reject me" >"$W/reject"
is "it judges" "$(mclient_files "$W/good" "$W/hold" "$W/reject" -- --login alice \
	--repeat 3 | answers)" "accept discard reject"
is "it spools" "$(mclient --login alice --size 2000000 | answers)" accept
is "it remembers, and answers for a notice" "$(mclient --client 192.0.2.9 \
	--from stranger@elsewhere.example --rcpt alice@test.example | answers;
	sed 's/^MIME.*/Auto-Submitted: auto-replied/' "$W/good" >"$W/reply"
	mclient_files "$W/reply" -- --client 127.0.0.1:0 --from '' \
		--rcpt stranger@elsewhere.example | answers)" $'accept\naccept'
like "it asks the DNS" "$(logged 'class=submission .*spf=')" "spf=fail"
if [ -x /usr/bin/curl ]; then
	like "curl may try a webhook" "$(logged 'by webhook: ' 30)" "curl: exit status 7"
else
	skip "curl may try a webhook" "needs curl"
fi
ok "it reloads" postern reload
ok "it is asked" postern status
ok "it looks back" postern history
ok "the operator's command shows, as root" postern quarantine list
is "connections at once" "$(mclient --login alice --connections 20 --total 100 |
	answers | tr ' ' '\n' | sort | uniq -c | xargs)" "100 accept"
ok "the process of its ledger lives" [ "$(pgrep -c -P "$POSTERND_PID")" -ge 1 ]
ok "and posternd does" is_alive "$POSTERND_PID"
(as_unit postern-purge.service "$POSTERN_PROGRAM" -c "$CONF" quarantine purge)
is "the nightly purge ends well" $? 0
(as_unit postern-digest.service "$POSTERN_PROGRAM" -c "$CONF" digest --mail \
	--to root@localhost) 2>"$W/said"
like "the digest asks the MTA, which is not there" "$(cat "$W/said")" \
	"digest was not sent: .*connect to 127.0.0.1:1"
kill "$POSTERND_PID"
wait "$POSTERND_PID"
is "it ends well" $? 0

# ---- no shell

if command -v strace >/dev/null; then
	sed -i '/^alert-/d' "$CONF"
	cp /bin/true "$POSTERN/sendmail" && chmod 755 "$POSTERN/sendmail"
	printf '%s\n' "release-via = \"$POSTERN/sendmail -x\"" \
		"alert-command = \"$POSTERN/sendmail -y\"" 'alert-delay = 1s' >>"$CONF"
	strace -D -f -qq -s 400 -e trace=execve,execveat -o "$W/execs" \
		"$POSTERND" -f -c "$CONF" </dev/null >>"$W/log/posternd" 2>&1 &
	POSTERND_PID=$!
	process_list+=("$POSTERND_PID")
	wait_for 30 posternd_answers
	evil="\$(touch $W/pwned);\`touch $W/pwned\`|touch $W/pwned&"
	mail "hold me $evil" | sed "s,^From:.*,From: $evil <a@test.example>," >"$W/evil"
	mclient_files "$W/evil" -- --login "$evil" --from "\"$evil\"@test.example" \
		--rcpt "\"$evil\"@remote.example" --helo "$evil" --client-name "$evil" >/dev/null
	id=$(logged 'from=<[^ ]*touch' | sed 's/.* id=//')
	strace -D -f -qq -s 400 -e trace=execve,execveat -o "$W/released" \
		"$POSTERN_PROGRAM" -c "$CONF" quarantine release "$id" >"$W/said" 2>&1
	like "what is hostile was released" "$(cat "$W/said")" "$id"
	wait_for 20 grep -q '"-y"' "$W/execs"
	posternd_stop
	execs() {
		sed -nE 's/^[0-9]+ +execve(at)?\("([^"]*)".*/\2/p' "$@" | sort -u | xargs
	}
	is "posternd runs the program of an alert, and nothing else" \
		"$(execs "$W/execs")" "$(printf '%s\n' "$POSTERND" "$POSTERN/sendmail" | sort | xargs)"
	is "a release runs sendmail, and nothing else" "$(execs "$W/released")" \
		"$(printf '%s\n' "$POSTERN_PROGRAM" "$POSTERN/sendmail" | sort | xargs)"
	like "with the sender as one word" "$(cat "$W/released")" \
		'"-f", "[^ ]*touch .*", "--", "[^ ]*touch [^"]*'
	ok "nothing that mail said was done" [ ! -e "$W/pwned" ]
else
	skip "no shell is run" "needs strace"
fi
done_testing
