#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The Debian package: lintian is silent, and in a Debian of its own, with its own
# systemd and no network, it is installed beside rspamd, works after the one line
# that README.Debian says, is upgraded, removed and purged.  `make deb-check`.
set -u
: "${srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}" "${builddir:=$srcdir/build}"
folder=${DEB_FOLDER:-$builddir/deb}
for thing in mmdebstrap systemd-nspawn lintian; do
	command -v $thing >/dev/null || {
		echo "1..0 # SKIP needs $thing: apt install $(sed -n \
			's/^package: *//p' "$srcdir/scripts/packages" | xargs)"
		exit 0
	}
done
[ "$(id -u)" = 0 ] || {
	echo "1..0 # SKIP needs root"
	exit 0
}
W=$(mktemp -d "${TMPDIR:-/tmp}/postern-deb.XXXXXX")
chmod 755 "$W"
trap '[ -n "${KEEP_WORKSPACE-}" ] || rm -rf "$W"' EXIT
deb=$(ls "$folder"/postern_*.deb)

# The same, with a rule changed and a number that is higher.
newer_deb() {
	dpkg-deb -R "$deb" "$W/newer" &&
		sed -i 's/^Version: .*/&+newer/' "$W/newer/DEBIAN/control" &&
		echo "# changed by the newer package" \
			>>"$W/newer/etc/postern/rules/30_phish.cf" &&
		echo "# changed by the newer package" \
			>>"$W/newer/etc/postern/rules/local.cf" &&
		dpkg-deb --root-owner-group -b "$W/newer" "$W/share/newer.deb"
}

# What is put into the new Debian.
share_fill() {
	mkdir "$W/share"
	cp "$deb" "$W/share/postern.deb"
	cp "$srcdir/test/package/inside" "$srcdir"/scripts/demo-mail/*.eml "$W/share/"
	printf 'postfix postfix/%s\n' 'main_mailer_type select Local only' \
		'mailname string mail.test.example' >"$W/answers"
	cat >"$W/share/later" <<-'X'
	cd /var/cache/apt/archives &&
	apt-get install -y --no-install-recommends --download-only /share/postern.deb &&
	apt-get install -y --download-only libvectorscan5 rspamd- libhyperscan5- &&
	apt-get download postfix
	X
	cat >"$W/inside.service" <<-'X'
	[Unit]
	After=multi-user.target
	[Service]
	Type=exec
	ExecStart=/bin/bash /share/inside
	ExecStopPost=/bin/systemctl poweroff --force
	X
}

# A Debian with the MTA and the filter most hosts have, and all packages that the
# test installs later waiting in apt's cache.
debian_make() {
	local units=/etc/systemd/system
	mmdebstrap --variant=minbase --skip=cleanup/apt --dpkgopt=force-unsafe-io \
		--include=systemd,systemd-sysv,dbus,postfix,rspamd,procps \
		--essential-hook="chroot \$1 debconf-set-selections <$W/answers" \
		--customize-hook="mkdir -p \$1/share \$1$units/graphical.target.wants" \
		--customize-hook="cp $W/share/* \$1/share" \
		--customize-hook="cp $W/inside.service \$1$units" \
		--customize-hook="ln -s ../inside.service \$1$units/graphical.target.wants" \
		--customize-hook="chroot \$1 bash /share/later" \
		bookworm "$W/root"
}

said=$(lintian -I --pedantic --tag-display-limit 0 "$folder"/postern_*.changes 2>&1 |
	grep -v 'running with root privileges')
if [ -z "$said" ]; then
	echo "ok - lintian says nothing, not even pedantic"
else
	echo "not ok - lintian says nothing, not even pedantic"
	echo "# ${said//$'\n'/$'\n'# }"
fi >"$W/results"

share_fill
newer_deb >"$W/log" 2>&1 && debian_make >>"$W/log" 2>&1 || {
	tail -n 30 "$W/log" | sed 's/^/# /'
	echo "Bail out! no Debian could be made"
	exit 1
}
timeout "${DEB_TIME:-900}" systemd-nspawn -q -D "$W/root" --boot --register=no \
	--keep-unit --private-network --machine "postern-$$" \
	</dev/null >>"$W/log" 2>&1
cat "$W/root/share/results" >>"$W/results" 2>/dev/null
awk '/^(not )?ok - / {sub(/ - /, " " ++n " - ")} {print} /^not ok/ {bad = 1}
	/^# done/ {whole = 1} END {
	if (!whole) {print "not ok " ++n " - it came to its end"; bad = 1}
	print "1.." n; exit bad}' "$W/results"
status=$?
[ $status = 0 ] || {
	tail -n 40 "$W/root/share/log" | sed 's/^/# /'
	tail -n 10 "$W/log" | sed 's/^/# /'
}
exit $status
