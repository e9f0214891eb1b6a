package runbooks

import "testing"

func TestWithoutTTY(t *testing.T) {
	for _, tc := range []struct{ name, script, want string }{
		{"the book's form", "kubectl exec -it postgres-0 -- df -h", "kubectl exec -i postgres-0 -- df -h"},
		{"other order", "kubectl exec -ti postgres-0 -- df -h", "kubectl exec -i postgres-0 -- df -h"},
		{"alone", "kubectl exec -t postgres-0 -- date", "kubectl exec postgres-0 -- date"},
		{"apart", "kubectl exec -i  -t postgres-0 -- date", "kubectl exec -i postgres-0 -- date"},
		{"long", "kubectl exec --stdin --tty postgres-0 -- date", "kubectl exec --stdin postgres-0 -- date"},
		{"long with a value", "kubectl exec --tty=true --stdin=true p -- date", "kubectl exec --stdin=true p -- date"},
		{"behind the pod", "kubectl exec postgres-0 -it -- date", "kubectl exec postgres-0 -i -- date"},
		{"the inner command keeps its own", "kubectl exec -it p -- ls -t --tty", "kubectl exec -i p -- ls -t --tty"},
		{"a value named t", "kubectl exec -it -c t p -- date", "kubectl exec -i -c t p -- date"},
		{"a value glued to its flag", "kubectl exec -itct p -- date", "kubectl exec -ict p -- date"},
		{"in a pipe", "kubectl exec -it p -- ps aux | grep postgres", "kubectl exec -i p -- ps aux | grep postgres"},
		{
			"in a list and a substitution", "x=$(kubectl exec -it p -- date) && kubectl exec -it q -- date",
			"x=$(kubectl exec -i p -- date) && kubectl exec -i q -- date",
		},
		{"with flags before the verb", "kubectl -n erpgo exec -it p -- date", "kubectl -n erpgo exec -i p -- date"},
		{"behind others", "sudo timeout 5 /usr/bin/kubectl exec -it p -- date", "sudo timeout 5 /usr/bin/kubectl exec -i p -- date"},
		{"run", "kubectl run -it --rm tmp --image=busybox -- sh -c 'date'", "kubectl run -i --rm tmp --image=busybox -- sh -c 'date'"},
		{"over lines", "kubectl exec -it p -- psql -c \\\n  \"SELECT 1\"\n", "kubectl exec -i p -- psql -c \\\n  \"SELECT 1\"\n"},
		{"watch, quoted", "watch 'kubectl exec -it p -- date'", "watch 'kubectl exec -i p -- date'"},
		{"watch, bare", "watch -n 2 kubectl exec -it p -- date", "watch -n 2 kubectl exec -i p -- date"},
		{"sh -c in double quotes", `sh -c "kubectl exec -it p -- date"`, `sh -c "kubectl exec -i p -- date"`},
		{"docker", "docker exec -it -u root db psql -t", "docker exec -i -u root db psql -t"},
		{"docker-compose", "docker-compose exec -t postgres psql -t", "docker-compose exec postgres psql -t"},
		{"text that only speaks of it", "echo 'kubectl exec -it p' | grep -it kubectl", "echo 'kubectl exec -it p' | grep -it kubectl"},
		{"another verb", "kubectl logs -l app=x --tail=5", "kubectl logs -l app=x --tail=5"},
		{"what does not parse", "kubectl exec -it <pod> -- (", "kubectl exec -it <pod> -- ("},
		{"many bytes before it", "echo ÄÖÜ€; kubectl exec -it p -- date", "echo ÄÖÜ€; kubectl exec -i p -- date"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := WithoutTTY(tc.script); got != tc.want {
				t.Errorf("WithoutTTY(%q)\n got %q\nwant %q", tc.script, got, tc.want)
			}
		})
	}
}
