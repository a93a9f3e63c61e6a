#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a receiver will think, through a real Postfix and a real name server:
# signatures that verify at the sink, verdicts in the log, forged results removed,
# and what postern preflight says of it.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/dns.sh"
. "$(dirname "$0")/lib/dkim.sh"
needs postfix nsd openssl /usr/bin/python3

mkdir -p "$W/dns"
dkim_keys_make test.example rsa2026 ed2026 || bail "keys are made"
cat >"$W/dns/test.example.zone" <<X
@ TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all"
@ MX 10 mail
mail A 192.0.2.1
mail AAAA 2001:db8::1
mail TXT "v=spf1 a -all"
_dmarc TXT "v=DMARC1; p=reject"
$(dkim_record rsa2026)
$(dkim_record ed2026)
X
cat >"$W/dns/bank.example.zone" <<X
@ TXT "v=spf1 ip4:203.0.113.9 -all"
@ MX 10 mail
_dmarc TXT "v=DMARC1; p=reject"
X
cat >"$W/dns/half.example.zone" <<X
@ TXT "v=spf1 ip4:192.0.2.1 ~all"
@ A 192.0.2.9
_dmarc TXT "v=DMARC1; p=none"
X
cat >"$W/dns/2.0.192.in-addr.arpa.zone" <<X
1 PTR mail.test.example.
X
dns_start || bail "nsd starts"
DNS="{\"$DNS\"}"
gate_with_postfix 'egress-addresses = {"192.0.2.1", "2001:db8::1"}' \
	'helo-name = "mail.test.example"' \
	"dkim-key-table = \"$W/dkim/KeyTable\"" \
	"dkim-signing-table = \"refile:$W/dkim/SigningTable\"" \
	"login-map = {\"$W/dkim/logins\"}" "rules = {\"$srcdir/rules\", \"$W/postern/rules\"}"
postfix_user bob

# ---- signed, and judged by what will be there

said=$(mail "a good day" | send -l alice)
like "our own mail is taken" "$said" "^250 "
line=$(verdict_of "$said")
like "it passes for both addresses, signed twice" "$line" \
	"spf=pass dkim=none dmarc=pass preflight=pass sign=test.example:rsa2026,test.example:ed2026 "
sink_message "a good day"
sink_original "$got" >"$W/signed"
is "there are two signatures" "$(grep -c '^DKIM-Signature:' "$W/signed")" 2
dkim_verified "they verify with dkimpy, as they arrived" "$W/signed" 2
out=$(postern scan --json "$W/signed")
is "and with us" "$(json_of "$out" '[s["result"] for s in o["auth"]["dkim"]]')" \
	"['pass', 'pass']"
is "the RSA one is aligned" \
	"$(json_of "$out" 'sorted(s["alignment"] for s in o["auth"]["dkim"])')" \
	"['strict', 'strict']"
sed 's/minutes/hours/' "$W/signed" >"$W/changed"
out=$(postern scan --json "$W/changed")
is "not when the body has changed" \
	"$(json_of "$out" '[s["result"] for s in o["auth"]["dkim"]]')" "['fail', 'fail']"

# ---- what a receiver would refuse

said=$(mail "your account" | sed 's/^From: .*/From: Bank <service@bank.example>/' |
	send -l alice)
line=$(verdict_of "$said")
like "a foreign name is seen" "$line" "preflight=fail_reject because=.*bank.example.*v=DMARC1"
like "not signed, because the login may not be that" "$line" " sign=no:login "
like "and scored" "$line" "LOGIN_FORGES:.*PREFLIGHT_FAIL_REJECT:"
said=$(mail "from half" | sed 's/^From: .*/From: a@half.example/' |
	send -l bob -f a@half.example)
line=$(verdict_of "$said")
like "the worst of our addresses counts" "$line" \
	"spf=softfail .* preflight=fail_none because=.*2001:db8::1.* sign=no:no-key "
said=$(mail "a notice" | sed '1s/.*/From: MAILER-DAEMON@mail.test.example/' | send -l bob -f '')
like "the null sender is judged by the MTA's name" "$(verdict_of "$said")" \
	"from=<> .*spf=pass dkim=none dmarc=pass preflight=pass"
said=$(mail "twice" | sed '1p' | send -l alice)
like "two From fields are a form" "$(verdict_of "$said")" "preflight=form"

# ---- results under our name

{
	printf 'Authentication-Results: mail.test.example; spf=pass\n'
	printf 'Authentication-Results: elsewhere.example; spf=pass\n'
	printf 'Authentication-Results: (x (y)) "MAIL.test.example" 1; dkim=pass\n'
	printf 'Authentication-Results: mail.test.example.evil.example; spf=pass\n'
	mail "forged results"
} | send -l alice >/dev/null
sink_message "forged results"
is "results of our name are removed, others stay" \
	"$(grep -a '^Authentication-Results' "$got")" \
	"Authentication-Results: elsewhere.example; spf=pass
Authentication-Results: mail.test.example.evil.example; spf=pass"
is "and none are added" "$(sink_find 'a good day' | xargs grep -c '^Authentication-Results')" 0

# ---- held mail is signed when it leaves

said=$(mail "hold me" | send -l alice)
id=$(verdict_of "$said")
id=${id##*id=}
ok "it is released" postern quarantine release "$id"
sink_message "hold me"
sink_original "$got" >"$W/released"
dkim_verified "and signed then" "$W/released" 2

# ---- postern preflight

out=$(postern preflight test.example)
is "preflight of a domain that is right exits 0" $? 0
like "and says so" "$out" "pass: DKIM d=test.example is aligned"
like "each address is there" "$out" "SPF +test.example from 2001:db8::1 +pass"
like "and its name" "$out" "reverse DNS +192.0.2.1 +pass +mail.test.example"
like "each key with its file" "$out" \
	"DKIM +rsa2026._domainkey.test.example +matches +rsa, $W/dkim/rsa2026.pem"
like "or that it has none" "$out" "reverse DNS +2001:db8::1 +none"
out=$(postern preflight a@bank.example)
is "of one that refuses us, 1" $? 1
like "with the SPF record to publish" "$out" \
	'bank.example. 3600 IN TXT "v=spf1 .*ip4:192.0.2.1.* ip6:2001:db8::1.* -all"'
postern preflight --json half.example >"$W/half.json"
is "of one that only watches, 0" $? 0
is "as JSON" "$(json_of "$(cat "$W/half.json")" 'o["verdict"], o["refused"]')" \
	"('fail_none', False)"
text=$(json_of "$(cat "$W/half.json")" 'o["publish"][0]["text"]')
sed -i "s/^@ TXT .*/@ TXT \"$text\"/" "$W/dns/half.example.zone"
dns_reload
wait_for 10 nsd_says half.example "2001:db8::1"
out=$(postern preflight half.example)
like "what it says to publish helps" "$out" "SPF +half.example from 2001:db8::1 +pass"
postern preflight nowhere.example >"$W/said"
is "a domain that does not exist would be refused" $? 1
postern preflight 'no domain' 2>"$W/said"
is "what is no domain is wrong usage" $? 2

# ---- a key that is not the published one

sed -i "s/^rsa2026._domainkey .*/rsa2026._domainkey TXT \"v=DKIM1; p=\"/; /^ed2026/d" \
	"$W/dns/test.example.zone"
dns_reload
wait_for 10 nsd_says rsa2026._domainkey.test.example 'p="'
out=$(postern preflight test.example)
like "a revoked key is told" "$out" "DKIM +rsa2026._domainkey.test.example +revoked"
like "a missing one too" "$out" "DKIM +ed2026._domainkey.test.example +missing"
like "with what to publish, in pieces that fit" "$out" \
	'rsa2026._domainkey.test.example. 3600 IN TXT \( "v=DKIM1; [^"]{240,251}" "[^"]*" \)'
posternd_stop
posternd_start || bail "posternd starts again"
said=$(mail "alarm" | send -l alice)
like "the log has its state" "$(verdict_of "$said")" \
	"preflight=pass_spf_only .*sign=test.example:rsa2026:revoked,test.example:ed2026:missing "
logged "DKIM key rsa2026._domainkey.test.example: the published record is revoked" >"$W/said"
is "and an alarm" $? 0
mail "alarm again" | send -l alice >/dev/null
sink_message "alarm again"
is "once" "$(grep -c 'DKIM key rsa2026.*revoked' "$W/log/posternd")" 1

# ---- who may write as whom

echo 'alice: @half.example' >"$W/dkim/logins"
postern reload >/dev/null
said=$(mail "map" | send -l alice)
like "the login map is read again" "$(verdict_of "$said")" "LOGIN_NOT_AUTHOR.* sign=no:login "

# ---- keys that only root can reach

chown root "$W/dkim" && chmod 700 "$W/dkim"
said=$("$POSTERND" -t -c "$CONF" 2>&1)
is "keys that posternd could not read again are an error at once" $? 1
like "that names them" "$said" "$W/dkim/"
chown "$POSTERND_USER" "$W/dkim"
chmod 644 "$W"/dkim/rsa2026.pem
said=$("$POSTERND" -t -c "$CONF" 2>&1)
is "so is a key that others can read" $? 1
like "with its line in the table" "$said" "$W/dkim/KeyTable:1: error: .*rsa2026.pem"
done_testing
