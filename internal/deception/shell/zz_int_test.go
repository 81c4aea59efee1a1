package shell

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"encoding/json"
)

func TestZZ(t *testing.T) {
	raw, _ := os.ReadFile(goldenDir + "/golden/interactive.json")
	var f struct{ Scenarios []json.RawMessage }
	_ = json.Unmarshal(raw, &f)
	want := os.Getenv("ZZ")
	bad := 0
	for _, raw := range f.Scenarios {
		var sc longScenario
		_ = json.Unmarshal(raw, &sc.scenario)
		_ = json.Unmarshal(raw, &sc.More)
		if want != "" && !strings.Contains(","+want+",", ","+sc.ID+",") {
			continue
		}
		for _, v := range sc.judge(t, "interactive") {
			if !v.good {
				bad++
				fmt.Println(v.id)
				fmt.Print(v.why)
			}
		}
	}
	fmt.Println("bad", bad)
}
