# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# dkim -- signing keys in $W/dkim with OpenDKIM's tables, their DNS records, and
# dkimpy as a peer that verifies.

# Debian's own, which has the packages.
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3

# dkim_keys_make DOMAIN RSA-SELECTOR [ED25519-SELECTOR]: keys that posternd may
# read, and tables; alice may write as anybody in DOMAIN.
dkim_keys_make() {
	DKIM_DOMAIN=$1
	local dir=$W/dkim selector
	mkdir -p "$dir"
	openssl genrsa -traditional -out "$dir/$2.pem" 2048 2>/dev/null || return 1
	[ -z "${3-}" ] ||
		openssl genpkey -algorithm ed25519 -out "$dir/$3.pem" || return 1
	for selector in "${@:2}"; do
		echo "$selector $1:$selector:$dir/$selector.pem" >>"$dir/KeyTable"
		echo "*@$1 $selector" >>"$dir/SigningTable"
	done
	echo "alice: @$1" >"$dir/logins"
	chown -R "$POSTERND_USER" "$dir"
	chmod 600 "$dir"/*.pem
}

# The line of a zone file for the key of selector $1.
dkim_record() {
	local key=$W/dkim/$1.pem type=rsa public
	public=$(openssl pkey -in "$key" -pubout -outform DER | base64 -w0)
	if grep -q 'BEGIN PRIVATE' "$key"; then
		type=ed25519
		public=$(openssl pkey -in "$key" -pubout -outform DER | tail -c 32 | base64 -w0)
	fi
	printf '%s._domainkey TXT "v=DKIM1; k=%s; " ' "$1" "$type"
	fold -w 200 <<<"p=$public" | sed 's/.*/"&"/' | xargs -d '\n'
}

# What the name server says of TXT $1 has $2 in it.
nsd_says() {
	$PYTHON - "$DNS_PORT" "$1" "$2" <<-'X'
	import sys, dns.message, dns.query
	port, name, want = sys.argv[1:]
	answer = dns.query.udp(dns.message.make_query(name, "TXT"), "127.0.0.1",
	    port=int(port), timeout=2)
	sys.exit(0 if want in answer.to_text() else 1)
	X
}

# dkim_verified CLAIM FILE N [RECORDS]: dkimpy verifies its first N signatures,
# by the keys in RECORDS, lines of "NAME TEXT", or by those of the name server.
dkim_verified() {
	if ! $PYTHON -c 'import dkim, nacl' 2>/dev/null; then
		skip "$1" "needs python3-dkim"
		return
	fi
	$PYTHON - "${DNS_PORT-0}" "$2" "$3" "${4-}" >"$W/said" 2>&1 <<-'X'
	import sys, dkim, dns.message, dns.query, dns.rdatatype
	port, path, n, records = sys.argv[1:]
	def txt(name, timeout=5):
	    name = name.decode() if isinstance(name, bytes) else name
	    if records:
	        return dict(line.rstrip("\n").split(" ", 1) for line in
	            open(records)).get(name.rstrip("."), "").encode()
	    query = dns.message.make_query(name, "TXT")
	    answer = dns.query.tcp(query, "127.0.0.1", port=int(port), timeout=5)
	    for rrset in answer.answer:
	        if rrset.rdtype == dns.rdatatype.TXT:
	            return b"".join(rrset[0].strings)
	data = open(path, "rb").read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
	results = [dkim.DKIM(data).verify(idx=i, dnsfunc=txt) for i in range(int(n))]
	print(results)
	sys.exit(0 if all(results) else 1)
	X
	result $? "$1" "$(cat "$W/said")"
}

# json_of TEXT EXPRESSION: the expression in Python, o is the object.
json_of() {
	$PYTHON -c 'import json, sys
o = json.loads(sys.argv[1].splitlines()[0])
print(eval(sys.argv[2]))' "$1" "$2"
}
