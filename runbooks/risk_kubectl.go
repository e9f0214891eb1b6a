package runbooks

import "strings"

// kubectlVerbs are kubectl's subcommands. What is not here is a plugin.
var kubectlVerbs = verbs(
	"reads: get describe logs log top explain version cluster-info api-resources api-versions diff events wait options completion help "+
		"auth+can-i auth+whoami rollout+history rollout+status config+view config+current-context config+get-contexts config+get-clusters config+get-users "+
		"plugin+list kustomize port-forward apply+view-last-applied",
	"changes: apply create replace patch edit label annotate set scale autoscale expose run debug cp taint cordon uncordon drain "+
		"rollout+undo rollout+restart rollout+pause rollout+resume auth+reconcile certificate+approve certificate+deny "+
		"config+use-context config+use config+set config+set-context config+set-cluster config+set-credentials config+rename-context config+unset "+
		"apply+edit-last-applied apply+set-last-applied",
	"destroys: delete config+delete-context config+delete-cluster config+delete-user",
)

// judgeKubectl judges by subcommand and by the options that change what it does.
func judgeKubectl(inv invocation, _ bool) (Risk, string) {
	operands, options, rest := inv.kubectlArgs()
	if len(operands) == 0 {
		if hasOption(options, "--help", "-h", "--version") {
			return Reads, ""
		}
		return Unknown, "has no subcommand that can be told"
	}
	verb := operands[0].text
	switch verb {
	case "exec":
		if len(startKubectl(&inv)) == 0 {
			return Unknown, "runs what cannot be told in a pod"
		}
		return Reads, "" // what it runs is judged by itself
	case "attach", "proxy":
		return Unknown, "opens a way in"
	}
	table := program{risk: Unknown, takes: kubectlTakes, verbs: kubectlVerbs}
	risk := table.verb(operands)
	if table.hidesVerb(inv) {
		risk = Unknown
	}
	if !operands[0].static || risk == Unknown {
		return Unknown, "its subcommand is not known"
	}
	why := "kubectl " + verb + " " + verbFor(risk) + " in the cluster"
	if dryRun(options) && risk != Reads && !strings.HasPrefix(verb, "config") {
		return Reads, ""
	}
	switch {
	case verb == "delete":
		risk, why = kubectlDelete(operands, options, inv.appended)
	case (verb == "set" || verb == "label" || verb == "annotate") && hasOption(options, "--list") && !assigns(operands):
		return Reads, ""
	case verb == "cluster-info" && len(operands) > 1 && hasOption(options, "--output-directory"):
		return Changes, "writes files"
	case verb == "replace" && (hasOption(options, "--force", "--grace-period") || hasLetter(options, 'f') && hasOption(options, "--force")):
		return Destroys, "deletes the object and makes it anew"
	case verb == "apply" && hasOption(options, "--prune", "--force"):
		return Destroys, "may delete objects"
	case verb == "drain" && hasOption(options, "--delete-emptydir-data", "--delete-local-data", "--force", "--disable-eviction"):
		return Destroys, "deletes pods with the data that only they hold"
	case verb == "kustomize" && hasOption(options, "--enable-helm", "--enable-exec", "--enable-alpha-plugins", "-o", "--output"):
		return Unknown, "may start programs or write files"
	case verb == "diff" && hasOption(options, "--prune"):
	case verb == "run" && len(rest) > 0:
		return Changes, "starts a pod"
	}
	return risk, why
}

// assigns tells whether an operand sets or removes something: a=b, a-.
func assigns(operands []arg) bool {
	for _, o := range operands {
		if !o.static || strings.Contains(o.text, "=") || strings.HasSuffix(o.text, "-") {
			return true
		}
	}
	return false
}

// dryRun tells whether kubectl is told to change nothing. The last word counts.
func dryRun(options []arg) bool {
	dry := false
	for _, o := range options {
		switch o.text {
		case "--dry-run", "--dry-run=client", "--dry-run=server", "--dry-run=true":
			dry = true
		default:
			dry = dry && !strings.HasPrefix(o.text, "--dry-run")
		}
	}
	return dry
}

// kubectlDelete: a pod by its name is made again by what controls it; anything
// else, or all of them, is gone.
func kubectlDelete(operands, options []arg, named bool) (Risk, string) {
	if hasOption(options, "--force", "--all", "-A", "--all-namespaces", "-f", "--filename", "-k", "--kustomize", "--raw") || hasLetter(options, 'f') ||
		hasOption(options, "--grace-period=0", "--now", "--cascade=orphan") || len(operands) < 2 || !operands[1].static {
		return Destroys, "deletes objects"
	}
	for i, o := range options {
		if o.text == "--grace-period" && i+1 < len(options) && options[i+1].text == "0" {
			return Destroys, "deletes objects at once"
		}
	}
	kinds := strings.Split(operands[1].text, ",")
	if len(operands) == 2 {
		kinds = nil
		for _, o := range strings.Fields(operands[1].text) {
			kind, _, slash := strings.Cut(o, "/")
			if !slash && !named && !hasOption(options, "-l", "--selector", "--field-selector") {
				return Destroys, "deletes objects"
			}
			kinds = append(kinds, kind)
		}
	}
	for _, kind := range kinds {
		kind, _, _ = strings.Cut(kind, "/")
		switch strings.ToLower(kind) {
		case "pod", "pods", "po":
		default:
			return Destroys, "deletes a " + kind
		}
	}
	for _, o := range operands[2:] {
		if kind, _, named := strings.Cut(o.text, "/"); named && kind != "pod" && kind != "pods" && kind != "po" {
			return Destroys, "deletes a " + kind
		}
	}
	return Changes, "deletes pods, which their controller makes again"
}
