#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# DKIM against two peers: what we sign verifies for libopendkim (dkim_tool
# verify) and for dkimpy, and what dkimpy signs verifies for us; odd mail and
# SMTPUTF8 included, RSA and Ed25519, all four canonicalizations.
set -u
tool=$builddir/test/tool/dkim_tool
python=/usr/bin/python3
"$python" -c 'import dkim, nacl.signing' 2>/dev/null || {
	echo "1..0 # SKIP needs python3-dkim and python3-nacl"
	exit 0
}
command -v openssl >/dev/null || {
	echo "1..0 # SKIP needs openssl"
	exit 0
}
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
"$python" - "$tool" "$W" <<'X'
import base64, os, subprocess, sys
import dkim, nacl.encoding, nacl.signing

tool, work = sys.argv[1:]
os.chdir(work)
os.umask(0o077)
count = failed = 0


def claim(is_fine, text, *details):
    global count, failed
    count += 1
    failed += not is_fine
    print(f"{'ok' if is_fine else 'not ok'} {count} - {text}", flush=True)
    if not is_fine:
        for line in '\n'.join(str(d) for d in details).splitlines()[:40]:
            print('#', line)


def run(arguments, text=b''):
    return subprocess.run(arguments, input=text, capture_output=True)


# ---- keys: RSA as PEM, Ed25519 as dknewkey(1) writes it
run(['openssl', 'genrsa', '-out', 'rsa.key', '2048'])
public = run(['openssl', 'rsa', '-in', 'rsa.key', '-pubout', '-outform', 'DER'])
seed = nacl.signing.SigningKey.generate()
with open('ed.key', 'w') as out:
    out.write(seed.encode(encoder=nacl.encoding.Base64Encoder).decode())
records = {
    'rsa._domainkey.example.com':
        'v=DKIM1; k=rsa; p=' + base64.b64encode(public.stdout).decode(),
    'ed._domainkey.example.com':
        'v=DKIM1; k=ed25519; p=' + seed.verify_key.encode(
            encoder=nacl.encoding.Base64Encoder).decode(),
}
with open('records', 'w') as out:
    for name, text in records.items():
        out.write(f'{name} {text}\n')
KEYS = {'rsa': ('./rsa.key', b'rsa-sha256'), 'ed': ('./ed.key', b'ed25519-sha256')}
CANONS = [(h, b) for h in ('simple', 'relaxed') for b in ('simple', 'relaxed')]


def answer(name, timeout=5):
    return records.get(name.decode().rstrip('.'), '').encode()


# ---- mail: \n here, CRLF for dkimpy
def mail(header=b'', body=b'Hello.\n', sender=b'Alice <alice@example.com>'):
    return (b'From: ' + sender + b'\nTo: bob@example.net\n' + header +
            b'\n' + body)


MAILS = {
    'plain': mail(b'Subject: hello\n'),
    'odd folds': mail(b'Subject: a\n \n\tb\n  c\n\t d\nCc:\n c@d.example,\n'
                      b'\t\te@f.example\nReply-To: \t x@y.example \t \n'),
    'a fold with nothing behind it': mail(b'Subject: x\n \n'),
    '8 bits in header and body': mail(
        b'Subject: B\xc3\xb6b \xff\xfe\xa0\n', b'\xe9\xa0\xff \xc3\xa9\n\x80\n'),
    'long lines': mail(b'Subject: ' + b'x' * 2000 + b'\n',
                       (b'y' * 5000 + b' ') * 9 + b'\n'),
    'SMTPUTF8': mail(b'Subject: \xd0\xbf\xd1\x80\xd0\xb8\n',
                     sender='J\u00f6rg <j\u00f6rg@b\u00fccher.example>'.encode()),
    'no final line end': mail(b'Subject: x\n', b'Hello'),
    'an empty body': mail(b'Subject: x\n', b''),
    'only empty lines': mail(b'Subject: x\n', b'\n\n\n'),
    'only blanks': mail(b'Subject: x\n', b' \t\n  \n'),
    'empty values': mail(b'Subject:\nCc: \nReply-To:\t\nDate:  \n'),
    'blanks at the ends': mail(b'Subject: x  \t\n', b'a  \nb\t\n \nc \t \n\n \n'),
    'runs of blanks': mail(b'Subject:  a   b\t\tc\n', b'  a  b\t\tc\n\t\n\td\n'),
    'dots and From': mail(b'Subject: .\n', b'.\n..\nFrom me\n>From\n'),
    'repeated fields': mail(b'Subject: 1\nTo: c@d.example\nSubject: 2\n'
                            b'Received: a\nReceived: b\n'),
    'upper case': (b'FROM: a@example.com\nTO: b@example.net\nSUBJECT: X\n'
                   b'MIME-VERSION: 1.0\nCONTENT-TYPE: text/plain\n\nx\n'),
    'many lines': mail(b'Subject: x\n', b''.join(
        b'line %d\n' % i + b'\n' * (i % 5) for i in range(20000))),
}


def verified_by_dkimpy(raw):
    d = dkim.DKIM(raw.replace(b'\n', b'\r\n'))
    return [d.verify(i, dnsfunc=answer) for i in range(2)]


def sign_ours(raw, canon):
    for selector, (path, _) in KEYS.items():
        said = run([tool, 'sign', 'example.com', selector, path,
                    'header=' + canon[0], 'body=' + canon[1], 'x=86400'], raw)
        if said.returncode != 0:
            return said.stderr
        raw = said.stdout
    return raw


for what, raw in MAILS.items():
    for canon in CANONS:
        signed = sign_ours(raw, canon)
        said = run([tool, 'verify', 'records'], signed)
        try:
            peer = verified_by_dkimpy(signed)
        except dkim.DKIMException as e:
            peer = e
        claim(said.returncode == 0 and said.stdout.count(b'pass ') == 2 and
              peer == [True, True],
              f'libopendkim and dkimpy verify ours: {what}, {"/".join(canon)}',
              said.stdout.decode(), peer, signed[:2000])


def sign_theirs(raw, canon):
    raw = raw.replace(b'\n', b'\r\n')
    names = {line.split(b':')[0].lower()
             for line in raw.split(b'\r\n\r\n')[0].split(b'\r\n')
             if line[:1] not in (b' ', b'\t')} - {b'received'}
    for selector, (path, algorithm) in KEYS.items():
        with open(path, 'rb') as key:
            field = dkim.DKIM(raw, signature_algorithm=algorithm).sign(
                selector.encode(), b'example.com', key.read(),
                canonicalize=tuple(c.encode() for c in canon),
                include_headers=sorted(names - {b'dkim-signature'}) + [b'from'])
        raw = field + raw
    return raw.replace(b'\r\n', b'\n')


for what, raw in MAILS.items():
    for canon in CANONS:
        said = run([tool, 'verify', 'records'], sign_theirs(raw, canon))
        claim(said.returncode == 0 and said.stdout.count(b'pass ') == 2,
              f'we verify dkimpy\'s: {what}, {"/".join(canon)}',
              said.stdout.decode(), said.stderr.decode())

# ---- i= with what is not ASCII, and what breaks a signature
identity = 'j\u00f6rg;=@sub.example.com'
said = run([tool, 'sign', 'example.com', 'rsa', './rsa.key',
            'identity=' + identity], MAILS['plain'])
d = dkim.DKIM(said.stdout.replace(b'\n', b'\r\n'))
claim(d.verify(dnsfunc=answer) and
      run([tool, 'verify', 'records'], said.stdout).returncode == 0,
      'both verify an i= beyond ASCII', said.stdout[:1000])
signed = sign_ours(MAILS['plain'], ('relaxed', 'relaxed'))
for what, old, new in [('body', b'Hello', b'Hallo'),
                       ('subject', b'hello', b'hullo'),
                       ('From on top', b'From:', b'From: x@y.example\nFrom:'),
                       ('From below', b'\n\n', b'\nFrom: x@y.example\n\n'),
                       ('added Cc', b'\n\n', b'\nCc: x@y.example\n\n')]:
    broken = signed.replace(old, new, 1)
    said = run([tool, 'verify', 'records'], broken)
    try:
        peer = verified_by_dkimpy(broken)
    except dkim.ValidationError:
        peer = [False, False]
    claim(b'pass' not in said.stdout and peer == [False, False],
          f'neither verifies a changed mail: {what}', said.stdout, peer)
print(f'1..{count}')
sys.exit(failed != 0)
X
