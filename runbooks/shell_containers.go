package runbooks

// kubectlWords are the arguments of kubectl, told apart.
type kubectlWords struct{ operands, options, rest []arg }

// kubectlArgs tells the arguments of kubectl apart, once.
func (inv *invocation) kubectlArgs() (operands, options, rest []arg) {
	if inv.kubectl == nil {
		inv.kubectl = &kubectlWords{}
		inv.kubectl.operands, inv.kubectl.options, inv.kubectl.rest = words(inv.args, kubectlTakes)
	}
	return inv.kubectl.operands, inv.kubectl.options, inv.kubectl.rest
}

// kubectlTakes are kubectl's options that take their value from the next word,
// over all its subcommands.
var kubectlTakes = optionSet("-n --namespace --context --kubeconfig --cluster --user --as --as-group --as-uid --token --server -s " +
	"--certificate-authority --client-certificate --client-key --tls-server-name --request-timeout --cache-dir --profile --profile-output " +
	"-v --v --vmodule --log-flush-frequency --username --password -c --container -l --selector -o --output -f --filename -k --kustomize " +
	"--field-selector --sort-by --template -L --label-columns --raw --chunk-size --tail --since --since-time --limit-bytes " +
	"--max-log-requests --pod-running-timeout --replicas --current-replicas --resource-version --timeout --to-revision --revision " +
	"-p --patch --patch-file --type --subresource --field-manager --image --port --env --labels --overrides --restart -e --from " +
	"--limits --requests --min --max --cpu-percent --name --target-port --protocol --external-ip --for --grace-period " +
	"--local-port --address --target --copy-to --output-directory --namespaces --keys --hard --scopes " +
	"--from-literal --from-file --from-env-file --docker-server --docker-username --docker-password --cert --key --serviceaccount --role --clusterrole " +
	"--verb --resource --resource-name --non-resource-url --schedule --duration --audience --pod-selector --retries --prune-allowlist --applyset")

// startKubectl: kubectl exec POD -- COMMAND, and kubectl debug or run.
func startKubectl(inv *invocation) []started {
	positional, _, rest := inv.kubectlArgs()
	if len(positional) == 0 || positional[0].text != "exec" {
		return nil
	}
	if rest == nil && len(positional) > 2 { // the old form without "--"
		rest = positional[2:]
	}
	if len(rest) == 0 {
		return nil
	}
	return []started{{words: rest, place: container}}
}

var dockerTakes = optionSet("-H --host -c --context --config -l --log-level -u --user -e --env -w --workdir --env-file --detach-keys " +
	"-f --file -p --project-name --project-directory --profile --index -n --tail --since --until --format --filter")

// startDocker: docker exec CONTAINER COMMAND, docker compose exec SERVICE COMMAND.
func startDocker(inv *invocation) []started {
	if i, verb := firstOperand(inv.args, dockerTakes); verb == "compose" {
		return startComposeAt(inv.args[i+1:])
	} else if verb == "exec" {
		return execRest(inv.args[i+1:])
	}
	return nil
}

func startCompose(inv *invocation) []started { return startComposeAt(inv.args) }

func startComposeAt(args []arg) []started {
	if i, verb := firstOperand(args, dockerTakes); verb == "exec" {
		return execRest(args[i+1:])
	}
	return nil
}

// execRest is the command after the container's name.
func execRest(args []arg) []started {
	i, name := firstOperand(args, dockerTakes)
	if name == "" || i+1 >= len(args) {
		return nil
	}
	return []started{{words: args[i+1:], place: container}}
}
