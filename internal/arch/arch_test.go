package arch_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"holdfast/internal/arch"
)

func TestEveryImportFollowsTheMap(t *testing.T) {
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	broken, err := arch.Check(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Error(b)
	}
}

// The map would prove nothing if it let everything through.
func TestPlantedImportsAreCaught(t *testing.T) {
	for name, tc := range map[string]struct {
		file, imported string
		why            string // empty: allowed
	}{
		"explorer reaches Microsoft":      {"internal/explorer/x.go", "holdfast/internal/m365/graph", "explorer must work with Microsoft 365 down"},
		"explorer reaches a workload":     {"internal/explorer/x.go", "holdfast/internal/workload/drive", "explorer must work with Microsoft 365 down"},
		"engine knows a workload":         {"internal/engine/x.go", "holdfast/internal/workload/exchange", "knows none by name"},
		"workloads know each other":       {"internal/workload/drive/x.go", "holdfast/internal/workload/exchange", "nor another workload"},
		"workload writes the vault":       {"internal/workload/drive/x.go", "holdfast/internal/vault", "knows neither vault"},
		"service turns round":             {"internal/service/x.go", "holdfast/internal/store", "rules know no SQL"},
		"service speaks SQL":              {"internal/service/x.go", "database/sql", "SQL lives in the store"},
		"engine uses kopia":               {"internal/engine/x.go", "github.com/kopia/kopia/repo", "only user of kopia"},
		"rest reaches the vault":          {"internal/rest/x.go", "holdfast/internal/vault", "thin skin"},
		"judge shares with the judged":    {"internal/sim/x.go", "holdfast/internal/holdfast", "judge"},
		"sys knows the project":           {"internal/sys/x.go", "holdfast/internal/holdfast", "below everything"},
		"nouns use a library":             {"internal/holdfast/x.go", "github.com/google/uuid", "nouns know no SQL"},
		"a room that is not on the map":   {"internal/manager/x.go", "fmt", "in no room"},
		"vault uses kopia":                {"internal/vault/x.go", "github.com/kopia/kopia/repo", ""},
		"engine uses the vault":           {"internal/engine/x.go", "holdfast/internal/vault", ""},
		"a room uses what is below it":    {"internal/rest/x.go", "holdfast/internal/rest/contract", ""},
		"anybody uses sys":                {"internal/vault/x.go", "holdfast/internal/sys", ""},
		"a test may look where it likes":  {"internal/engine/x_test.go", "holdfast/internal/m365", ""},
		"app joins":                       {"internal/app/x.go", "holdfast/internal/workload/drive", ""},
		"nouns use the standard library":  {"internal/holdfast/x.go", "encoding/json", ""},
		"store speaks SQL":                {"internal/store/x.go", "database/sql", ""},
		"a name that only looks the same": {"internal/vault/x.go", "github.com/kopia/kopia-other", ""},
	} {
		t.Run(name, func(t *testing.T) {
			src := "package x\n\nimport _ \"" + tc.imported + "\"\n"
			broken, err := arch.Check(fstest.MapFS{tc.file: {Data: []byte(src)}})
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case tc.why == "" && len(broken) != 0:
				t.Errorf("refused: %v", broken)
			case tc.why != "" && len(broken) != 1:
				t.Errorf("%s may import %s", tc.file, tc.imported)
			case tc.why != "" && !strings.Contains(broken[0].Why, tc.why):
				t.Errorf("reason %q, want it to say %q", broken[0].Why, tc.why)
			}
		})
	}
}
