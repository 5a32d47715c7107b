# bash completion for siembridge(8).
#
# Commands and options are what the binary itself says (--help), so that they
# are never out of date; names of sources and destinations are those of the
# configuration.

# The configuration of the command line that is being typed, or the default.
_siembridge_config() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --config) printf '%s\n' "${COMP_WORDS[i + 1]}" && return ;;
		esac
	done
	echo /etc/siembridge/siembridge.yaml
}

# _siembridge_names sources|destinations
_siembridge_names() {
	awk -v section="$1:" '
		/^[a-z]/ { inside = ($1 == section) }
		inside && match($0, /^ *- *\{? *name: *"?[A-Za-z0-9._-]+/) {
			name = substr($0, RSTART, RLENGTH)
			sub(/.*name: *"?/, "", name)
			print name
		}' "$(_siembridge_config)" 2>/dev/null
}

_siembridge() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]}
	local before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words=
	COMPREPLY=()

	if ((COMP_CWORD == 1)); then
		words="$("$program" --help 2>/dev/null |
			sed -n 's/^  siembridge \([a-z][a-z]*\) .*/\1/p') help --help --version"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	case $command:$before in
	init:-d | init:--directory | *:--spool)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	*:-c | *:--config | *:--data | *:--file | *:--ca-file | *:--certificate | *:--private-key | *:--secret-from | *:--token-from)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	*:-d | *:--destination) words=$(_siembridge_names destinations) ;;
	*:--source) words=$(_siembridge_names sources) ;;
	*:--type) words=$("$program" send --list 2>/dev/null) ;;
	*:--status) words='pending delivered dead not-routed' ;;
	*:--sender) words='anyint github stripe slack shopify svix generic token' ;;
	*:--transport) words='tcp tls relp relp-tls udp' ;;
	*:--collector) words='rsyslog syslog-ng sc4s splunk sentinel qradar arcsight elastic' ;;
	*:--log-format) words='auto text logfmt json' ;;
	render:-f | *:--format)
		words='cef cef1 cef-3164 rfc5424 rfc3164 leef leef2 leef-3164 ecs ocsf json'
		;;
	*)
		case $command:$COMP_CWORD in
		dead:2) words='list show replay drop' ;;
		spool:2) words='check salvage export' ;;
		events:2) words='show' ;;
		help:2) words=$("$program" --help | sed -n 's/^  siembridge \([a-z][a-z]*\) .*/\1/p') ;;
		esac
		case $word in
		-*) words="$("$program" "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z_-]+' | sort -u) --help" ;;
		*)
			case $command in
			probe) words=$(_siembridge_names destinations) ;;
			send) words=$("$program" send --list 2>/dev/null) ;;
			render | reconcile | spool) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
			esac
			;;
		esac
		;;
	esac
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o filenames -F _siembridge siembridge
