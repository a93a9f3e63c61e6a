# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# dns -- name servers on loopback: a real one, NSD, private in $W/nsd, and one
# that lies, test/tool/dns_liar.  Nothing in /etc is touched.

DNS_LIAR=${DNS_LIAR:-$builddir/test/tool/dns_liar}

# Zone NAME from $W/dns/NAME.zone (root.zone: the root), in which @ is NAME and
# a SOA may be missing, as zone files NSD reads; and the lines that name them.
dns_zones_write() {
	local file name
	[ -e "$W/dns/root.zone" ] || : >"$W/dns/root.zone"
	for file in "$W"/dns/*.zone; do
		name=$(basename "$file" .zone)
		[ "$name" != root ] || name=
		{
			# shellcheck disable=SC2016
			printf '$ORIGIN %s.\n$TTL 60\n' "$name"
			grep -qw SOA "$file" || echo \
				"@ SOA ns.invalid. root.invalid. 1 60 60 60 20"
			grep -qwE '^@.*NS' "$file" || echo "@ NS ns.invalid."
			cat "$file"
		} >"$NSD/zone.$name"
		printf 'zone:\n  name: "%s."\n  zonefile: "zone.%s"\n' "$name" \
			"$name"
	done
}

# dns_start: serve the zones of $W/dns; any other name is NXDOMAIN.  $DNS is how
# posternd names this server.
dns_start() {
	needs nsd
	NSD=$W/nsd
	mkdir -p "$NSD" "$W/dns"
	port_free; DNS_PORT=$port
	DNS=127.0.0.1@$DNS_PORT
	cat >"$NSD/nsd.conf" <<-X
	server:
	  ip-address: $DNS
	  server-count: 1
	  username: ""
	  chroot: ""
	  database: ""
	  zonesdir: "$NSD"
	  pidfile: "$NSD/nsd.pid"
	  xfrdfile: "$NSD/xfrd.state"
	  zonelistfile: "$NSD/zone.list"
	remote-control:
	  control-enable: no
	$(dns_zones_write)
	X
	process_start nsd nsd -d -c "$NSD/nsd.conf"
	NSD_PID=$process
	wait_for 20 port_is_open "$DNS_PORT"
}

# dns_reload: after a change in $W/dns/*.zone that adds no zone.  Answers that
# somebody keeps are good for another minute.
dns_reload() {
	dns_zones_write >/dev/null
	kill -HUP "$NSD_PID"
}

dns_stop() {
	process_stop "$NSD_PID"
}

# liar_start [ZONEFILE...]: a server that answers as test/tool/liar.h says; $LIAR
# is how posternd names it.
liar_start() {
	[ -x "$DNS_LIAR" ] || skip_all "needs test/tool/dns_liar"
	port_free; LIAR_PORT=$port
	LIAR=127.0.0.1@$LIAR_PORT
	process_start dns_liar "$DNS_LIAR" "$LIAR_PORT" "$@"
	LIAR_PID=$process
	wait_for 20 port_is_open "$LIAR_PORT"
}

liar_stop() {
	process_stop "$LIAR_PID"
}
