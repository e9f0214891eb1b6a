package runbooks

import (
	"strings"
)

// Programs whose first operands say what they do. A verb that is not listed is
// Unknown, or Changes where every verb of the program is known to.
func init() {
	known := map[string]program{
		"kubectl":   {decide: judgeKubectl},
		"oc":        {decide: judgeKubectl},
		"kubectx":   {decide: judgeContextSwitch},
		"kubens":    {decide: judgeContextSwitch},
		"kustomize": {risk: Unknown, verbs: verbs("reads: build version cfg", "changes: edit create")},
		"helm": {
			risk: Unknown, takes: optionSet("-n --namespace --kube-context --kubeconfig -f --values --set --version --revision -o --output --timeout --repo --max --history-max"),
			verbs: verbs("reads: list ls status history get show search template lint version env verify diff dependency+list dep+list repo+list plugin+list",
				"changes: install upgrade rollback repo+add repo+update dependency+update dependency+build pull push package create test",
				"destroys: uninstall delete un del repo+remove"),
			raises: map[string]Risk{"--post-renderer": Unknown, "--output-dir": Changes},
		},
		"docker": {decide: judgeDocker}, "podman": {decide: judgeDocker}, "nerdctl": {decide: judgeDocker},
		"docker-compose": {decide: judgeCompose}, "podman-compose": {decide: judgeCompose},
		"crictl": {risk: Unknown, takes: dockerTakes, verbs: verbs("reads: ps pods images image inspect inspecti inspectp logs stats statsp imagefsinfo info version events exec",
			"changes: stop stopp start pull create run runp update config", "destroys: rm rmi rmp")},
		"ctr": {risk: Unknown, takes: optionSet("-n --namespace -a --address"), verbs: verbs("reads: containers+ls container+ls c+ls images+ls image+ls i+ls tasks+ls task+ls t+ls version info plugins+ls",
			"destroys: containers+rm images+rm image+rm tasks+rm")},
		"git": {decide: judgeGit},
		"systemctl": {
			risk: Changes, takes: optionSet("-n --lines -o --output -t --type -p --property -H --host -M --machine --state -s --signal --kill-who"),
			verbs: verbs("reads: status is-active is-enabled is-failed is-system-running show cat list-units list-unit-files list-timers list-sockets list-dependencies list-jobs get-default help show-environment"),
		},
		"service":    {decide: judgeService},
		"rc-service": {decide: judgeService},
		"journalctl": {risk: Reads, raises: map[string]Risk{
			"--vacuum-size": Destroys, "--vacuum-time": Destroys, "--vacuum-files": Destroys, "--rotate": Changes,
			"--flush": Changes, "--sync": Changes, "--relinquish-var": Changes, "--setup-keys": Changes, "--update-catalog": Changes, "--cursor-file": Changes,
		}},
		"loginctl":    {risk: Changes, verbs: verbs("reads: list-sessions list-users session-status user-status show-session show-user")},
		"hostnamectl": {risk: Changes, verbs: verbs("reads: status")},
		"aws":         {decide: judgeAWS},
		"gcloud":      {decide: judgeCloud}, "az": {decide: judgeCloud}, "gsutil": {risk: Changes, verbs: verbs("reads: ls cat du stat hash version", "destroys: rm rb")},
		"terraform": {risk: Unknown, verbs: verbs("reads: plan show output validate version providers graph state+list state+show state+pull workspace+list workspace+show",
			"changes: apply import taint untaint refresh init fmt state+mv state+push workspace+new workspace+select force-unlock",
			"destroys: destroy state+rm workspace+delete"), raises: map[string]Risk{"-destroy": Destroys, "-out": Changes}},
		"etcdctl": {
			risk: Unknown, takes: optionSet("--endpoints --cacert --cert --key --user --password --dial-timeout --command-timeout -w --write-out"),
			verbs: verbs("reads: get endpoint+status endpoint+health endpoint+hashkv member+list alarm+list version snapshot+status lease+list lease+timetolive user+list role+list auth+status check+perf check+datascale",
				"changes: put member+add member+update member+promote alarm+disarm defrag move-leader snapshot+save lease+grant lock user+add role+add auth+enable auth+disable",
				"destroys: del compaction compact member+remove snapshot+restore lease+revoke user+delete role+delete"),
		},
		"promtool": {risk: Unknown, verbs: verbs("reads: check query test promql debug tsdb+analyze tsdb+list tsdb+dump", "changes: push tsdb+create-blocks-from")},
		"amtool": {
			risk: Unknown, takes: optionSet("--alertmanager.url --config.file --output -o --timeout"),
			verbs: verbs("reads: alert alert+query silence silence+query check-config config config+show config+routes cluster cluster+show template+render",
				"changes: alert+add silence+add silence+expire silence+update silence+import"),
		},
		"logcli": {risk: Reads, raises: map[string]Risk{"--merge-parts": Changes, "--part-path-prefix": Changes}, verbs: verbs("reads: query labels series instant-query stats volume fmt", "destroys: delete")},
		"istioctl": {risk: Unknown, verbs: verbs("reads: proxy-status ps proxy-config pc analyze version x+describe experimental+describe",
			"changes: install upgrade kube-inject tag admin", "destroys: uninstall")},
		"linkerd":    {risk: Unknown, verbs: verbs("reads: check version viz+stat viz+top viz+tap viz+edges")},
		"argocd":     {risk: Unknown, verbs: verbs("reads: app+list app+get app+diff app+history app+logs app+manifests app+resources version cluster+list repo+list", "changes: app+sync app+set app+create app+patch app+rollback app+terminate-op login", "destroys: app+delete app+delete-resource cluster+rm repo+rm")},
		"flux":       {risk: Unknown, verbs: verbs("reads: get check logs events tree trace version stats diff", "changes: reconcile suspend resume create bootstrap install", "destroys: delete uninstall")},
		"velero":     {risk: Unknown, takes: optionSet("-n --namespace"), verbs: verbs("reads: get describe version backup+get backup+describe backup+logs restore+get restore+describe restore+logs schedule+get schedule+describe", "changes: backup+create create schedule+create install backup-location", "destroys: restore+create delete backup+delete restore+delete schedule+delete uninstall")},
		"patronictl": {risk: Unknown, takes: optionSet("-c --config-file -d --dcs-url"), verbs: verbs("reads: list topology history show-config version dsn", "changes: restart reload pause resume switchover failover edit-config flush", "destroys: reinit remove query")},
		"pgbackrest": {risk: Unknown, verbs: verbs("reads: info check version help verify repo-ls repo-get", "changes: backup stanza-create start stop archive-push stanza-upgrade", "destroys: restore expire stanza-delete repo-rm")},
		"rabbitmqctl": {risk: Changes, takes: optionSet("-n --node -p --vhost -t --timeout"), verbs: verbs("reads: status list_queues list_connections list_channels list_consumers list_exchanges list_bindings list_users list_vhosts list_policies list_permissions cluster_status node_health_check environment report version ping",
			"destroys: reset force_reset purge_queue delete_queue delete_user delete_vhost forget_cluster_node")},
		"nodetool": {risk: Changes, takes: optionSet("-h --host -p --port -u --username -pw --password"), verbs: verbs("reads: status info ring tpstats tablestats cfstats compactionstats netstats gossipinfo describecluster version getendpoints proxyhistograms tablehistograms statusgossip statusbinary", "destroys: decommission removenode assassinate clearsnapshot truncatehints")},
		"ip":       {decide: judgeIP},
		"iptables": {decide: judgeIPTables}, "ip6tables": {decide: judgeIPTables},
		"nft":           {risk: Changes, verbs: verbs("reads: list", "destroys: flush delete")},
		"ufw":           {risk: Changes, verbs: verbs("reads: status version show", "destroys: reset delete")},
		"sysctl":        {decide: judgeSysctl},
		"nginx":         {risk: Unknown, raises: map[string]Risk{"-s": Changes}, decide: onlyOption(Changes, "-t", "-T", "-v", "-V")},
		"haproxy":       {risk: Unknown, decide: onlyOption(Unknown, "-c", "-v", "-vv")},
		"apachectl":     {risk: Changes, verbs: verbs("reads: configtest status fullstatus")},
		"supervisorctl": {risk: Changes, verbs: verbs("reads: status tail avail pid version")},
		"pm2":           {risk: Changes, verbs: verbs("reads: list ls status logs show describe jlist prettylist monit", "destroys: delete flush kill")},
		"apt":           {risk: Changes, verbs: verbs("reads: list show search policy")},
		"apt-get":       {risk: Changes}, "yum": {risk: Changes, verbs: verbs("reads: list info search repolist history")}, "dnf": {risk: Changes, verbs: verbs("reads: list info search repolist history")},
		"apt-cache": {risk: Reads},
		"dpkg":      {decide: onlyOption(Changes, "-l", "-L", "-s", "-S", "--list", "--status", "--listfiles", "--search", "--version")},
		"rpm":       {decide: judgeRPM},
		"snap":      {risk: Changes, verbs: verbs("reads: list info find services logs changes")},
		"openssl":   {decide: judgeOpenSSL},
		"redis-cli": {decide: judgeRedis}, "valkey-cli": {decide: judgeRedis},
		"psql":    {decide: judgePsql},
		"pg_dump": {risk: Reads, raises: map[string]Risk{"-f": Changes, "--file": Changes}}, "pg_dumpall": {risk: Reads, raises: map[string]Risk{"-f": Changes, "--file": Changes}},
		"pg_restore":        {decide: judgePgRestore},
		"pg_ctl":            {risk: Changes, takes: optionSet("-D --pgdata -o -l --log -m --mode -t --timeout"), verbs: verbs("reads: status")},
		"pg_ctlcluster":     {decide: judgeCtlCluster},
		"pg_lsclusters":     {risk: Reads},
		"pg_archivecleanup": {decide: judgeArchiveCleanup},
		"pg_amcheck":        {risk: Reads, raises: map[string]Risk{"--install-missing": Changes}},
		"pg_checksums":      {risk: Unknown, raises: map[string]Risk{"-e": Changes, "-d": Changes, "--enable": Changes, "--disable": Changes}, decide: onlyOption(Unknown, "-c", "--check")},
		"mysql":             {decide: judgeMySQL}, "mariadb": {decide: judgeMySQL},
		"mysqladmin": {risk: Changes, takes: optionSet("-u --user -h --host -P --port -S --socket"), verbs: verbs("reads: status ping processlist extended-status variables version", "destroys: drop flush-logs")},
		"mysqldump":  {risk: Reads, raises: map[string]Risk{"-r": Changes, "--result-file": Changes, "--tab": Changes, "-T": Changes, "-F": Changes, "--flush-logs": Changes, "--delete-master-logs": Destroys, "--delete-source-logs": Destroys}},
	}
	for name, p := range known {
		programs[name] = p
	}
	for _, name := range []string{"kafka-topics", "kafka-topics.sh", "kafka-consumer-groups", "kafka-consumer-groups.sh", "kafka-configs", "kafka-configs.sh"} {
		programs[name] = program{decide: judgeKafka}
	}
}

func judgeContextSwitch(inv invocation, _ bool) (Risk, string) {
	if len(inv.args) == 0 {
		return Reads, ""
	}
	return Changes, "points kubectl elsewhere"
}

func judgeDocker(inv invocation, fed bool) (Risk, string) {
	i, verb := firstOperand(inv.args, dockerTakes)
	if verb == "compose" {
		inner := inv
		inner.args = inv.args[i+1:]
		return judgeCompose(inner, fed)
	}
	if verb == "exec" {
		if len(startDocker(&inv)) == 0 || inv.appended {
			return Unknown, "runs what cannot be told in a container"
		}
		return Reads, ""
	}
	p := program{risk: Unknown, takes: dockerTakes, verbs: verbs(
		"reads: ps logs inspect images stats version info top port diff history events search image+ls image+list image+inspect image+history container+ls container+list container+ps container+inspect container+logs container+stats container+top volume+ls volume+list volume+inspect network+ls network+list network+inspect system+df system+info system+events node+ls node+inspect node+ps service+ls service+ps service+inspect service+logs stack+ls stack+ps stack+services context+ls context+show swarm+ca",
		"changes: start stop restart kill pause unpause rename update pull push tag commit build cp create load import save export login logout wait attach container+start container+stop container+restart container+kill container+update network+connect network+disconnect network+create volume+create service+create service+update service+scale service+rollback stack+deploy node+update swarm+join context+use",
		"destroys: rm rmi container+rm container+prune image+rm image+prune volume+rm volume+prune network+rm network+prune system+prune builder+prune service+rm stack+rm node+rm swarm+leave secret+rm config+rm")}
	risk := p.byVerb(inv)
	return risk, "docker " + verb + " " + verbFor(risk)
}

func judgeCompose(inv invocation, _ bool) (Risk, string) {
	i, verb := firstOperand(inv.args, dockerTakes)
	if verb == "exec" {
		if len(execRest(inv.args[i+1:])) == 0 || inv.appended {
			return Unknown, "runs what cannot be told in a container"
		}
		return Reads, ""
	}
	p := program{risk: Unknown, takes: dockerTakes, verbs: verbs(
		"reads: ps logs config images top events port version ls stats",
		"changes: up start stop restart kill pause unpause pull push build create scale cp watch",
		"destroys: down rm")}
	risk := p.byVerb(inv)
	return risk, "compose " + verb + " " + verbFor(risk)
}

func judgeGit(inv invocation, _ bool) (Risk, string) {
	i, verb := firstOperand(inv.args, optionSet("-C --git-dir --work-tree --namespace"))
	if hasOption(inv.args[:max(i, 0)], "-c", "--config-env", "--exec-path") || i < 0 || inv.appended && verb != "log" {
		return Unknown, "runs git with settings of its own"
	}
	rest := inv.args[i+1:]
	for _, a := range rest {
		if a.dynamic() && !a.quotedWhole() || strings.HasPrefix(a.text, "--output") || strings.HasPrefix(a.text, "--ext-diff") || strings.HasPrefix(a.text, "--upload-pack") || strings.HasPrefix(a.text, "--open-files") || verb == "grep" && a.is("-O") {
			return Unknown, "may write a file or start a program"
		}
	}
	switch verb {
	case "status", "log", "diff", "show", "blame", "describe", "rev-parse", "rev-list", "ls-files", "ls-tree", "ls-remote", "shortlog", "cat-file", "grep", "reflog", "version", "whatchanged", "name-rev", "merge-base", "cherry", "count-objects", "fsck":
		if verb == "reflog" && len(rest) > 0 && (rest[0].text == "expire" || rest[0].text == "delete") {
			return Destroys, "drops what could be recovered"
		}
		return Reads, ""
	case "branch", "tag", "remote", "stash", "worktree":
		if hasOption(rest, "-d", "-D", "--delete") || len(rest) > 0 && (rest[0].text == "drop" || rest[0].text == "clear" || rest[0].text == "remove" || rest[0].text == "rm") {
			return Destroys, "removes a " + verb
		}
		if len(rest) == 0 && verb != "stash" || len(rest) == 1 && (rest[0].text == "-a" || rest[0].text == "-v" || rest[0].text == "-vv" || rest[0].text == "-r" || rest[0].text == "-l" || rest[0].text == "--list" || rest[0].text == "list") {
			return Reads, ""
		}
	case "reset", "clean", "checkout", "restore", "push", "filter-branch", "gc", "prune", "rebase":
		if hasOption(rest, "--hard", "-f", "--force", "--force-with-lease", "--delete", "-fd", "-fdx", "-xdf", "--mirror") || hasLetter(rest, 'f') || verb == "filter-branch" || verb == "restore" || verb == "prune" {
			return Destroys, "throws work away"
		}
	case "config":
		if hasOption(rest, "--get", "--get-all", "--list", "-l", "--get-regexp") {
			return Reads, ""
		}
	case "add", "commit", "switch", "pull", "fetch", "merge", "clone", "init", "revert", "cherry-pick", "mv", "am", "apply", "format-patch", "notes":
	case "rm":
		return Destroys, "removes files"
	default:
		return Unknown, "git " + verb + " is not known"
	}
	return Changes, "changes the repository"
}

func judgeService(inv invocation, _ bool) (Risk, string) {
	if len(inv.args) == 1 && inv.args[0].text == "--status-all" || len(inv.args) == 2 && inv.args[1].text == "status" {
		return Reads, ""
	}
	return Changes, "starts, stops or reloads a service"
}

func judgeIP(inv invocation, _ bool) (Risk, string) {
	operands, options, _ := words(inv.args, optionSet("-n -netns --netns -f --family"))
	if hasOption(options, "-b", "-batch", "--batch", "-force") {
		return Unknown, "takes its commands from a file"
	}
	if len(operands) == 1 {
		return Reads, ""
	}
	for _, o := range operands {
		if !o.static {
			return Unknown, "has arguments that cannot be told"
		}
	}
	if len(operands) > 1 {
		switch verb := operands[1].text; {
		case verb == "show", verb == "sh", verb == "list", verb == "ls", verb == "lst", verb == "get", verb == "monitor":
			return Reads, ""
		case verb == "flush", strings.HasPrefix("delete", verb) && len(verb) >= 3:
			return Destroys, "removes addresses, routes or links"
		case operands[0].text == "netns" && verb == "exec":
			return Unknown, "starts a program in another network"
		}
	}
	return Changes, "changes the network"
}

func judgeIPTables(inv invocation, _ bool) (Risk, string) {
	for _, a := range inv.args {
		switch {
		case a.dynamic():
			return Unknown, "has an argument that may turn out to be an option"
		case a.text == "-F", a.text == "--flush", a.text == "-X", a.text == "--delete-chain", a.text == "-D", a.text == "--delete":
			return Destroys, "removes firewall rules"
		}
	}
	if hasOption(inv.args, "-L", "--list", "-S", "--list-rules", "-C", "--check", "-nL", "-vnL", "-nvL", "-Ln", "-Lnv", "-Lvn") && !hasOption(inv.args, "-Z", "--zero") {
		return Reads, ""
	}
	return Changes, "changes firewall rules"
}

func judgeSysctl(inv invocation, _ bool) (Risk, string) {
	if hasOption(inv.args, "-p", "--load", "--system", "-w", "--write") || hasLetter(inv.args, 'w') || hasLetter(inv.args, 'p') || inv.appended {
		return Changes, "sets kernel parameters"
	}
	for _, a := range inv.args {
		if !a.static {
			return Unknown, "has arguments that cannot be told"
		}
		if strings.Contains(a.text, "=") {
			return Changes, "sets a kernel parameter"
		}
	}
	return Reads, ""
}

func judgeRPM(inv invocation, _ bool) (Risk, string) {
	if len(inv.args) > 0 && (strings.HasPrefix(inv.args[0].text, "-q") || inv.args[0].text == "--query" || inv.args[0].text == "-V") && !hasOption(inv.args, "--pipe", "--eval", "--define", "-D", "-E") {
		return Reads, ""
	}
	return Changes, "installs or removes packages"
}

func judgeOpenSSL(inv invocation, _ bool) (Risk, string) {
	if len(inv.args) == 0 || inv.appended {
		return Unknown, "takes its commands from elsewhere"
	}
	for _, a := range inv.args {
		if a.dynamic() && !a.quotedWhole() {
			return Unknown, "has an argument that may turn out to be an option"
		}
	}
	if hasOption(inv.args, "-out", "-keyout", "-writerand", "-sess_out", "-CAcreateserial", "-engine", "-provider-path", "-msgfile", "-keylogfile") {
		return Changes, "writes a file"
	}
	switch inv.args[0].text {
	case "x509", "s_client", "verify", "version", "crl", "req", "rsa", "pkey", "ec", "dgst", "ciphers", "asn1parse", "pkcs12", "rand", "list", "errstr", "speed":
		return Reads, ""
	}
	return Unknown, "openssl " + inv.args[0].text + " is not known"
}

func judgeKafka(inv invocation, _ bool) (Risk, string) {
	switch {
	case inv.appended:
		return Unknown, "gets arguments from data"
	case hasOption(inv.args, "--delete", "--delete-offsets"), hasOption(inv.args, "--reset-offsets") && hasOption(inv.args, "--execute"):
		return Destroys, "removes topics or offsets"
	case hasOption(inv.args, "--create", "--alter", "--add-config", "--delete-config"):
		return Changes, "changes the cluster"
	case hasOption(inv.args, "--list", "--describe", "--reset-offsets"):
		return Reads, ""
	}
	return Unknown, "has no action that is known"
}
