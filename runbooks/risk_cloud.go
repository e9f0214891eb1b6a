package runbooks

import (
	"regexp"
	"strings"
)

var (
	awsTakes = optionSet("--region --profile --output --query --endpoint-url --color --ca-bundle --cli-read-timeout --cli-connect-timeout")
	awsReads = regexp.MustCompile(`^(describe|get|list|head|search|lookup|filter|batch-get|estimate|scan|query|check|validate|preview|simulate|view|count|test-dns)(-|$)`)
	awsLoses = regexp.MustCompile(`^(delete|terminate|remove|purge|destroy|deregister|release|revoke|batch-delete|cancel|reset|restore|disassociate|abort|reboot-cache)(-|$)`)
	awsActs  = regexp.MustCompile(`^(create|update|put|modify|set|start|stop|reboot|run|attach|detach|add|associate|register|enable|disable|tag|untag|copy|import|publish|send|apply|authorize|change|failover|promote|move|upload|allocate|assign|increase|decrease|resume|suspend|rollback|batch-write|complete|continue|execute|notify|signal|switchover|transact|retry|rotate|replace|request|resize|scale|split|merge|subscribe|unsubscribe|confirm|accept|reject)(-|$)`)
)

// judgeAWS judges by the operation's name, which begins with what it does.
func judgeAWS(inv invocation, _ bool) (Risk, string) {
	operands, options, _ := words(inv.args, awsTakes)
	if len(operands) < 2 {
		if len(operands) == 1 && operands[0].text == "help" || hasOption(options, "--version") {
			return Reads, ""
		}
		return Unknown, "has no operation that can be told"
	}
	if !operands[0].static || !operands[1].static {
		return Unknown, "its operation is known only when it runs"
	}
	service, op := operands[0].text, operands[1].text
	if hasOption(options, "--dryrun", "--dry-run") {
		return Reads, ""
	}
	switch service + " " + op {
	case "s3 ls", "s3 presign", "logs tail", "logs filter-log-events", "ecr get-login-password", "sts get-caller-identity", "configure list", "eks wait", "ec2 wait", "rds wait":
		return Reads, ""
	case "s3 rm", "s3 rb":
		return Destroys, "removes objects"
	case "s3 mv":
		return Destroys, "removes the source"
	case "s3 sync":
		if hasOption(options, "--delete") {
			return Destroys, "removes what the source does not have"
		}
		return Changes, "copies objects"
	case "s3 cp", "s3 mb", "s3 website", "eks update-kubeconfig", "s3api get-object", "glacier get-job-output", "lambda get-layer-version":
		return Changes, "writes something"
	case "ssm start-session", "ssm send-command", "ecs execute-command", "lambda invoke", "ssm start-automation-execution", "ec2-instance-connect ssh":
		return Unknown, "runs something elsewhere"
	}
	if service == "configure" {
		if op == "get" {
			return Reads, ""
		}
		return Changes, "changes the settings of aws"
	}
	why := "aws " + service + " " + op
	switch {
	case awsReads.MatchString(op):
		return Reads, ""
	case awsLoses.MatchString(op):
		return Destroys, why + " takes something away"
	case awsActs.MatchString(op):
		return Changes, why + " changes something"
	}
	return Unknown, why + " is not known"
}

var cloudLoses = optionSet("delete remove destroy purge rm abandon revoke deallocate restore")

// judgeCloud judges gcloud and az: the operation is the last plain word before
// the options, and its arguments may follow it.
func judgeCloud(inv invocation, _ bool) (Risk, string) {
	var path []arg
	for _, a := range inv.args {
		if a.option() {
			break
		}
		path = append(path, a)
	}
	for _, a := range path {
		if !a.static {
			break
		}
		switch {
		case cloudLoses[a.text]:
			return Destroys, inv.name + " … " + a.text
		case a.text == "ssh" || a.text == "scp" || a.text == "run-command" || a.text == "rest" || a.text == "invoke" || a.text == "start-iap-tunnel":
			return Unknown, inv.name + " … " + a.text + " runs something elsewhere"
		case a.text == "list" || a.text == "describe" || a.text == "show" || a.text == "get-value" || a.text == "read" || strings.HasPrefix(a.text, "list-") || a.text == "version" || a.text == "info":
			for _, o := range inv.args {
				if o.dynamic() && !o.quotedWhole() {
					return Unknown, "has arguments that cannot be told"
				}
				if cloudLoses[o.text] {
					return Unknown, "has words that say different things"
				}
			}
			return Reads, ""
		}
	}
	return Changes, inv.name + " changes something"
}
