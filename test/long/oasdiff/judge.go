// Prints what oasdiff says of each pair in a folder, as JSON: file -> changes, each with its id and level.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"
)

type pair struct {
	Base, Revision json.RawMessage
}

type change struct {
	Id    string `json:"id"`
	Level string `json:"level"`
}

func main() {
	files, _ := filepath.Glob(filepath.Join(os.Args[1], "*.json"))
	verdicts := map[string][]change{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		var one pair
		if err := json.Unmarshal(text, &one); err != nil {
			panic(err)
		}
		base, err1 := spec(one.Base)
		revision, err2 := spec(one.Revision)
		if err1 != nil || err2 != nil {
			continue
		}
		report, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), base, revision)
		if err != nil {
			continue
		}
		changes := []change{}
		for _, found := range checker.CheckBackwardCompatibilityUntilLevel(checker.NewConfig(checker.GetAllChecks()), report, sources, checker.INFO) {
			changes = append(changes, change{found.GetId(), found.GetLevel().String()})
		}
		verdicts[filepath.Base(file)] = changes
	}
	text, _ := json.Marshal(verdicts)
	fmt.Println(string(text))
}

func spec(text []byte) (*load.SpecInfo, error) {
	found, err := openapi3.NewLoader().LoadFromData(text)
	return &load.SpecInfo{Spec: found}, err
}
