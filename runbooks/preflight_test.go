package runbooks

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPreflight(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	t.Setenv("PATH", folder)
	write := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("scripts/there.sh", 0o755)
	write("scripts/plain.sh", 0o644)
	write("kubectl", 0o755)
	write("bash", 0o755)

	for text, want := range map[string][]Obstacle{
		"./scripts/there.sh":      nil,
		"bash scripts/plain.sh":   nil,
		"kubectl get pods":        nil,
		"echo done && [ 1 = 1 ]":  nil,
		"./scripts/warm-cache.sh": {{"./scripts/warm-cache.sh", "is not there in " + folder, "start the cockpit in the folder that the runbook's files belong to, or skip the step"}},
		"./scripts/plain.sh":      {{"./scripts/plain.sh", "is not executable", "chmod +x ./scripts/plain.sh"}},
		"kubectl get pods -o json | jq . > out.json": {
			{"jq", "is not on PATH", "install it on this machine, or start the cockpit with a PATH that has it"},
		},
		// What runs in the pod is the pod's.
		"kubectl exec -it postgres-0 -- pg_archivecleanup /var/lib/postgresql/data/pg_wal": nil,
		"kubectl apply -f k8s/<file>.yaml": {
			{"<file>", "has no value yet", "you are asked for it before the command runs"},
		},
		"kubectl scale deployment/$NAME -n $NAMESPACE --replicas=3": {
			{"$NAME", "is not set", "you are asked for it before the command runs, or export it before the cockpit is started"},
		},
	} {
		cmd := Command{Text: text, Language: Bash}
		describeShell(&cmd)
		got := Preflight(cmd, func(name string) bool { return name == "NAMESPACE" })
		if len(got) != len(want) {
			t.Errorf("%s\n got  %q\n want %q", text, got, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s\n got  %q\n want %q", text, got[i], want[i])
			}
		}
	}
	broken := Command{Text: "echo 'a", Language: Bash}
	describeShell(&broken)
	if got := Preflight(broken, nil); len(got) != 1 || got[0].What != "the command" {
		t.Errorf("a broken command: %q", got)
	}
}
