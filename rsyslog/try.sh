#!/bin/sh
# `make run`: a collector (the real rsyslogd), the bridge, one signed sample of
# each of the twelve event types, and the lines that arrived.  Stays until Ctrl-C
# and leaves no process behind.
#
#   ONCE=1           ends by itself once all lines are there; status 0 only then
#   TRY_DIRECTORY=D  where everything goes instead of var/
#   SIEMBRIDGE=F     another build than build/siembridge
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin # rsyslogd, for those who are not root

siembridge=${SIEMBRIDGE:-build/siembridge}
directory=${TRY_DIRECTORY:-$PWD/var}
config=$directory/siembridge.yaml
secret=$directory/secret
lines=$directory/collector/events.log
collector=
bridge=

fail() {
	echo "try: $*" >&2
	exit 1
}

# shellcheck disable=SC2317 # called by the trap
stop() {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	[ -z "$bridge" ] || kill "$bridge" 2>/dev/null || true
	[ -z "$collector" ] || kill "$collector" 2>/dev/null || true
	wait
	exit "$status"
}
trap stop EXIT
status_of_interrupt=130 # until all has been shown: then Ctrl-C is the way to end it
trap 'exit "$status_of_interrupt"' INT TERM HUP

listening() { # PORT: is anybody, at any address, over IPv4 or IPv6?
	pattern=$(printf '^ *[0-9]*: [0-9A-F]*:%04X [0-9A-F:]* 0A ' "$1")
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -q "$pattern"
}

free_port() { # PORT: it, or the next one that is free
	port=$1
	while listening "$port"; do
		port=$((port + 1))
	done
	echo "$port"
}

until_true() { # WHAT COMMAND...: within 15 s, while both processes live
	what=$1
	shift
	tries=150
	while ! "$@"; do
		kill -0 "$collector" || fail "rsyslogd ended, see $directory/collector/rsyslogd.log"
		[ -z "$bridge" ] || kill -0 "$bridge" || {
			cat "$directory/bridge.log" >&2
			fail "the bridge ended"
		}
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "$what: not within 15 s, see $directory/bridge.log"
		sleep 0.1
	done
}

make_certificate() {
	[ -f "$directory/key.pem" ] && return
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout "$directory/key.pem" -out "$directory/cert.pem" 2>/dev/null ||
		fail 'openssl could not make a certificate'
}

make_secret() {
	[ -f "$secret" ] || echo "whsec_$(openssl rand -base64 24)" >"$secret"
}

write_config() {
	cat >"$config" <<-END
		# Written anew by each \`make run\`.
		listen:
		  address: 127.0.0.1:$listen_port
		  certificate: $directory/cert.pem
		  private_key: $directory/key.pem
		spool:
		  directory: $directory/spool
		sources:
		  - name: anyint
		    path: /webhooks/anyint
		    signature: standard-webhooks
		    secrets: [$secret]
		destinations:
		  - name: siem-cef
		    format: cef
		    syslog: {address: "127.0.0.1:$collector_port", transport: tcp}
		  - name: siem-rfc5424
		    format: rfc5424
		    syslog: {address: "127.0.0.1:$collector_port", transport: tcp}
	END
}

# A request that signs itself when it is pasted, since a signature holds for 5 minutes.
write_curl() {
	cat >"$directory/curl.sh" <<-END
		id=msg_\$(date +%s%N); now=\$(date +%s)
		body='{"type":"key.disabled","data":{"actor":{"email":"me@example.com"},"api_key":{"id":"key_77"}}}'
		key=\$(sed 's/^whsec_//' $secret | base64 -d | od -An -v -tx1 | tr -d ' \\n')
		signature=\$(printf %s "\$id.\$now.\$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:\$key" -binary | base64)
		curl --cacert $directory/cert.pem -w '%{http_code}\\n' https://localhost:$listen_port/webhooks/anyint \\
		  -H 'content-type: application/json' -H "webhook-id: \$id" -H "webhook-timestamp: \$now" \\
		  -H "webhook-signature: v1,\$signature" -d "\$body"
	END
}

start_collector() {
	COLLECTOR_PORT=$collector_port COLLECTOR_DIRECTORY=$directory/collector COLLECTOR_FILE=$lines \
		rsyslogd -n -f rsyslog/collector.conf -i "$directory/collector/rsyslogd.pid" \
		>"$directory/collector/rsyslogd.log" 2>&1 &
	collector=$!
	until_true "the collector listens on port $collector_port" listening "$collector_port"
}

answers() {
	curl --silent --output /dev/null --max-time 2 --cacert "$directory/cert.pem" \
		"https://localhost:$listen_port/"
}

start_bridge() {
	"$siembridge" run -c "$config" >"$directory/bridge.log" 2>&1 &
	bridge=$!
	until_true "the bridge answers on port $listen_port" answers
}

count() { # TEXT: lines that have it
	[ -f "$lines" ] || return 0
	grep -cF "$1" "$lines" || true
}

all_arrived() {
	[ "$(count 'CEF:0|')" = 12 ] && [ "$(count '[event@')" = 12 ]
}

umask 077
rm -rf "$directory/spool" "$directory/collector"
mkdir -p "$directory/spool" "$directory/collector"
listen_port=$(free_port 8443)
collector_port=$(free_port 6514)
make_certificate
make_secret
write_config
write_curl
start_collector
start_bridge

for type in $("$siembridge" send --list); do
	"$siembridge" send -c "$config" "$type" >>"$directory/send.log" 2>&1 || {
		tail -n 3 "$directory/send.log" >&2
		fail "could not send a sample of $type"
	}
done
until_true '12 events as CEF and 12 as RFC 5424 in the collector'\''s file' all_arrived

echo
echo 'As CEF:'
grep -F 'CEF:0|' "$lines"
echo
echo 'As RFC 5424:'
grep -F '[event@' "$lines"
cat <<-END

	12 events were posted, signed, to the bridge; rsyslogd got each as CEF and as RFC 5424.

	  endpoint          https://localhost:$listen_port/webhooks/anyint
	  secret            $secret
	  certificate       $directory/cert.pem
	  configuration     $config
	  collector's file  $lines
	  bridge's log      $directory/bridge.log

	One more event, to paste into another shell (it signs itself with the secret):

END
cat "$directory/curl.sh"
echo

if [ "${ONCE:-}" = 1 ]; then
	[ "$(sh "$directory/curl.sh" 2>/dev/null)" = 202 ] || fail 'the curl above was not answered 202'
	exit 0
fi
echo 'Ctrl-C stops both.'
status_of_interrupt=0
wait "$bridge" || fail "the bridge ended, see $directory/bridge.log"
