package runbooks

import "strings"

// endless tells whether a program runs until it is stopped.
func endless(inv invocation) bool {
	switch inv.name {
	case "watch", "yes", "stern", "kubetail", "top", "htop", "btop", "k9s":
		return inv.name != "top" || !hasLetter(inv.args, 'n') && !hasLetter(inv.args, 'b') && !hasLetter(inv.args, 'l')
	case "kubectl", "oc":
		positional, options, _ := inv.kubectlArgs()
		if len(positional) == 0 {
			return false
		}
		switch positional[0].text {
		case "logs", "log":
			return follows(options)
		case "get", "events":
			return hasOption(options, "-w", "--watch", "--watch-only") && !hasOption(options, "--watch=false")
		case "port-forward", "proxy", "attach":
			return true
		}
	case "docker", "podman", "nerdctl", "crictl", "docker-compose", "podman-compose":
		i, verb := firstOperand(inv.args, dockerTakes)
		if verb == "compose" {
			rest := inv.args[i+1:]
			i, verb = firstOperand(rest, dockerTakes)
			return verb == "logs" && follows(rest[i+1:]) || verb == "events"
		}
		switch verb {
		case "logs":
			return follows(inv.args[i+1:])
		case "stats":
			return !hasOption(inv.args, "--no-stream")
		case "events", "attach":
			return true
		}
	case "tail":
		return hasOption(inv.args, "-f", "-F", "--follow") || hasLetter(inv.args, 'f') || hasLetter(inv.args, 'F')
	case "journalctl", "dmesg":
		return hasOption(inv.args, "-f", "--follow", "-w") || hasLetter(inv.args, 'f')
	case "redis-cli", "valkey-cli":
		if hasOption(inv.args, "--latency", "--latency-history", "--latency-dist", "--stat") {
			return true
		}
		for _, a := range inv.args {
			switch strings.ToUpper(a.text) {
			case "MONITOR", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE":
				return true
			}
		}
	case "ping":
		return !hasOption(inv.args, "-c", "-w", "-n") && !hasLetter(inv.args, 'c') && !hasLetter(inv.args, 'w')
	case "sleep":
		return len(inv.args) == 1 && (inv.args[0].text == "infinity" || inv.args[0].text == "inf")
	case "tcpdump":
		return !hasLetter(inv.args, 'c') && !hasLetter(inv.args, 'r')
	case "vmstat", "iostat", "mpstat", "sar", "pidstat":
		rest := operands(inv.args, "pdj")
		return len(rest) == 1 && isNumber(rest[0].text)
	case "aws":
		return hasOption(inv.args, "--follow")
	}
	return false
}

func follows(args []arg) bool {
	return hasOption(args, "-f", "--follow") && !hasOption(args, "--follow=false") || hasLetter(args, 'f')
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789.") == "" }

// interactive tells whether a program wants to talk with a person.
func interactive(inv invocation, fed bool) bool {
	if fed || inv.appended {
		return false
	}
	switch inv.name {
	case "psql":
		return !hasOption(inv.args, "-c", "--command", "-f", "--file", "-l", "--list", "--version", "-V", "--help", "-?") &&
			!hasLetter(inv.args, 'c') && !hasLetter(inv.args, 'l')
	case "mysql", "mariadb":
		return !hasOption(inv.args, "-e", "--execute", "--version", "-V") && !hasLetter(inv.args, 'e')
	case "mongo", "mongosh":
		return !hasOption(inv.args, "--eval", "--version", "--file", "-f")
	case "redis-cli", "valkey-cli":
		i, _ := firstOperand(inv.args, redisTakes)
		return i < 0 && !hasOption(inv.args, "--version", "-v", "--latency", "--latency-history", "--latency-dist", "--stat", "--scan",
			"--bigkeys", "--memkeys", "--hotkeys", "--rdb", "--pipe", "--eval", "--intrinsic-latency", "--cluster", "--lru-test", "--help")
	case "sh", "bash", "zsh", "dash", "ash", "ksh", "python", "python3", "node", "irb":
		return inv.script == nil && len(operands(inv.args, "ocmWX")) == 0 && !hasOption(inv.args, "--version", "-V", "-v", "-c", "--help", "-m")
	case "vi", "vim", "nvim", "nano", "emacs", "less", "more", "man", "tmux", "screen", "sqlplus", "telnet", "ftp", "sftp", "k9s", "htop", "btop", "visudo", "passwd":
		return !hasOption(inv.args, "--version", "-V", "--help")
	case "ssh":
		return inv.script == nil && len(inv.scripts) == 0 && !hasLetter(inv.args, 'N') && !hasLetter(inv.args, 'V') && !hasLetter(inv.args, 'f')
	case "su":
		return inv.script == nil
	case "sudo":
		return len(operands(inv.args, "ughprCtTUDR")) == 0 && (hasLetter(inv.args, 'i') || hasLetter(inv.args, 's'))
	case "kubectl", "oc":
		positional, options, _ := inv.kubectlArgs()
		if len(positional) == 0 {
			return false
		}
		switch positional[0].text {
		case "edit":
			return true
		case "attach", "run", "debug":
			return hasLetter(options, 'i') || hasOption(options, "--stdin")
		}
	case "crontab":
		return hasOption(inv.args, "-e")
	}
	return false
}

// wantsTTY tells whether a program is asked to allocate a terminal in a
// container.
func wantsTTY(inv invocation) bool {
	switch inv.name {
	case "kubectl", "oc":
		positional, options, _ := inv.kubectlArgs()
		if len(positional) == 0 {
			return false
		}
		switch positional[0].text {
		case "exec", "run", "attach", "debug":
			return hasLetter(options, 't') || hasOption(options, "--tty")
		}
	case "docker", "podman", "nerdctl", "crictl", "docker-compose", "podman-compose":
		i, verb := firstOperand(inv.args, dockerTakes)
		if verb == "compose" {
			return false // docker compose exec allocates one by itself, and drops it when captured
		}
		if verb == "exec" || verb == "run" {
			_, options, _ := words(inv.args[i+1:], dockerTakes)
			return hasLetter(options, 't') || hasOption(options, "--tty")
		}
	}
	return false
}
